package weir

import "time"

// Date is a day of the calendar as YYYY-MM-DD. Dates are ordered as strings are.
type Date string

// ParseDate reads one. Error: EINVALID.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", Errorf(EINVALID, "%.20q is not a date such as 2026-03-10", s)
	}
	return Date(s), nil
}

// DateOf is the date that t counts under in a zone.
func DateOf(t time.Time, loc *time.Location) Date {
	y, m, d := CalendarDate(t, loc)
	return Date(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
}

// Add is the date that is days later.
func (d Date) Add(days int) Date { return Date(d.noon().AddDate(0, 0, days).Format(time.DateOnly)) }

// Begin is the first instant of the date in a zone: that of the next date for one
// that the zone skipped.
func (d Date) Begin(loc *time.Location) time.Time {
	y, m, day := d.noon().Date()
	return Midnight(y, m, day, loc)
}

// At is the first instant of the date at which a clock in the zone shows the time of
// day, as long after 00:00, or a later one. So a time that the clock skips is the end
// of the gap, and one that it shows twice is the first. A time that the date does not
// reach is its end.
func (d Date) At(clock time.Duration, loc *time.Location) time.Time {
	t, to := d.Span(loc)
	y, m, day := CalendarDate(t, loc)
	for t.Before(to) {
		_, offset := t.In(loc).Zone()
		want := time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Add(clock - time.Duration(offset)*time.Second)
		if want.Before(t) {
			return t
		}
		_, end := t.In(loc).ZoneBounds()
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

// Span is the whole date in a zone, to exclusive: 23 or 25 hours where the clock is
// set, and nothing for a date that the zone skipped.
func (d Date) Span(loc *time.Location) (from, to time.Time) {
	return d.Begin(loc), d.Add(1).Begin(loc)
}

// noon is the date's in UTC; the zero time for what ParseDate refuses.
func (d Date) noon() time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return time.Time{}
	}
	return t.Add(12 * time.Hour)
}
