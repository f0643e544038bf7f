package weir

import "time"

// Midnight is the first instant of a date in a zone. That is not 00:00 where
// the clock is put forward at midnight, and it is the earlier 00:00 where it is
// put back to it. A date that the zone skipped begins where the next one does.
// d may lie outside the month, as with time.Date.
func Midnight(y int, m time.Month, d int, loc *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, loc)
	want := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if wall(t).Before(want) {
		_, end := t.ZoneBounds() // 00:00 does not exist, t is before the gap
		return end
	}
	begin, _ := t.ZoneBounds()
	if begin.IsZero() {
		return t
	}
	if wall(t).After(want) {
		return begin // 00:00 does not exist, t is after the gap
	}
	_, now := t.Zone()
	_, before := begin.Add(-time.Second).Zone()
	if first := t.Add(time.Duration(now-before) * time.Second); first.Before(begin) && wall(first).Equal(want) {
		return first // 00:00 comes twice
	}
	return t
}

// CalendarDate is the date that t counts under in a zone: the last one that has begun. Where
// the clock is put back over midnight it shows the date before for a while, but that date is
// over: each instant belongs to one day, and days follow each other.
func CalendarDate(t time.Time, loc *time.Location) (y int, m time.Month, d int) {
	t = t.In(loc)
	y, m, d = t.Date()
	// A clock is put back by two hours at most.
	if t.Hour() >= 22 && !t.Before(Midnight(y, m, d+1, loc)) {
		return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC).Date()
	}
	return y, m, d
}

// BeginOfDay is the first instant of the date that t counts under.
func BeginOfDay(t time.Time, loc *time.Location) time.Time {
	y, m, d := CalendarDate(t, loc)
	return Midnight(y, m, d, loc)
}

// Monday is the date of the Monday of the week that a date is in. d may lie outside the
// month.
func Monday(y int, m time.Month, d int) int {
	return d - (int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Weekday())+6)%7
}

// DaysBefore is the same time of day on the date so many days before that of t: when
// the clock of the zone first showed there what it shows at t, or had passed it.
// Date.At says more.
func DaysBefore(t time.Time, days int, loc *time.Location) time.Time {
	shown := wall(t.In(loc))
	return DateOf(t, loc).Add(-days).At(shown.Sub(shown.Truncate(24*time.Hour)), loc)
}

// wall is what a clock shows at t, as if it were UTC.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// TruncateLocal returns the start of the minute or hour (width) that t lies in, by the
// clock of t's location. In a zone whose offset has half an hour, a local hour begins in
// the middle of a UTC hour. If the clock is set back, the two hours with the same name stay
// two.
func TruncateLocal(t time.Time, width time.Duration) time.Time {
	_, offset := t.Zone()
	ahead := time.Duration(offset) * time.Second
	return t.Add(ahead).Truncate(width).Add(-ahead)
}
