package weir

import (
	"strconv"
	"time"
)

// ParseInstant reads a bound of a range, in one of these forms:
//
//	2026-03-10T12:00:00Z  RFC 3339, as it is
//	2026-03-10            a day in loc: its beginning, or as an end its end
//	-30d -4w -24h -90m    so long before now: the beginning of that day, hour or
//	                      minute, or as an end its end
//	now                   now
//
// Errors: EINVALID.
func ParseInstant(s string, now time.Time, loc *time.Location, end bool) (time.Time, error) {
	if s == "now" {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, checkYear(t)
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		y, m, d := t.Date()
		return dayIn(loc, y, m, d, end), checkYear(t)
	}
	if t, ok := parseRelative(s, now.In(loc), end); ok {
		return t, nil
	}
	return time.Time{}, Errorf(EINVALID,
		"%.40q is not a time: give RFC 3339 such as 2026-03-10T12:00:00Z, a date such as 2026-03-10, or a time ago such as -30d", s)
}

// checkYear keeps times within what JSON and the stores can hold.
func checkYear(t time.Time) error {
	if y := t.UTC().Year(); y < 1970 || y > 9998 {
		return Errorf(EINVALID, "the year %d is out of range", y)
	}
	return nil
}

// dayIn is the beginning of a day, or of the next.
func dayIn(loc *time.Location, y int, m time.Month, d int, end bool) time.Time {
	if end {
		d++
	}
	return Midnight(y, m, d, loc)
}

func parseRelative(s string, now time.Time, end bool) (time.Time, bool) {
	if len(s) < 3 || len(s) > 7 || s[0] != '-' {
		return time.Time{}, false
	}
	n, err := strconv.ParseUint(s[1:len(s)-1], 10, 31)
	if err != nil {
		return time.Time{}, false
	}
	y, m, d := now.Date()
	switch s[len(s)-1] {
	case 'w':
		return dayIn(now.Location(), y, m, d-7*int(n), end), now.Year()-int(n)/52 > 1970
	case 'd':
		return dayIn(now.Location(), y, m, d-int(n), end), now.Year()-int(n)/365 > 1970
	case 'h':
		return bucketOf(now.Add(-time.Duration(n)*time.Hour), Hour, end), true
	case 'm':
		return bucketOf(now.Add(-time.Duration(n)*time.Minute), Minute, end), true
	}
	return time.Time{}, false
}

// bucketOf is the beginning of the hour or minute that t is in, or its end.
func bucketOf(t time.Time, i Interval, end bool) time.Time {
	width := time.Minute
	if i == Hour {
		width = time.Hour
	}
	// Whole hours of local time, in half-hour zones too.
	_, off := t.Zone()
	shift := time.Duration(off) * time.Second
	t = t.Add(shift).Truncate(width).Add(-shift)
	if end {
		t = t.Add(width)
	}
	return t
}

// EndOfNow returns the end of a range up to now: that of the bucket that now is in, so that
// an event counts whose sender's clock is a little ahead. Weeks and months end with today.
func EndOfNow(now time.Time, i Interval, loc *time.Location) time.Time {
	now = now.In(loc)
	if i == Minute || i == Hour {
		return bucketOf(now, i, true)
	}
	y, m, d := now.Date()
	return dayIn(loc, y, m, d, true)
}
