package coldtest

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// bucket is the start of the bucket that t is in, found by looking at clocks.
func (o *oracle) bucket(t time.Time, interval weir.Interval) time.Time {
	t = t.In(o.w.project.Location())
	y, m, d := o.dateOf(t)
	switch interval {
	case weir.Minute:
		return o.within(t, t.Add(-time.Duration(t.Second())*time.Second-time.Duration(t.Nanosecond())))
	case weir.Hour:
		return o.within(t, t.Add(-time.Duration(t.Minute())*time.Minute-time.Duration(t.Second())*time.Second-time.Duration(t.Nanosecond())))
	case weir.Day:
		return o.date(y, m, d)
	case weir.Week:
		for time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday() != time.Monday {
			d--
		}
		return o.date(y, m, d)
	case weir.Month:
		return o.date(y, m, 1)
	}
	panic("the oracle does not know interval " + interval)
}

// within is start, or the change of clocks between it and t, if there is one.
func (o *oracle) within(t, start time.Time) time.Time {
	_, want := t.Zone()
	for _, got := start.Zone(); got != want; _, got = start.Zone() {
		start = start.Add(time.Second)
	}
	return start
}

// dateOf is the last date that has begun at t. The clock may show the one before again.
func (o *oracle) dateOf(t time.Time) (y int, m time.Month, d int) {
	y, m, d = t.In(o.w.project.Location()).Date()
	if !t.Before(o.date(y, m, d+1)) {
		d++
	}
	return y, m, d
}

// date is the first quarter of an hour of a date: no zone of ours changes at
// another time.
func (o *oracle) date(y int, m time.Month, d int) time.Time {
	utc := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	key := utc.Format(time.DateOnly)
	if t, ok := o.dates[key]; ok {
		return t
	}
	t := utc.Add(-26 * time.Hour).In(o.w.project.Location())
	for t.Format(time.DateOnly) != key {
		t = t.Add(15 * time.Minute)
	}
	o.dates[key] = t
	return t
}

// starts are all buckets of a range.
func (o *oracle) starts(from, to time.Time, interval weir.Interval) []time.Time {
	step := 15 * time.Minute
	if interval == weir.Minute || interval == weir.Hour { // a clock may change in any minute
		step = time.Minute
	}
	var out []time.Time
	add := func(t time.Time) {
		if b := o.bucket(t, interval); len(out) == 0 || b.After(out[len(out)-1]) {
			out = append(out, b)
		}
	}
	for t := from; t.Before(to); t = t.Add(step) {
		add(t)
	}
	add(to.Add(-time.Microsecond))
	return out
}

// back moves a time to the range that a query is compared with.
func (o *oracle) back(q weir.Common, compare weir.Compare) func(time.Time) time.Time {
	loc := o.w.project.Location()
	years, days := 1, 0
	if compare == weir.ComparePrevious {
		if !o.bucket(q.From, weir.Day).Equal(q.From) || !o.bucket(q.To, weir.Day).Equal(q.To) {
			return func(t time.Time) time.Time { return t.Add(q.From.Sub(q.To)) }
		}
		years = 0
		for t := q.From; t.Before(q.To); t = o.nextDate(t) {
			days++
		}
	}
	return func(t time.Time) time.Time {
		t = t.In(loc)
		y, m, d := t.Year()-years, t.Month(), t.Day()-days
		if o.bucket(t, weir.Day).Equal(t) {
			return o.date(y, m, d)
		}
		return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), loc)
	}
}

func (o *oracle) nextDate(t time.Time) time.Time {
	y, m, d := o.dateOf(t)
	return o.date(y, m, d+1)
}
