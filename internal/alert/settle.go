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
	// lateStart is the longest pause between the last check and a new process: after a longer
	// one, a minute may lack events.
	lateStart = 15 * time.Second
)

// missed says whether the minutes to check may lack events that senders, or a spill, still have:
// the minute before was not checked, so the server or its hot tier was away; or the clock was
// set; or events wait in a spill. An alert that a pass had no time for is no sign of that.
func (e *Evaluator) missed(all []*weir.Alert) bool {
	if e.Behind != nil && e.Behind() {
		return true
	}
	now := e.Clock.Now()
	to := e.last(now)
	var done time.Time // the newest minute that was checked
	for _, a := range all {
		if a.Status.CheckedTo.After(done) {
			done = a.Status.CheckedTo
		}
	}
	late := !e.began.After(now) && e.began.Sub(done) > grace+lateStart
	return !done.IsZero() && (done.Before(to.Add(-every)) || setBack(done, to) || late)
}

// setBack says whether the clock was set back by gap or more since a window that ends at done was
// checked. Then the clock was wrong before, and the time of that check is ignored.
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
