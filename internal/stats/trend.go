package stats

import (
	"context"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// TrendQuery selects what a trend counts.
type TrendQuery struct {
	Range string // minute, hour or day
	Event string // if not "", only events of this name
	By    string // api, status, consumer or event: one series for each value; "" for one total
	Top   int    // the most series, besides one for all others; 0 is DefaultTop
}

// How many series a trend has.
const (
	DefaultTop = 10
	MaxTop     = 50
)

// Trend has one count for each of the last buckets, oldest first. The last bucket is the
// current one.
type Trend struct {
	Range  string    `json:"range" enum:"minute,hour,day"`
	By     string    `json:"by,omitempty" enum:"api,status,consumer,event"`
	Data   []Point   `json:"data" nullable:"false" doc:"all events; with by of api, status and consumer all calls"`
	Series []Series  `json:"series,omitzero" nullable:"false" doc:"with by, and empty without anything to count: most counted first, then the others, then what has none; they add up to data"`
	AsOf   time.Time `json:"as_of"`
}

// Point is the count of one bucket.
type Point struct {
	Time  time.Time `json:"time" doc:"its start, in the project's timezone"`
	Count int64     `json:"count"`
}

// Series has the counts of one API, status, consumer or event.
type Series struct {
	Name    string  `json:"name"`
	Total   int64   `json:"total"`
	Counts  []int64 `json:"counts" nullable:"false" doc:"one for each point of data"`
	Other   bool    `json:"other,omitempty" doc:"true for the sum of everything that has no series of its own"`
	None    bool    `json:"none,omitempty" doc:"true for calls without an API, or without a consumer"`
	Unnamed int64   `json:"unnamed,omitempty" doc:"the part of the others whose names are unknown: a bucket keeps 1,000 names"`
}

// Names of the two series that do not stand for one member. A real member may have the
// same name; the fields other and none make the difference.
const (
	nameOther = hot.Other
	nameNone  = "(none)"
)

// Trend counts the project's events per minute (60 points), hour (24) or day (30).
// Error: EINVALID for an unknown Range or By, for a Top outside 1 to MaxTop, and for
// Event together with By.
func (s *Stats) Trend(ctx context.Context, p *weir.Project, q TrendQuery) (*Trend, error) {
	now, loc := s.clock.Now(), p.Location()
	starts, g, err := starts(q.Range, now, loc)
	if err != nil {
		return nil, err
	}
	all := hot.Question{Grain: g, Dimension: hot.Total, Starts: starts}
	if q.Event != "" {
		all.Dimension, all.Only = hot.Name, q.Event
	}
	in := hot.Inquiry{Tables: []hot.Question{all}}
	if q.By != "" {
		by, err := q.seriesQuestion(g, starts)
		if err != nil {
			return nil, err
		}
		if by.Dimension == hot.Route {
			by.Named = s.names.project(p)
		}
		if by.Dimension != hot.Name {
			in.Tables[0].Dimension = hot.Calls
		}
		in.Tables = append(in.Tables, by)
	}
	f, err := s.store.Inquire(ctx, p.ID, in)
	if err != nil {
		return nil, err
	}
	t := &Trend{Range: q.Range, By: q.By, Data: make([]Point, len(starts)), AsOf: now.In(loc)}
	total := f.Tables[0].Rows[0].Counts
	for i, start := range starts {
		t.Data[i] = Point{firstOf(g, start, loc), total[i]}
	}
	if q.By != "" {
		t.Series = series(f.Tables[1], total)
	}
	return t, nil
}

// seriesQuestion returns the question to the hot tier for the series. Errors: EINVALID.
func (q TrendQuery) seriesQuestion(g hot.Grain, starts []time.Time) (hot.Question, error) {
	by := hot.Question{Grain: g, Starts: starts, Top: q.Top}
	switch q.By {
	case "api":
		by.Dimension = hot.Route
	case "status":
		by.Dimension = hot.Status
	case "consumer":
		by.Dimension = hot.Consumer
	case "event":
		by.Dimension = hot.Name
	default:
		return by, weir.Errorf(weir.EINVALID, "by %q: use api, status, consumer or event", q.By)
	}
	if q.Event != "" {
		return by, weir.Errorf(weir.EINVALID, "use either event or by, not both: counters do not combine them")
	}
	if by.Top == 0 {
		by.Top = DefaultTop
	}
	if by.Top < 1 || by.Top > MaxTop {
		return by, weir.Errorf(weir.EINVALID, "top %d: use 1 to %d", q.Top, MaxTop)
	}
	return by, nil
}

// series makes the series of a table. What total has more than the table are calls
// without a value; they become the last series.
func series(t hot.Table, total []int64) []Series {
	out := []Series{}
	none := Series{Name: nameNone, None: true, Counts: slices.Clone(total)}
	add := func(s Series) {
		for i, n := range s.Counts {
			s.Total += n
			none.Counts[i] -= n
		}
		if s.Total > 0 {
			out = append(out, s)
		}
	}
	for _, r := range t.Rows {
		add(Series{Name: r.Member, Counts: r.Counts})
	}
	add(Series{Name: nameOther, Other: true, Counts: t.Others, Unnamed: t.Rest})
	for _, n := range none.Counts {
		none.Total += n
	}
	if none.Total > 0 {
		out = append(out, none)
	}
	return out
}

// starts returns the starts of the last buckets, oldest first, up to the current one.
func starts(rng string, now time.Time, loc *time.Location) (starts []time.Time, g hot.Grain, err error) {
	switch rng {
	case "minute":
		g = hot.Minute
		for i := range 60 {
			starts = append(starts, g.Start(now.Add(time.Duration(i-59)*time.Minute), loc))
		}
	case "hour":
		g = hot.Hour
		// Hours of local time are not always 60 minutes apart. Steps shorter than any
		// hour do not skip one.
		for t := now; len(starts) < 24; t = t.Add(-zoneStep) {
			if start := g.Start(t, loc); len(starts) == 0 || start.Before(starts[len(starts)-1]) {
				starts = append(starts, start)
			}
		}
		slices.Reverse(starts)
	case "day":
		g = hot.Day
		y, m, d := weir.CalendarDate(now, loc)
		for i := range 30 {
			// Noon exists on every day in every timezone; midnight does not.
			starts = append(starts, g.Start(time.Date(y, m, d+i-29, 12, 0, 0, 0, loc), loc))
		}
	default:
		err = weir.Errorf(weir.EINVALID, "range %q: use minute, hour or day", rng)
	}
	return starts, g, err
}

// firstOf returns the first instant of a bucket in local time. It differs from start
// only for an hour during which the zone's offset changed (some zones change by half an
// hour): the new offset has no such time, so the bucket begins at the change.
func firstOf(g hot.Grain, start time.Time, loc *time.Location) time.Time {
	start = start.In(loc)
	if g == hot.Hour {
		if began, _ := start.Add(time.Hour - time.Second).ZoneBounds(); began.After(start) {
			return began.In(loc)
		}
	}
	return start
}
