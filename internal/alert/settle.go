package alert

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

const (
	// gap is a time without a check after which nothing is known of what was before. It
	// is also the longest time that windows settle: senders that kept their events have
	// sent them by then.
	gap = 5 * time.Minute
	// lateStart is after the last check: a process that begins later may have taken
	// nothing of a minute.
	lateStart = 15 * time.Second
)

// missed says whether what is to be looked at may lack events that senders, or a spill,
// still have: nobody looked at the minute before, so the server or its hot tier was away;
// or the clock was set; or events wait. An alert that a pass had no time for is no sign of that.
func (e *Evaluator) missed(all []*weir.Alert) bool {
	if e.Behind != nil && e.Behind() {
		return true
	}
	now := e.Clock.Now()
	to := e.last(now)
	var done time.Time // the newest minute that somebody looked at
	for _, a := range all {
		if a.Status.CheckedTo.After(done) {
			done = a.Status.CheckedTo
		}
	}
	late := !e.began.After(now) && e.began.Sub(done) > grace+lateStart
	return !done.IsZero() && (done.Before(to.Add(-every)) || setBack(done, to) || late)
}

// setBack says whether the clock was set back by much, since a window that ends at
// done was looked at: then it was wrong before, and what it showed is not believed.
func setBack(done, to time.Time) bool { return done.Sub(to) >= gap }

// settling is how long it takes until windows lie after a time that events were missed
// in, or senders that kept them have had enough time to send them.
func settling(s *weir.AlertSpec) time.Duration {
	d := time.Duration(s.Window) * time.Minute
	if s.Condition.Against == weir.AgainstPrevious {
		d *= 2
	}
	return min(d, gap)
}
