package weir

import (
	"strconv"
	"strings"
	"time"
)

// ParseInstant reads a bound of a range, in one of these forms:
//
//	2026-03-10T12:00:00Z  RFC 3339, as it is
//	2026-03-10            a day in loc: its beginning, or as an end its end
//	-30d -4w -24h -90m    so long before now, to the instant. Days and weeks go back to
//	                      the same time of day
//	-7d/d -1h/h           the day, week, hour or minute (d, w, h, m) that this instant is
//	                      in: its beginning, or as an end its end
//	today yesterday       that day, week (from Monday) or month: its beginning, or as an
//	this_week last_week   end its end
//	this_month last_month
//	now                   now
//
// Errors: EINVALID.
func ParseInstant(s string, now time.Time, loc *time.Location, end bool) (time.Time, error) {
	b, err := parseBound(s, now.In(loc))
	if err != nil {
		return time.Time{}, err
	}
	if end {
		return b.end, nil
	}
	return b.begin, nil
}

// ParseRange reads both bounds, in the forms of ParseInstant. An empty bound is the zero
// time, but where from alone says where the range ends: a word of a period ends with it,
// -7d/d with the last whole day (so it is the last seven whole days), and -7d is up to now.
// Errors: EINVALID, with the name of the bound.
func ParseRange(from, to string, now time.Time, loc *time.Location) (begin, end time.Time, err error) {
	if from != "" {
		b, err := parseBound(from, now.In(loc))
		if err != nil {
			return begin, end, Wrap(err, EINVALID, "from: %s", ErrorMessage(err))
		}
		begin, end = b.begin, b.alone
	}
	if to != "" {
		b, err := parseBound(to, now.In(loc))
		if err != nil {
			return begin, end, Wrap(err, EINVALID, "to: %s", ErrorMessage(err))
		}
		end = b.end
	}
	if from != "" && !end.IsZero() && !begin.Before(end) {
		return begin, end, Errorf(EINVALID, "from must be before to")
	}
	return begin, end, nil
}

// bound is what one bound of a range stands for: its instant as a beginning, as an end, and
// the end of the range if it stands alone as from. alone is zero if it does not say that.
type bound struct{ begin, end, alone time.Time }

// period returns a bound that is a whole period.
func period(begin, end time.Time) bound { return bound{begin: begin, end: end, alone: end} }

func parseBound(s string, now time.Time) (bound, error) {
	loc := now.Location()
	y, m, d := CalendarDate(now, loc)
	monday := Monday(y, m, d)
	switch s {
	case "now":
		return bound{begin: now, end: now}, nil
	case "today":
		return period(Midnight(y, m, d, loc), Midnight(y, m, d+1, loc)), nil
	case "yesterday":
		return period(Midnight(y, m, d-1, loc), Midnight(y, m, d, loc)), nil
	case "this_week":
		return period(Midnight(y, m, monday, loc), Midnight(y, m, monday+7, loc)), nil
	case "last_week":
		return period(Midnight(y, m, monday-7, loc), Midnight(y, m, monday, loc)), nil
	case "this_month":
		return period(Midnight(y, m, 1, loc), Midnight(y, m+1, 1, loc)), nil
	case "last_month":
		return period(Midnight(y, m-1, 1, loc), Midnight(y, m, 1, loc)), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return bound{begin: t, end: t}, checkYear(t)
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		y, m, d := t.Date()
		return bound{begin: Midnight(y, m, d, loc), end: Midnight(y, m, d+1, loc)}, checkYear(t)
	}
	if b, ok := parseAgo(s, now); ok {
		return b, checkYear(b.begin)
	}
	return bound{}, Errorf(EINVALID,
		"%.40q is not a time: give RFC 3339 such as 2026-03-10T12:00:00Z, a date such as 2026-03-10, a time ago such as -30d, whole days such as -7d/d, "+
			"or today, yesterday, this_week, last_week, this_month or last_month", s)
}

// checkYear keeps times within what JSON and the stores can hold.
func checkYear(t time.Time) error {
	if y := t.UTC().Year(); y < 1970 || y > 9998 {
		return Errorf(EINVALID, "the year %d is out of range", y)
	}
	return nil
}

// parseAgo reads a time ago, such as -7d, and the period that it is in, such as -7d/d.
func parseAgo(s string, now time.Time) (bound, bool) {
	s, unit, rounded := strings.Cut(s, "/")
	if len(s) < 3 || len(s) > 7 || s[0] != '-' {
		return bound{}, false
	}
	n, err := strconv.ParseUint(s[1:len(s)-1], 10, 31)
	if err != nil {
		return bound{}, false
	}
	var t time.Time
	switch s[len(s)-1] {
	case 'w':
		t = DaysBefore(now, 7*int(n), now.Location())
	case 'd':
		t = DaysBefore(now, int(n), now.Location())
	case 'h':
		t = now.Add(-time.Duration(n) * time.Hour)
	case 'm':
		t = now.Add(-time.Duration(n) * time.Minute)
	default:
		return bound{}, false
	}
	if !rounded {
		return bound{begin: t, end: t, alone: now}, true
	}
	begin, end, ok := around(t, unit)
	if !ok {
		return bound{}, false
	}
	current, _, _ := around(now, unit)
	if current.Before(end) {
		current = end // now is in the same period: it is a whole one too
	}
	return bound{begin: begin, end: end, alone: current}, true
}

// around returns the minute, hour, day or week (m, h, d, w) that t is in, on the clock of
// its location.
func around(t time.Time, unit string) (begin, end time.Time, ok bool) {
	y, m, d := CalendarDate(t, t.Location())
	switch unit {
	case "m":
		begin = TruncateLocal(t, time.Minute)
		return begin, begin.Add(time.Minute), true
	case "h":
		begin = TruncateLocal(t, time.Hour)
		return begin, begin.Add(time.Hour), true
	case "d":
		return Midnight(y, m, d, t.Location()), Midnight(y, m, d+1, t.Location()), true
	case "w":
		d = Monday(y, m, d)
		return Midnight(y, m, d, t.Location()), Midnight(y, m, d+7, t.Location()), true
	}
	return time.Time{}, time.Time{}, false
}

// EndOfNow returns the end of a range up to now that begins at a fixed time: that of the
// bucket that now is in, so that an event counts whose sender's clock is a little ahead.
// Weeks and months end with today.
func EndOfNow(now time.Time, i Interval, loc *time.Location) time.Time {
	unit := "d"
	switch i {
	case Minute:
		unit = "m"
	case Hour:
		unit = "h"
	}
	_, end, _ := around(now.In(loc), unit)
	return end
}
