package weir

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Trend asks how many, how much or who, over time.
type Trend struct {
	Common
	Series    []Series `json:"series,omitempty" maxItems:"20" doc:"the total of all events when missing"`
	Breakdown string   `json:"breakdown,omitempty" doc:"a column, properties.NAME or traits.NAME"`
	Compare   Compare  `json:"compare,omitempty" enum:"previous,year" doc:"answer for the range before too, or for the same a year ago"`
	Limit     int      `json:"limit,omitempty" minimum:"0" maximum:"10000" doc:"groups of the breakdown; 10 when missing, at most 100"`

	Formula    string `json:"formula,omitempty" doc:"one more line: A / B * 100, where A is the first series, B the second; null where it divides by zero"`
	Cumulative bool   `json:"cumulative,omitempty" doc:"each point is the sum of those up to it; for total and sum"`
	Smooth     int    `json:"smooth,omitempty" minimum:"0" maximum:"1000" doc:"each point is the mean of so many points up to it"`
}

// Series is one line of a trend.
type Series struct {
	Event    string `json:"event,omitempty" doc:"an event's name; any when missing"`
	Action   string `json:"action,omitempty" doc:"in place of event: the id of an action"`
	Filter   Filter `json:"filter,omitempty" doc:"conditions on the events of this series"`
	Math     Math   `json:"math,omitempty" enum:"total,unique,weekly_active,monthly_active,per_person,sum,avg,min,max,median,p90,p95,p99" doc:"total when missing"`
	Of       string `json:"of,omitempty" doc:"for unique: what is counted in place of persons, a column of text: groups.company, consumer, properties.NAME"`
	Property string `json:"property,omitempty" doc:"for sum, avg, …: a numeric column or properties.NAME"`
	Label    string `json:"label,omitempty" doc:"a name for the series, returned as it is"`
}

// Selector says which events the series is about.
func (s Series) Selector() Selector {
	return Selector{Event: s.Event, Action: s.Action, Filter: s.Filter}
}

// Math says what a series measures.
type Math string

// Total counts events, unique counts persons; the others are over the numeric
// values of Series.Property.
const (
	MathTotal  Math = "total"
	MathUnique Math = "unique"
	MathSum    Math = "sum"
	MathAvg    Math = "avg"
	MathMin    Math = "min"
	MathMax    Math = "max"
	MathMedian Math = "median"
	MathP90    Math = "p90"
	MathP95    Math = "p95"
	MathP99    Math = "p99"

	// MathWeekly and MathMonthly count persons in the 7 and 30 days that end with a bucket.
	MathWeekly  Math = "weekly_active"
	MathMonthly Math = "monthly_active"
	// MathPerPerson is the number of events by that of the persons who have them.
	MathPerPerson Math = "per_person"
	// MathFormula is that of a formula's lines in an answer. No series asks for it.
	MathFormula Math = "formula"
)

var maths = []Math{MathTotal, MathUnique, MathWeekly, MathMonthly, MathPerPerson, MathSum, MathAvg, MathMin, MathMax, MathMedian, MathP90, MathP95, MathP99}

// OfValues says whether the math is over the values of a property.
func (m Math) OfValues() bool { return m != MathTotal && !m.OfPeople() }

// OfPeople says whether the math is a number about people, so that bots are left out of it.
func (m Math) OfPeople() bool {
	return m == MathUnique || m == MathWeekly || m == MathMonthly || m == MathPerPerson
}

// maxSeries is the most lines of a trend that has no breakdown.
const maxSeries = 10

// Kind implements Question.
func (Trend) Kind() Kind { return KindTrend }

// WithBase implements Question.
func (q Trend) WithBase(c Common) Question { q.Common = c; return q }

// Actions implements Question.
func (q Trend) Actions() []string {
	ids := q.Common.Actions()
	for _, s := range q.Series {
		ids = append(ids, s.Selector().Actions()...)
	}
	return ids
}

// Validate implements Question.
func (q Trend) Validate() error {
	if n := len(q.Series); n == 0 || n > maxSeries {
		return Errorf(EINVALID, "a trend needs 1 to %d series, there are %d", maxSeries, n)
	}
	for i, s := range q.Series {
		if err := s.validate(); err != nil {
			return Within("series"+place(i), err)
		}
	}
	return cmp.Or(q.Common.validate(), q.Interval.validate(), q.Compare.validate(), validateGroups(q.Limit), q.validateTogether())
}

// maxSmooth is the most buckets of a mean.
const maxSmooth = 1000

// validateTogether checks what is asked of all series together.
func (q Trend) validateTogether() error {
	if q.Smooth < 0 || q.Smooth > maxSmooth {
		return Within("smooth", Errorf(EINVALID, "must be 0 to %d", maxSmooth))
	}
	for i, s := range q.Series {
		switch {
		case q.Cumulative && s.Math != MathTotal && s.Math != MathSum:
			return Within("cumulative", Errorf(EINVALID, "series %d: %s does not add up: only total and sum do", i+1, s.Math))
		case s.Math != MathWeekly && s.Math != MathMonthly:
		case q.Breakdown != "":
			return Within("series"+place(i)+".math", Errorf(EINVALID, "%s takes no breakdown", s.Math))
		case q.Interval == Minute || q.Interval == Hour:
			return Within("interval", Errorf(EINVALID, "%s is by day, week or month", s.Math).Allowed("day", "week", "month"))
		}
	}
	if q.Formula == "" {
		return nil
	}
	_, err := ParseFormula(q.Formula, len(q.Series))
	return Within("formula", err)
}

// Canonical implements Question.
func (q Trend) Canonical() Question {
	q.Common = q.Common.canonical()
	if !slices.ContainsFunc(q.Series, func(s Series) bool { return s.Math.OfPeople() }) {
		q.Bots = q.Bots.OfEvents()
	}
	q.Series = slices.Clone(q.Series)
	for i := range q.Series {
		q.Series[i].Filter = q.Series[i].Filter.canonical()
	}
	if q.Breakdown == "" {
		q.Limit = 0
	} else {
		q.Limit = cmp.Or(q.Limit, DefaultGroups)
	}
	return q
}

func (s Series) validate() error {
	if !slices.Contains(maths, s.Math) {
		return Errorf(EINVALID, "unknown math %q: use %s", s.Math, strings.Trim(strings.ReplaceAll(fmt.Sprintf("%q", maths), " ", ", "), "[]"))
	}
	switch {
	case !s.Math.OfValues() && s.Property != "":
		return Errorf(EINVALID, "math %q counts events or persons and takes no property", s.Math)
	case s.Math.OfValues() && s.Property == "":
		return Errorf(EINVALID, "math %q needs a property: latency_ms, request_bytes, response_bytes, revenue, status or properties.NAME", s.Math)
	}
	if s.Of != "" && s.Math != MathUnique {
		return Errorf(EINVALID, "of says what unique counts: math %q takes none", s.Math)
	}
	if err := CheckText("label", s.Label); err != nil {
		return err
	}
	return s.Selector().Validate()
}
