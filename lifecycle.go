package weir

import "cmp"

// Lifecycle asks how many persons are new, come back, and stay away, by day, week or month.
type Lifecycle struct {
	Common
	Event  string `json:"event,omitempty" doc:"an event's name: who has one is active; any event when missing"`
	Action string `json:"action,omitempty" doc:"in place of event: the id of an action"`
}

// Kind implements Question.
func (Lifecycle) Kind() Kind { return KindLifecycle }

// WithBase implements Question.
func (q Lifecycle) WithBase(c Common) Question { q.Common = c; return q }

// Selector says which events make a person active.
func (q Lifecycle) Selector() Selector { return Selector{Event: q.Event, Action: q.Action} }

// Actions implements Question.
func (q Lifecycle) Actions() []string { return append(q.Common.Actions(), q.Selector().Actions()...) }

// Validate implements Question.
func (q Lifecycle) Validate() error {
	return cmp.Or(q.Common.validate(), q.Interval.ofDates(), q.Selector().Validate())
}

// Canonical implements Question.
func (q Lifecycle) Canonical() Question {
	q.Common, q.Bots = q.Common.canonical(), q.Bots.OfPeople()
	return q
}
