package weir

import "time"

// RecountDays is how many days of a project's counters are counted again after its timezone
// changed: as long as they are kept, and the days around, since events may have times to come.
const RecountDays = 368

// Recount is the work of counting a project's events again, since its timezone changed.
type Recount struct {
	ID        string // of this change
	ProjectID string
	Timezone  string // the new one
	AskedAt   time.Time
	Done      int // days, of RecountDays, from the newest on
}

// Recounting says that a project's counters are incomplete, and how much is done.
type Recounting struct {
	Running bool
	Percent int // 0 to 100
}

// RecountingOf returns the state after a number of days, of RecountDays.
func RecountingOf(done int) Recounting {
	return Recounting{Running: done < RecountDays, Percent: min(100, 100*done/RecountDays)}
}
