package weir

import "cmp"

// Growth asks who comes, stays and goes, by day, week or month. The filter chooses
// events, and all of the answer is about these.
type Growth struct {
	Common
	Series  []Series `json:"series,omitempty" maxItems:"20" doc:"one: the event that is a signup. signup and identify when missing"`
	Of      string   `json:"of,omitempty" doc:"what is counted in place of persons, a column of text: groups.company, consumer, properties.NAME"`
	Compare Compare  `json:"compare,omitempty" enum:"previous,year" doc:"answer for the range before too, or for the same a year ago"`
}

// Signup returns the name of the event that is a signup, "" if the question names none.
func (q Growth) Signup() string {
	if len(q.Series) == 0 {
		return ""
	}
	return q.Series[0].Event
}

// Kind implements Question.
func (Growth) Kind() Kind { return KindGrowth }

// WithBase implements Question.
func (q Growth) WithBase(c Common) Question { q.Common = c; return q }

// Validate implements Question.
func (q Growth) Validate() error {
	switch q.Interval {
	case Day, Week, Month:
	default:
		return Errorf(EINVALID, "growth by interval %q: use day, week or month", q.Interval)
	}
	if len(q.Series) > 1 {
		return Errorf(EINVALID, "growth takes one series: the event that is a signup")
	}
	for _, s := range q.Series {
		if s.Action != "" || s.Of != "" || s.Property != "" || s.Math != "" && s.Math.OfValues() {
			return Errorf(EINVALID, "the series of growth takes an event alone: it counts the persons who signed up")
		}
		if err := CheckText("event", s.Event); err != nil {
			return err
		}
	}
	return cmp.Or(q.Common.validate(), q.Compare.validate())
}

// Canonical implements Question.
func (q Growth) Canonical() Question {
	q.Common = q.Common.canonical()
	q.Bots = q.Bots.OfPeople()
	return q
}
