package alert

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// window is the time [from, to), of whole minutes.
type window struct{ from, to time.Time }

// Earlier is the end of the window that one ending at to is compared with.
func Earlier(to time.Time, minutes int, against weir.Against, loc *time.Location) time.Time {
	switch against {
	case weir.AgainstDay:
		return daysBefore(to, 1, loc)
	case weir.AgainstWeek:
		return daysBefore(to, 7, loc)
	}
	return to.Add(-time.Duration(minutes) * time.Minute)
}

// daysBefore is when the clock of loc showed, some days earlier, what it shows at
// t. Where it showed that twice, it is the time so many times 24 hours before t if
// that is one of them, else the one that time.Date takes. Where it never did, it is
// so many times 24 hours before t.
func daysBefore(t time.Time, days int, loc *time.Location) time.Time {
	local := t.In(loc)
	y, m, d := local.Date()
	// Minutes are enough: windows begin and end with them.
	shows := func(u time.Time) bool {
		uy, um, ud := u.Date()
		want := time.Date(y, m, d-days, 0, 0, 0, 0, time.UTC)
		return time.Date(uy, um, ud, 0, 0, 0, 0, time.UTC).Equal(want) && u.Hour() == local.Hour() && u.Minute() == local.Minute()
	}
	by24 := t.Add(-time.Duration(days) * 24 * time.Hour)
	if shows(by24.In(loc)) {
		return by24
	}
	u := time.Date(y, m, d-days, local.Hour(), local.Minute(), local.Second(), 0, loc)
	if shows(u) && u.Truncate(time.Minute).Equal(u) {
		return u.UTC()
	}
	return by24
}
