package weir

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Limits of a filter.
const (
	maxConditions = 20 // of columns, in the whole tree
	maxDepth      = 5  // of groups in groups
	maxIn         = 100
	// MaxText is the most bytes of a name or a value in a question.
	MaxText = 8 << 10
)

// Filter is a list of conditions that must all hold. In JSON it is that list, or one
// condition in its place. A condition on a column has "value", or "values" with the
// operators "in" and "not in"; a value is a string, a number or a boolean. A group of
// conditions is {"all": […]}, {"any": […]} or {"not": …}.
type Filter []Condition

// Condition is one test of a filter: of a column, or a group of conditions. Of the fields
// All, Any and Not at most one is set, and then the others are empty.
type Condition struct {
	Column string
	Op     string
	Values []string // none with "is set" and "is not set", one or more with "in" and "not in", else one

	All Filter // all of them hold
	Any Filter // one of them holds
	Not Filter // not all of them hold

	Wrong error // what is wrong with its JSON: Validate returns it
}

// operator is how a condition tests a column.
type operator struct {
	name     string
	opposite string // of which it is the negation; "" for one that is no negation
	least    int    // number of values
	most     int
}

var operators = []operator{
	{name: "=", least: 1, most: 1},
	{name: "!=", opposite: "=", least: 1, most: 1},
	{name: "in", least: 1, most: maxIn},
	{name: "not in", opposite: "in", least: 1, most: maxIn},
	{name: "contains", least: 1, most: 1},
	{name: "not contains", opposite: "contains", least: 1, most: 1},
	{name: "starts with", least: 1, most: 1},
	{name: "matches", least: 1, most: 1},
	{name: "not matches", opposite: "matches", least: 1, most: 1},
	{name: ">", least: 1, most: 1},
	{name: ">=", least: 1, most: 1},
	{name: "<", least: 1, most: 1},
	{name: "<=", least: 1, most: 1},
	{name: "is set"},
	{name: "is not set", opposite: "is set"},
}

// Operators returns the names of all operators.
func Operators() []string {
	names := make([]string, len(operators))
	for i, o := range operators {
		names[i] = o.name
	}
	return names
}

func operatorNamed(name string) (operator, bool) {
	i := slices.IndexFunc(operators, func(o operator) bool { return o.name == name })
	if i < 0 {
		return operator{}, false
	}
	return operators[i], true
}

// Positive returns the condition without its negation: negated says that it is true
// exactly where the returned one is not. So "!=" is the negation of "=".
func (c Condition) Positive() (positive Condition, negated bool) {
	if o, ok := operatorNamed(c.Op); ok && o.opposite != "" {
		c.Op = o.opposite
		return c, true
	}
	return c, false
}

// IsGroup says whether the condition is a group of conditions, and not a test of a column.
func (c Condition) IsGroup() bool { return c.All != nil || c.Any != nil || c.Not != nil }

// Group returns the conditions of a group.
func (c Condition) Group() Filter { return slices.Concat(c.All, c.Any, c.Not) }

// Tests returns the tests of columns in the whole filter, those in groups too.
func (f Filter) Tests() []Condition {
	var tests []Condition
	for _, c := range f {
		if c.IsGroup() {
			tests = append(tests, c.Group().Tests()...)
		} else {
			tests = append(tests, c)
		}
	}
	return tests
}

// Validate checks how many conditions there are, and how many values each has. Error:
// EINVALID.
func (f Filter) Validate() error {
	if n := len(f.Tests()); n > maxConditions {
		return Errorf(EINVALID, "at most %d conditions, there are %d", maxConditions, n)
	}
	return f.validate(1)
}

func (f Filter) validate(depth int) error {
	for i, c := range f {
		var err error
		switch {
		case c.Wrong != nil:
			err = c.Wrong
		case !c.IsGroup():
			err = c.validate()
		case depth > maxDepth:
			err = Errorf(EINVALID, "at most %d groups in each other", maxDepth)
		case len(c.Group()) == 0:
			err = Errorf(EINVALID, "a group needs a condition")
		default:
			for _, g := range c.groups() {
				err = cmp.Or(err, Within(g.name, g.of.validate(depth+1)))
			}
		}
		if err != nil {
			return Within(place(i), err)
		}
	}
	return nil
}

type namedGroup struct {
	name string
	of   Filter
}

// groups returns the group that the condition is, with its name in JSON.
func (c Condition) groups() []namedGroup {
	named := []namedGroup{{"all", c.All}, {"any", c.Any}, {"not", c.Not}}
	return slices.DeleteFunc(named, func(g namedGroup) bool { return g.of == nil })
}

func (c Condition) validate() error {
	if err := CheckText("column", c.Column); err != nil {
		return err
	}
	o, ok := operatorNamed(c.Op)
	if !ok {
		return Within("op", Errorf(EINVALID, "unknown op %.40q: use %q", c.Op, Operators()).Allowed(Operators()...))
	}
	for _, v := range c.Values {
		if err := CheckText("value of "+c.Column, v); err != nil {
			return err
		}
	}
	switch n := len(c.Values); {
	case n >= o.least && n <= o.most:
	case o.most == 0:
		return Errorf(EINVALID, "%s %s: takes no value, has %d", c.Column, c.Op, n)
	case o.most == 1:
		return Errorf(EINVALID, "%s %s: needs one value, has %d", c.Column, c.Op, n)
	default:
		return Errorf(EINVALID, "%s %s: needs %d to %d values, has %d", c.Column, c.Op, o.least, o.most, n)
	}
	if c.Op == "matches" || c.Op == "not matches" {
		return Within("value", checkPattern(c.Values[0]))
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
// and without repeats. "in" with one value becomes "=". A group of all that stands in a
// list of all becomes a part of the list.
func (f Filter) canonical() Filter {
	var out Filter
	for _, c := range f {
		if c.All != nil {
			out = append(out, c.All.canonical()...)
			continue
		}
		c.Any, c.Not = c.Any.canonical(), c.Not.canonical()
		if c.Op == "in" || c.Op == "not in" {
			c.Values = slices.Compact(slices.Sorted(slices.Values(c.Values)))
			if len(c.Values) == 1 {
				c.Op = map[string]string{"in": "=", "not in": "!="}[c.Op]
			}
		}
		out = append(out, c)
	}
	slices.SortFunc(out, compareConditions)
	return slices.CompactFunc(out, func(a, b Condition) bool { return compareConditions(a, b) == 0 })
}

// Equal says whether two filters are written alike.
func (f Filter) Equal(g Filter) bool { return slices.CompareFunc(f, g, compareConditions) == 0 }

func compareConditions(a, b Condition) int {
	return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Op, b.Op), slices.Compare(a.Values, b.Values),
		slices.CompareFunc(a.All, b.All, compareConditions), slices.CompareFunc(a.Any, b.Any, compareConditions), slices.CompareFunc(a.Not, b.Not, compareConditions))
}
