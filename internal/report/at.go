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

// Due is when the report of a date is to be computed: the first instant of the
// next day at which a clock shows the time or a later one. So a time that the clock
// skips counts at the end of the gap, one that it shows twice the first time, and
// one that the day does not reach at the day's end.
func (a At) Due(d weir.Date, loc *time.Location) time.Time {
	from, to := d.Add(1).Span(loc)
	y, m, day := from.In(loc).Date()
	for t := from; t.Before(to); {
		_, offset := t.In(loc).Zone()
		want := time.Date(y, m, day, 0, a.minutes, 0, 0, time.UTC).Add(-time.Duration(offset) * time.Second)
		_, end := t.In(loc).ZoneBounds()
		if want.Before(t) {
			return t
		}
		if end.IsZero() || end.After(to) {
			end = to
		}
		if want.Before(end) {
			return want.In(loc)
		}
		t = end
	}
	return to
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
