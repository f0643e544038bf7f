package insight

import (
	"encoding/json"
	"time"

	weir "github.com/weir-analytics/weir"
)

// The doc and nullable tags of answers are for the API's description.

// Trend is the answer of kind trend.
type Trend struct {
	Series []TrendSeries `json:"series" nullable:"false"`
	About
}

// TrendSeries is one line. With a breakdown there is one per group, largest
// first, then Other.
type TrendSeries struct {
	Event     string    `json:"event" doc:"empty is any"`
	Action    string    `json:"action,omitempty" doc:"the action that the series asked for"`
	Label     string    `json:"label,omitempty" doc:"the name that the series asked for"`
	Of        string    `json:"of,omitempty" doc:"what is counted in place of persons"`
	Math      weir.Math `json:"math" enum:"total,unique,weekly_active,monthly_active,per_person,sum,avg,min,max,median,p90,p95,p99,formula"`
	Formula   string    `json:"formula,omitempty" doc:"of a line that is computed from the others"`
	Property  string    `json:"property,omitempty"`
	Breakdown *Group    `json:"breakdown,omitempty" doc:"the group's value; null is the group of events without one"`
	Other     bool      `json:"other,omitempty" doc:"all groups that are not among the largest"`
	Values
	Compare *Comparison `json:"compare,omitempty"`
}

// UnmarshalJSON distinguishes the group without a value, which is null, from no breakdown.
// The pointer alone would be nil for both.
func (s *TrendSeries) UnmarshalJSON(b []byte) error {
	type plain TrendSeries // without this method
	in := struct {
		*plain
		Breakdown json.RawMessage `json:"breakdown"`
	}{plain: (*plain)(s)}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	s.Breakdown = nil
	if in.Breakdown == nil {
		return nil
	}
	s.Breakdown = new(Group)
	return json.Unmarshal(in.Breakdown, s.Breakdown)
}

// Values are a line's points, oldest first, and its value over the whole range,
// which for unique, avg, median and the like is not the sum of the points.
type Values struct {
	Points  []Point  `json:"points" nullable:"false" doc:"oldest first"`
	Total   *float64 `json:"total" doc:"over the whole range; null when there is no value"`
	Ignored int64    `json:"ignored,omitempty" doc:"events whose value of the property is not a number; those without the property are not among them"`
	// Overflowed counts points, and the total.
	Overflowed int64 `json:"overflowed,omitempty" doc:"points, and the total, whose value is beyond the largest number (1.8e308); they are null"`
}

// Comparison is the same line over an earlier range. Its points stand beside those of the
// line with the same index.
type Comparison struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	Values
}

// Point is the value of the bucket that starts at Time; null when it has none.
type Point struct {
	Time  time.Time `json:"time"`
	Value *float64  `json:"value" doc:"null when there is none"`
}

// Group is the value that a line of a breakdown is about: in JSON a string, or null for
// events without a value. The group of all others is named "other". A value may be "other"
// too; TrendSeries.Other distinguishes them.
type Group struct {
	Value string
	None  bool
}

// MarshalJSON writes a string or null.
func (g Group) MarshalJSON() ([]byte, error) {
	if g.None {
		return []byte("null"), nil
	}
	return json.Marshal(g.Value)
}

// UnmarshalJSON reads a string or null.
func (g *Group) UnmarshalJSON(b []byte) error {
	*g = Group{None: string(b) == "null"}
	if g.None {
		return nil
	}
	return json.Unmarshal(b, &g.Value)
}

// or returns what p points to, or the zero value.
func or[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
