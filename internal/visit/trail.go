package visit

import (
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Step is an event of a visit's trail: a screen view, or a leave or end that may close one.
type Step struct {
	EventID      string // of a screen view; "" for the others
	Path, Origin string // as the event says
	At           time.Time
	Closed       bool      // a later event closed the view
	ClosedAt     time.Time // when; of a state before version 5 it is At
}

// Bounds of a trail. A longer trail lacks what a late event may need. Then the event closes
// nothing, and no stored event closes it.
const (
	mostSteps = 8
	mostTrail = 4 << 10 // bytes of text
)

// lateLeave is how long after a view the leave of the previous page may come.
const lateLeave = 5 * time.Second

func (p *Step) isView() bool { return p.EventID != "" }

// closes reports whether a later step closes an open view. A leave that names another page
// belongs to the page before the view: a browser shows a page and hides the previous one at the
// same time, in either order.
func (p *Step) closes(v *Step) bool {
	return p.isView() || p.Path == "" || p.Path == v.Path || p.At.Sub(v.At) >= lateLeave
}

// closer returns when a view is closed by what is in the trail from index i on.
func closer(v *Step, trail []Step, i int) (at time.Time, ok bool) {
	for ; i < len(trail); i++ {
		if trail[i].closes(v) {
			return trail[i].At, true
		}
	}
	return at, false
}

// follow relates the event to the screen view before it, and adds it to the trail if it is a
// step. Stored events stay as they are. So the row of a late event says what it changes about
// them: see weir.EventRow.
func (s *Sitting) follow(r *weir.EventRow) {
	i := len(s.Trail) // where the event stands
	for i > 0 && s.Trail[i-1].At.After(r.Time) {
		i--
	}
	isView := r.IsScreenView()
	isStep := isView || r.Name == weir.NameScreenLeave || r.Name == weir.NameSessionEnd
	step := Step{At: r.Time}
	switch r.Name {
	case weir.NameScreenView:
		step.EventID, step.Path, step.Origin = r.ID, r.Path, r.Origin
	case weir.NameScreenLeave:
		step.Path = r.Path
	}
	v := i - 1
	for v >= 0 && !s.Trail[v].isView() {
		v--
	}
	var view Step
	changed := false
	if v >= 0 {
		view, changed = closed(s.Trail, v, i, &step, isStep, r)
	}
	if isView {
		if at, ok := closer(&step, s.Trail, i); ok {
			step.Closed, step.ClosedAt = true, at
			r.RestMS = ms(r.Time, at)
		}
	} else if r.Path == "" && v >= 0 {
		r.Path, r.InheritedFrom = view.Path, view.EventID
		if r.Origin == "" {
			r.Origin = view.Origin
		}
	}
	if !isStep && !changed {
		return
	}
	// A new one: a state that was read or stored may have the trail.
	trail := make([]Step, 0, len(s.Trail)+1)
	trail = append(trail, s.Trail...)
	if changed {
		trail[v] = view
	}
	if isStep {
		trail = trimmed(slices.Insert(trail, i, step))
	}
	s.Trail = trail
}

// closed returns the view at index v after the event has closed it, or has merged the
// visits of this view and of a stored event that closes it. The event stands at index i. It
// returns false if the view stays as it was.
func closed(trail []Step, v, i int, step *Step, isStep bool, r *weir.EventRow) (view Step, changed bool) {
	view = trail[v]
	switch at, ok := closer(&view, trail, i); {
	case isStep && step.closes(&view) && (!view.Closed || view.ClosedAt.After(r.Time)):
		if view.Closed {
			r.ReplacesMS = ms(view.At, view.ClosedAt)
		}
		view.ClosedAt = r.Time
	case !view.Closed && ok:
		// The two parts are the whole milliseconds of the view together.
		r.RestMS = weir.Known(float64(at.Sub(view.At).Milliseconds() - r.Time.Sub(view.At).Milliseconds()))
		view.ClosedAt = at
	default:
		return view, false
	}
	view.Closed = true
	r.ClosesEventID, r.ClosesPath = view.EventID, view.Path
	r.ClosesMS = r.Time.Sub(view.At).Milliseconds()
	return view, true
}

func ms(from, to time.Time) weir.Number {
	return weir.Known(float64(to.Sub(from).Milliseconds()))
}

// trimmed returns the part of the trail that an event may need if it is late by Idle: the steps
// of that time, the view before them, and the last view. It changes trail, which no state may have.
func trimmed(trail []Step) []Step {
	if len(trail) == 0 {
		return nil
	}
	since := trail[len(trail)-1].At.Add(-Idle)
	text, lastView, before := 0, -1, -1
	for i := range trail {
		p := &trail[i]
		text += len(p.EventID) + len(p.Path) + len(p.Origin)
		if p.isView() {
			if lastView = i; !p.At.After(since) {
				before = i
			}
		}
	}
	out := trail[:0] // the steps that are left move to the front
	for i := range trail {
		p := &trail[i]
		old := i < before || i != before && p.At.Before(since)
		full := len(trail)-i+len(out) > mostSteps || text > mostTrail
		if i != lastView && (old || full) {
			text -= len(p.EventID) + len(p.Path) + len(p.Origin)
			continue
		}
		out = append(out, *p)
	}
	return out
}
