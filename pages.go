package weir

import "cmp"

// Pages asks what is read: views, visitors, time and visits by path. The filter chooses
// screen views; a visit counts if one of them is in it. The interval is ignored.
type Pages struct {
	Common
	Goal  string `json:"goal,omitempty" doc:"the id of an action: how many visits reach it"`
	Limit int    `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"pages; 100 when missing, at most 1000"`
}

// DefaultPages is how many pages an answer has when the question names no limit.
const (
	DefaultPages = 100
	maxPages     = 1000
)

// Kind implements Question.
func (Pages) Kind() Kind { return KindPages }

// WithBase implements Question.
func (q Pages) WithBase(c Common) Question { q.Common = c; return q }

// Actions implements Question.
func (q Pages) Actions() []string {
	if q.Goal == "" {
		return q.Common.Actions()
	}
	return append(q.Common.Actions(), q.Goal)
}

// Validate implements Question.
func (q Pages) Validate() error {
	if q.Limit < 0 || q.Limit > maxPages {
		return Errorf(EINVALID, "limit must be 1 to %d", maxPages)
	}
	return q.Common.validate()
}

// Canonical implements Question.
func (q Pages) Canonical() Question {
	q.Common = q.Common.canonical()
	q.Bots = q.Bots.OfPeople()
	q.Interval = ""
	q.Limit = cmp.Or(q.Limit, DefaultPages)
	return q
}
