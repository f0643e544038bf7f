package weir

import "time"

// Question asks for an insight, such as Trend, Pages or Funnel; Kind tells them apart. Each has Common and fields of its own.
type Question interface {
	Kind() Kind
	// Base returns what the question has in common with all others.
	Base() Common
	// WithBase returns the question with another common part.
	WithBase(Common) Question
	// Validate checks all that can be checked without the names of columns. Error:
	// EINVALID.
	Validate() error
	// Canonical returns the form that all spellings of the question share: defaults are
	// filled in, fields that the kind ignores are empty, the filter is in one order. Its
	// answer is the same, to the byte.
	Canonical() Question

	// Actions returns the ids of the actions that the question names, some perhaps twice.
	Actions() []string

	question() // only types that embed Common are questions
}

// Kind names a sort of insight.
type Kind string

// The kinds of insight that Weir answers.
const (
	KindTrend  Kind = "trend"
	KindPages  Kind = "pages"
	KindCalls  Kind = "calls"
	KindGrowth Kind = "growth"

	KindLifecycle  Kind = "lifecycle"
	KindStickiness Kind = "stickiness"
	KindRetention  Kind = "retention"
	KindFunnel     Kind = "funnel"
)

// Common is what all questions have. From is inclusive, To exclusive. Its JSON, and that
// of the kinds, is the body of a question, where From and To are as ParseRange
// reads them.
type Common struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Interval Interval  `json:"interval,omitempty" enum:"minute,hour,day,week,month" doc:"of a trend or growth (day, week or month); day when missing. Calls have points only when it is given"`
	Filter   Filter    `json:"filter,omitempty" doc:"a list of conditions that must all hold, or a tree of them"`
	Bots     Bots      `json:"bots,omitempty"`

	// Resolved has the actions that the question names, by id. The engine sets it.
	Resolved map[string]ActionSpec `json:"-"`
}

func (Common) question() {}

// Actions implements Question: those of the filter.
func (c Common) Actions() []string { return c.Filter.Actions() }

// Base implements Question.
func (c Common) Base() Common { return c }

func (c Common) validate() error {
	if !c.From.Before(c.To) {
		return Errorf(EINVALID, "from must be before to")
	}
	if err := c.Bots.validate(); err != nil {
		return err
	}
	return Within("filter", c.Filter.Validate())
}

func (c Common) canonical() Common {
	// Stored times have microseconds.
	c.From, c.To = c.From.UTC().Truncate(time.Microsecond), c.To.UTC().Truncate(time.Microsecond)
	c.Filter = c.Filter.canonical()
	return c
}

// Interval is the width of a bucket, in the project's timezone. Weeks begin on
// Monday.
type Interval string

// The intervals.
const (
	Minute Interval = "minute"
	Hour   Interval = "hour"
	Day    Interval = "day"
	Week   Interval = "week"
	Month  Interval = "month"
)

func (i Interval) validate() error {
	switch i {
	case Minute, Hour, Day, Week, Month:
		return nil
	}
	return Errorf(EINVALID, "unknown interval %q: use minute, hour, day, week or month", i)
}

// ofDates refuses an interval that does not begin with a date.
func (i Interval) ofDates() error {
	switch i {
	case Day, Week, Month:
		return nil
	}
	return Within("interval", Errorf(EINVALID, "unknown interval %.40q: use day, week or month", string(i)).Allowed("day", "week", "month"))
}

// Compare asks for an earlier range of the same length beside the answer.
type Compare string

// What an answer may be compared with.
const (
	CompareNone     Compare = ""
	ComparePrevious Compare = "previous"
	CompareYear     Compare = "year"
)

func (c Compare) validate() error {
	switch c {
	case CompareNone, ComparePrevious, CompareYear:
		return nil
	}
	return Errorf(EINVALID, "unknown compare %q: use previous or year", c)
}

// MaxGroups is the most groups of a breakdown, DefaultGroups how many there are when a
// question names no limit.
const (
	MaxGroups     = 100
	DefaultGroups = 10
)

func validateGroups(limit int) error {
	if limit < 0 || limit > MaxGroups {
		return Errorf(EINVALID, "limit must be 1 to %d", MaxGroups)
	}
	return nil
}
