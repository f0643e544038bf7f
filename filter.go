package weir

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Limits of a filter.
const (
	maxConditions = 20
	maxIn         = 100
	// MaxText is the most bytes of a name or a value in a question.
	MaxText = 8 << 10
)

// Filter is a list of conditions that must all hold. In JSON a condition has "value", or
// "values" with the operator "in"; a value is a string, a number or a boolean.
type Filter []Condition

// Condition is one test of a filter. Values has one element but for "in".
type Condition struct {
	Column string
	Op     string // = != in contains > <
	Values []string
}

// Validate checks how many conditions there are, and how many values each has. Error:
// EINVALID.
func (f Filter) Validate() error {
	if len(f) > maxConditions {
		return Errorf(EINVALID, "at most %d conditions, there are %d", maxConditions, len(f))
	}
	for _, c := range f {
		if err := c.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (c Condition) validate() error {
	if err := CheckText("column", c.Column); err != nil {
		return err
	}
	for _, v := range c.Values {
		if err := CheckText("value of "+c.Column, v); err != nil {
			return err
		}
	}
	switch n := len(c.Values); {
	case c.Op == "in" && (n == 0 || n > maxIn):
		return Errorf(EINVALID, "%s in: needs 1 to %d values, has %d", c.Column, maxIn, n)
	case c.Op != "in" && n != 1:
		return Errorf(EINVALID, "%s %s: needs one value, has %d", c.Column, c.Op, n)
	}
	return nil
}

// CheckText refuses what no cold tier takes as text; what names it in the error. Error:
// EINVALID.
func CheckText(what, s string) error {
	if len(s) > MaxText || !utf8.ValidString(s) {
		return Errorf(EINVALID, "%s: must be UTF-8 and at most %d bytes", what, MaxText)
	}
	return nil
}

// canonical returns the filter with its conditions, and the values of "in", in one order
// and without repeats. "in" with one value becomes "=".
func (f Filter) canonical() Filter {
	if len(f) == 0 {
		return nil
	}
	f = slices.Clone(f)
	for i, c := range f {
		if c.Op != "in" {
			continue
		}
		c.Values = slices.Compact(slices.Sorted(slices.Values(c.Values)))
		if len(c.Values) == 1 {
			c.Op = "="
		}
		f[i] = c
	}
	slices.SortFunc(f, compareConditions)
	return slices.CompactFunc(f, func(a, b Condition) bool { return compareConditions(a, b) == 0 })
}

func compareConditions(a, b Condition) int {
	return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Op, b.Op), slices.Compare(a.Values, b.Values))
}

// conditionJSON is the form of a condition in a question.
type conditionJSON struct {
	Column string   `json:"column"`
	Op     string   `json:"op"`
	Value  *scalar  `json:"value,omitempty"`
	Values []scalar `json:"values,omitempty"`
}

// scalar is a string, a number or a boolean, as text.
type scalar string

// UnmarshalJSON reads numbers and booleans as they are written. Error: EINVALID.
func (s *scalar) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(s))
	case '{', '[':
		return Errorf(EINVALID, "a value must be a string, a number or a boolean")
	}
	*s = scalar(b)
	return nil
}

// MarshalJSON writes the conditions as a question has them.
func (f Filter) MarshalJSON() ([]byte, error) {
	out := make([]conditionJSON, len(f))
	for i, c := range f {
		out[i] = conditionJSON{Column: c.Column, Op: c.Op}
		for _, v := range c.Values {
			out[i].Values = append(out[i].Values, scalar(v))
		}
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the conditions of a question. Error: EINVALID.
func (f *Filter) UnmarshalJSON(b []byte) error {
	var in []conditionJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return Wrap(err, EINVALID, "filter: must be a list of conditions, each with column, op and value or values")
	}
	*f = nil
	for i, c := range in {
		out, err := c.condition()
		if err != nil {
			return Errorf(EINVALID, "filter[%d]: %s", i, ErrorMessage(err)) // not wrapped: JSON decoders show Error()
		}
		*f = append(*f, out)
	}
	return nil
}

func (c conditionJSON) condition() (Condition, error) {
	out := Condition{Column: c.Column, Op: c.Op}
	switch {
	case c.Value != nil && c.Values == nil:
		out.Values = []string{string(*c.Value)}
	case c.Value == nil && len(c.Values) > 0:
		for _, v := range c.Values {
			out.Values = append(out.Values, string(v))
		}
	default:
		return out, Errorf(EINVALID, "give either value or values")
	}
	switch c.Op {
	case "in":
	case "=", "!=", "contains", ">", "<":
		if len(out.Values) != 1 {
			return out, Errorf(EINVALID, "%s takes one value", c.Op)
		}
	default:
		return out, Errorf(EINVALID, "unknown op %q: use =, !=, in, contains, > or <", fmt.Sprintf("%.40s", c.Op))
	}
	return out, nil
}
