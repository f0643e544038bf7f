package weir

import "cmp"

// Stickiness asks in how many days, weeks or months of a range each person was active.
type Stickiness struct {
	Common
	Event      string `json:"event,omitempty" doc:"an event's name: who has one is active; any event when missing"`
	Action     string `json:"action,omitempty" doc:"in place of event: the id of an action"`
	Cumulative bool   `json:"cumulative,omitempty" doc:"count who was active in at least so many buckets"`
}

// Kind implements Question.
func (Stickiness) Kind() Kind { return KindStickiness }

// WithBase implements Question.
func (q Stickiness) WithBase(c Common) Question { q.Common = c; return q }

// Selector says which events make a person active.
func (q Stickiness) Selector() Selector { return Selector{Event: q.Event, Action: q.Action} }

// Actions implements Question.
func (q Stickiness) Actions() []string { return append(q.Common.Actions(), q.Selector().Actions()...) }

// Validate implements Question.
func (q Stickiness) Validate() error {
	return cmp.Or(q.Common.validate(), q.Interval.ofDates(), q.Selector().Validate())
}

// Canonical implements Question.
func (q Stickiness) Canonical() Question {
	q.Common, q.Bots = q.Common.canonical(), q.Bots.OfPeople()
	return q
}
