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
		return weir.DaysBefore(to, 1, loc)
	case weir.AgainstWeek:
		return weir.DaysBefore(to, 7, loc)
	}
	return to.Add(-time.Duration(minutes) * time.Minute)
}
