package insight

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// earlier returns the buckets to compare those of [from, to) with, nil for none.
//
// Previous is the same length of time just before. If the range is one of whole days, it
// is as many days before, so that a night with a change of clocks does not shift the days
// before it by an hour. The buckets of both ranges stand side by side, index by index.
func earlier(b buckets, c weir.Compare, from, to time.Time, loc *time.Location) *buckets {
	move := func(t time.Time) time.Time { return back(t, 1, 0) }
	switch c {
	case weir.CompareNone:
		return nil
	case weir.ComparePrevious:
		length := to.Sub(from)
		move = func(t time.Time) time.Time { return t.Add(-length) }
		if days, ok := wholeDays(from.In(loc), to.In(loc)); ok {
			move = func(t time.Time) time.Time { return back(t, 0, days) }
		}
	}
	s := b.shift(loc, move)
	return &s
}

// back returns the same time of day on an earlier date. For the first instant of a date it
// is the first instant of the earlier one.
func back(t time.Time, years, days int) time.Time {
	if y, m, d := t.Date(); t.Equal(weir.Midnight(y, m, d, t.Location())) {
		return weir.Midnight(y-years, m, d-days, t.Location())
	}
	return t.AddDate(-years, 0, -days)
}

// wholeDays returns the number of dates from the first instant of one to the first instant
// of another. ok is false if the times are not first instants.
func wholeDays(from, to time.Time) (days int, ok bool) {
	date := func(t time.Time) time.Time {
		y, m, d := t.Date()
		ok = ok && t.Equal(weir.Midnight(y, m, d, t.Location()))
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	ok = true
	n := date(to).Sub(date(from)) / (24 * time.Hour)
	return int(n), ok
}
