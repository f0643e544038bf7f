package weir

import "cmp"

// Retention asks who comes back: of the persons with a start event in an interval, how many
// have a return event in each interval after it.
type Retention struct {
	Common
	Start      Selector      `json:"start,omitzero" doc:"the events that put a person into a row; any when missing"`
	Return     Selector      `json:"return,omitzero" doc:"the events by which a person comes back; any when missing"`
	Mode       RetentionMode `json:"mode,omitempty" enum:"first,recurring" doc:"first: a person is in the row of its first ever start event; recurring: in each row in which it has one. first when missing"`
	Cumulative bool          `json:"cumulative,omitempty" doc:"count who comes back in an interval or in a later one of the row"`
	Periods    int           `json:"periods,omitempty" minimum:"0" maximum:"100" doc:"columns of a row, with the size; 8 when missing"`
	AtLeast    int           `json:"at_least,omitempty" minimum:"0" maximum:"1000" doc:"return events in an interval that make a person come back; 1 when missing"`
}

// RetentionMode says in which rows a person is.
type RetentionMode string

// The modes of retention.
const (
	RetentionFirst     RetentionMode = "first"
	RetentionRecurring RetentionMode = "recurring"
)

// Limits of retention.
const (
	DefaultPeriods = 8
	maxPeriods     = 100
	maxAtLeast     = 1000
)

// Kind implements Question.
func (Retention) Kind() Kind { return KindRetention }

// WithBase implements Question.
func (q Retention) WithBase(c Common) Question { q.Common = c; return q }

// Actions implements Question.
func (q Retention) Actions() []string {
	return append(append(q.Common.Actions(), q.Start.Actions()...), q.Return.Actions()...)
}

// Validate implements Question.
func (q Retention) Validate() error {
	switch {
	case q.Mode != RetentionFirst && q.Mode != RetentionRecurring:
		return Within("mode", Errorf(EINVALID, "unknown mode %.40q: use first or recurring", string(q.Mode)).Allowed("first", "recurring"))
	case q.Periods < 1 || q.Periods > maxPeriods:
		return Within("periods", Errorf(EINVALID, "must be 1 to %d", maxPeriods))
	case q.AtLeast < 1 || q.AtLeast > maxAtLeast:
		return Within("at_least", Errorf(EINVALID, "must be 1 to %d", maxAtLeast))
	}
	return cmp.Or(q.Common.validate(), q.Interval.ofDates(), Within("start", q.Start.Validate()), Within("return", q.Return.Validate()))
}

// Canonical implements Question.
func (q Retention) Canonical() Question {
	q.Common, q.Bots = q.Common.canonical(), q.Bots.OfPeople()
	q.Start, q.Return = q.Start.Canonical(), q.Return.Canonical()
	return q
}
