package hot

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Grain is the width of a counter's bucket. Hours and days begin in the
// project's timezone.
type Grain uint8

// The grains, and how long each is kept.
const (
	Minute Grain = 'm' // 8 days, so that a week ago to the minute is there
	Hour   Grain = 'h' // 30 days
	Day    Grain = 'd' // 365 days
)

// Grains lists all of them.
var Grains = [...]Grain{Minute, Hour, Day}

// Kept returns how long a bucket of the grain is kept after it began.
func (g Grain) Kept() time.Duration {
	switch g {
	case Minute:
		return 8 * 24 * time.Hour
	case Hour:
		return 30 * 24 * time.Hour
	default:
		return 365 * 24 * time.Hour
	}
}

// Start returns the beginning of the bucket that t falls in.
func (g Grain) Start(t time.Time, loc *time.Location) time.Time {
	switch g {
	case Minute:
		return t.Truncate(time.Minute)
	case Hour:
		return weir.TruncateLocal(t.In(loc), time.Hour)
	default:
		return weir.BeginOfDay(t, loc)
	}
}

// MinuteOf returns the minute that t is in, in minutes since 1970.
func MinuteOf(t time.Time) int64 { return t.Truncate(time.Minute).Unix() / 60 }

// Dimension is what a counter counts by.
type Dimension uint8

// The dimensions. Total and Calls have the one member "".
const (
	Total    Dimension = 't' // all events
	Calls    Dimension = 'k' // calls
	Name     Dimension = 'n' // events by name
	Route    Dimension = 'r' // calls by route
	Status   Dimension = 's' // calls by status class, "2xx"; "0xx" is unknown
	Consumer Dimension = 'c' // calls by consumer
	Failed   Dimension = 'f' // calls with a status of 400 to 599, by route
)

// Dimensions lists all of them.
var Dimensions = [...]Dimension{Total, Calls, Name, Route, Status, Consumer, Failed}

// Rest returns the dimension that counts all members beyond the first MaxMembers of a
// bucket. It is a dimension of its own, so no member can have the same name.
func (d Dimension) Rest() Dimension { return d | 0x80 }

// Other is the name of the rest in a list of members.
const Other = "other"

// MaxMembers bounds the members of one dimension in one bucket.
const MaxMembers = 1000

// Fact is a member of a dimension that an event counts under.
type Fact struct {
	Dimension Dimension
	Member    string
}

// Facts appends to dst what the event counts under.
func Facts(dst []Fact, e *weir.Event) []Fact {
	dst = append(dst, Fact{Total, ""}, Fact{Name, e.Name})
	if c := e.Call; c != nil {
		dst = append(dst, Fact{Calls, ""}, Fact{Status, StatusClass(c.Status)})
		if c.Route != "" {
			dst = append(dst, Fact{Route, c.Route})
			if c.Status >= 400 && c.Status <= 599 {
				dst = append(dst, Fact{Failed, c.Route})
			}
		}
		if c.Consumer != "" {
			dst = append(dst, Fact{Consumer, c.Consumer})
		}
	}
	return dst
}

// Bucket is where an event counts.
type Bucket struct {
	Grain Grain
	Start int64 // unix seconds
}

// Buckets appends to dst the buckets in which an event of time t counts, without those
// that are past their retention at now.
func Buckets(dst []Bucket, t time.Time, loc *time.Location, now time.Time) []Bucket {
	for _, g := range Grains {
		if now.Sub(t) < g.Kept() {
			dst = append(dst, Bucket{g, g.Start(t, loc).Unix()})
		}
	}
	return dst
}

// StatusClass returns "1xx" to "5xx", or "0xx" for anything else.
func StatusClass(status int) string {
	if status < 100 || status > 599 {
		return "0xx"
	}
	return [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}[status/100-1]
}

// CallResults are calls with a known status: from 100 to 599.
type CallResults struct {
	Succeeded int64 // with a status below 400
	Known     int64
}

// Add adds calls of a status class. Calls without a known status are in neither sum.
func (o *CallResults) Add(class string, calls int64) {
	switch class {
	case "1xx", "2xx", "3xx":
		o.Succeeded += calls
		o.Known += calls
	case "4xx", "5xx":
		o.Known += calls
	}
}

// SuccessRate returns the share that succeeded, 0 to 1; nil without any.
func (o *CallResults) SuccessRate() *float64 {
	if o.Known == 0 {
		return nil
	}
	return new(float64(o.Succeeded) / float64(o.Known))
}

// Point is a counter's value in one bucket.
type Point struct {
	Start time.Time
	Count int64
}

// Member is a counter's value for one member, summed over buckets.
type Member struct {
	Name  string
	Count int64
	Rest  bool // not a member, but what was beyond MaxMembers; its name is Other
}

// Counters are the numbers that Append keeps up to date. Buckets are given by
// the range [from, to) of their starts; a bucket without events is not
// returned.
type Counters interface {
	// Series is one member's counts by bucket, oldest first.
	Series(ctx context.Context, project string, g Grain, d Dimension, member string, from, to time.Time) ([]Point, error)
	// Members are all members of the dimension, summed over the range, most
	// counted first, then by name, and the rest last; at most limit, 0 for all.
	Members(ctx context.Context, project string, g Grain, d Dimension, from, to time.Time, limit int) ([]Member, error)
	// Uniques estimates the distinct devices over the range (HyperLogLog, 2^14
	// registers: standard error 0.81 %), without bots. Those of BotsOf(project) are the
	// bots.
	Uniques(ctx context.Context, project string, g Grain, from, to time.Time) (int64, error)
	// Inquire answers several questions at once, and fast: what it reads does
	// not grow with the number of events, and buckets that it has read before are
	// asked only whether they have changed. It sees every append that was
	// acknowledged before.
	Inquire(ctx context.Context, project string, in Inquiry) (Findings, error)
}

// Ranked returns the members with their sums, most counted first, then by name, and
// the rest, if there is one, last; at most limit, 0 for all.
func Ranked(sums map[string]int64, rest int64, limit int) []Member {
	members := make([]Member, 0, len(sums)+1)
	for name, n := range sums {
		members = append(members, Member{Name: name, Count: n})
	}
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Name, b.Name))
	})
	if rest > 0 {
		members = append(members, Member{Name: Other, Count: rest, Rest: true})
	}
	if limit > 0 && len(members) > limit {
		members = members[:limit]
	}
	return members
}
