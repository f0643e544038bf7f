package weir

import (
	"strconv"
	"strings"
	"time"
)

// Rate is a limit on how often something may happen: N at once at most, and N in
// each Per as time goes on (a token bucket of N). The zero Rate is not set; one
// with N below 0 is off.
type Rate struct {
	N   int
	Per time.Duration
}

// RateOff lets everything through, where a default would not.
var RateOff = Rate{N: -1}

// MaxRate is the largest N.
const MaxRate = 100_000_000

// rateUnits are what a rate may be counted per, by how it is written.
var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}

// ParseRate reads a rate such as 1000/s, 600/m, 5000/h or 100000/d; "off", and ""
// for one that is not set. Errors: EINVALID.
func ParseRate(s string) (Rate, error) {
	switch s {
	case "":
		return Rate{}, nil
	case "off":
		return RateOff, nil
	}
	count, unit, ok := strings.Cut(s, "/")
	n, err := strconv.Atoi(count)
	per := rateUnits[unit]
	if !ok || err != nil || per == 0 || n < 1 || n > MaxRate || strconv.Itoa(n) != count {
		return Rate{}, Errorf(EINVALID, "a limit is a number per second, minute, hour or day, such as 1000/s, 600/m or 5000/h, or off")
	}
	return Rate{n, per}, nil
}

// String is the inverse of ParseRate.
func (r Rate) String() string {
	if r.N < 0 {
		return "off"
	}
	for unit, per := range rateUnits {
		if r.N > 0 && r.Per == per {
			return strconv.Itoa(r.N) + "/" + unit
		}
	}
	return ""
}

// UnmarshalText is ParseRate.
func (r *Rate) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRate(string(b))
	return err
}

// Limited says whether the rate stops anything.
func (r Rate) Limited() bool { return r.N > 0 && r.Per > 0 }

// Or is the rate, or the other where it is not set.
func (r Rate) Or(other Rate) Rate {
	if r.N == 0 {
		return other
	}
	return r
}

// Overflow is what becomes of events beyond a month's quota.
type Overflow string

// The policies.
const (
	OverRefuse Overflow = "refuse" // they are refused until the month is over
	OverSample Overflow = "sample" // those of a share of the devices are kept, marked with the share
	OverFlag   Overflow = "flag"   // they are kept, marked as beyond the quota
)

// Limits are what a project may bring in. The zero value is what the server allows
// each.
type Limits struct {
	Key Rate // events by one write key; not set is the server's
	IP  Rate // requests from one address; not set is the server's

	Quota  int64    // events of a calendar month in the project's timezone; 0 is any number
	Over   Overflow // what becomes of more; "" is OverRefuse
	Sample int      // percent of devices that OverSample keeps; 0 is DefaultSample
}

const (
	// DefaultSample is the percentage that is kept where none was chosen.
	DefaultSample = 10
	// MaxQuota is the largest quota.
	MaxQuota = 1_000_000_000_000
)

// Normal fills in the defaults. Errors: EINVALID for what no project may have.
func (l Limits) Normal() (Limits, error) {
	if l.Over == "" {
		l.Over = OverRefuse
	}
	if l.Sample == 0 {
		l.Sample = DefaultSample
	}
	switch {
	case l.Quota < 0 || l.Quota > MaxQuota:
		return l, Errorf(EINVALID, "a quota of %d events: use 1 to %d, or 0 for none", l.Quota, int64(MaxQuota))
	case l.Over != OverRefuse && l.Over != OverSample && l.Over != OverFlag:
		return l, Errorf(EINVALID, "unknown policy %q for what is over the quota: use refuse, sample or flag", string(l.Over))
	case l.Sample < 1 || l.Sample > 99:
		return l, Errorf(EINVALID, "a sample of %d %%: use 1 to 99", l.Sample)
	}
	return l, nil
}

// MonthOf is the calendar month that t is in, in a zone: from its first instant to
// that of the next.
func MonthOf(t time.Time, loc *time.Location) (from, to time.Time) {
	y, m, _ := CalendarDate(t, loc)
	return Midnight(y, m, 1, loc), Midnight(y, m+1, 1, loc)
}
