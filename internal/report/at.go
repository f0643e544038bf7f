package report

import (
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// At is a time of day in a project's timezone at which the report of the day
// before is computed.
type At struct {
	minutes int // after 00:00, as a clock shows them
	off     bool
}

// Off is no time: no reports are computed by themselves.
var Off = At{off: true}

// ParseAt reads HH:MM, or off. Error: EINVALID.
func ParseAt(s string) (At, error) {
	if s == "off" {
		return Off, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return At{}, weir.Errorf(weir.EINVALID, "%.20q is not a time of day: use HH:MM such as 01:00, or off", s)
	}
	return At{minutes: 60*t.Hour() + t.Minute()}, nil
}

func (a At) String() string {
	if a.off {
		return "off"
	}
	return fmt.Sprintf("%02d:%02d", a.minutes/60, a.minutes%60)
}

// Due is when the report of a date is to be computed: the time of the next day, as
// weir.Date.At finds it.
func (a At) Due(d weir.Date, loc *time.Location) time.Time {
	return d.Add(1).At(time.Duration(a.minutes)*time.Minute, loc)
}

// last is the latest date whose report is due at now; "" when reports are off.
func (a At) last(now time.Time, loc *time.Location) weir.Date {
	if a.off {
		return ""
	}
	d := weir.DateOf(now, loc).Add(-1)
	for a.Due(d, loc).After(now) {
		d = d.Add(-1)
	}
	return d
}
