package insight

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// filter is a filter whose columns and operators were found to be allowed.
type filter struct {
	// where writes the condition; nil if all events pass. Tests of persons need the
	// identities, so it is written late.
	where      func(r *reader) fragment
	sources    []string // the visitSources that where needs
	identities bool     // it is about persons
	tallied    bool     // all tests are of columns that the table tallies has
	empty      bool     // there are no tests
}

// everything is the filter that all events pass.
var everything = filter{tallied: true, empty: true}

// onEvents is a filter that is a condition on columns that tallies does not have.
func onEvents(condition fragment) filter {
	return filter{where: func(*reader) fragment { return condition }}
}

// ofName is the filter for the events of a name.
func ofName(name string) filter {
	f := onEvents(sql("name = @", bind(name)))
	f.tallied = true
	return f
}

// checkFilter checks a filter over events of a project. actions are those that it may name, by
// id. Error: EINVALID.
func checkFilter(d cold.Dialect, p *weir.Project, conditions weir.Filter, actions map[string]weir.ActionSpec) (filter, error) {
	if err := conditions.Validate(); err != nil {
		return everything, weir.Within("filter", err)
	}
	f, err := checkAll(d, p, conditions, actions)
	return f, weir.Within("filter", err)
}

// checkAll checks conditions that must all hold.
func checkAll(d cold.Dialect, p *weir.Project, conditions weir.Filter, actions map[string]weir.ActionSpec) (filter, error) {
	f := everything
	for i, c := range conditions {
		one, err := checkCondition(d, p, c, actions)
		if err != nil {
			return f, weir.Within(fmt.Sprintf("[%d]", i), err)
		}
		f = f.and(one)
	}
	return f, nil
}

// checkCondition checks a test, or a group of them.
func checkCondition(d cold.Dialect, p *weir.Project, c weir.Condition, actions map[string]weir.ActionSpec) (filter, error) {
	switch {
	case c.All != nil:
		f, err := checkAll(d, p, c.All, actions)
		return f, weir.Within("all", err)
	case c.Not != nil:
		f, err := checkAll(d, p, c.Not, actions)
		return f.not(), weir.Within("not", err)
	case c.Any != nil:
		alternatives := make([]filter, len(c.Any))
		for i, one := range c.Any {
			var err error
			if alternatives[i], err = checkCondition(d, p, one, actions); err != nil {
				return everything, weir.Within(fmt.Sprintf("any[%d]", i), err)
			}
		}
		return anyOf(alternatives), nil
	}
	positive, negated := c.Positive()
	f, err := checkTest(d, p, positive, actions)
	if err != nil {
		return f, err
	}
	if negated {
		f = f.not()
	}
	return f, nil
}

// checkTest checks a test without a negation.
func checkTest(d cold.Dialect, p *weir.Project, c weir.Condition, actions map[string]weir.ActionSpec) (filter, error) {
	if c.Column == weir.ActionColumn {
		return checkActions(d, p, c, actions)
	}
	if name, ok := traitOf(c.Column); ok {
		return checkTrait(d, name, c)
	}
	col, err := columnOf(d, p, c.Column)
	if err != nil {
		return everything, weir.Within("column", err)
	}
	test, err := condition(d, col, c)
	if err != nil {
		return everything, err
	}
	f := onEvents(test)
	if f.tallied = cold.IsTallied(c.Column); col.source != "" {
		f.sources = []string{col.source}
	}
	return f, nil
}

// and returns the filter for what passes both.
func (f filter) and(g filter) filter {
	out := filter{
		where: f.where, sources: slices.Concat(f.sources, g.sources), identities: f.identities || g.identities,
		tallied: f.tallied && g.tallied, empty: f.empty && g.empty,
	}
	switch {
	case f.where == nil:
		out.where = g.where
	case g.where != nil:
		out.where = func(r *reader) fragment { return all(f.where(r), g.where(r)) }
	}
	return out
}

// anyOf returns the filter for what passes one of several.
func anyOf(filters []filter) filter {
	out := filter{tallied: true}
	for _, f := range filters {
		out.sources, out.identities, out.tallied = append(out.sources, f.sources...), out.identities || f.identities, out.tallied && f.tallied
	}
	out.where = func(r *reader) fragment {
		parts := make([]fragment, len(filters))
		for i, f := range filters {
			parts[i] = sql("(@)", r.passesOrTrue(f))
		}
		return sql("(@)", list(parts, " OR "))
	}
	return out
}

// not returns the filter for what does not pass. An event without a value fails each test
// without a negation, so it passes here: in SQL the test may be NULL.
func (f filter) not() filter {
	where := func(r *reader) fragment { return sql("(COALESCE(@, FALSE) = FALSE)", sql("(@)", r.passesOrTrue(f))) }
	return filter{where: where, sources: f.sources, identities: f.identities, tallied: f.tallied}
}

// passes is the condition for the events that pass a filter, empty if all do.
func (r *reader) passes(f filter) fragment {
	if f.where == nil {
		return fragment{}
	}
	return f.where(r)
}

// passesOrTrue is the same where there must be a condition.
func (r *reader) passesOrTrue(f filter) fragment {
	if f.where == nil {
		return raw("TRUE")
	}
	return f.where(r)
}

// checkSelector checks which events are meant. Error: EINVALID.
func checkSelector(d cold.Dialect, p *weir.Project, s weir.Selector, actions map[string]weir.ActionSpec) (filter, error) {
	f, err := checkFilter(d, p, s.Filter, actions)
	if err != nil {
		return f, err
	}
	if s.Action != "" {
		a, err := actionNamed(d, p, s.Action, actions)
		if err != nil {
			return f, weir.Within("action", err)
		}
		f = a.and(f)
	}
	if s.Event != "" {
		f = ofName(s.Event).and(f)
	}
	return f, nil
}

// condition is the SQL of one test of a column, whose operator is no negation. An event
// without a value fails every test. An error is looked for by its message or by its shape, so
// that a group of a breakdown can be a filter. Error: EINVALID.
func condition(d cold.Dialect, col column, c weir.Condition) (fragment, error) {
	if col.shape.sql != "" {
		message, err := textCondition(d, col, c)
		if err != nil {
			return fragment{}, err
		}
		col.expr = col.shape
		shape, err := textCondition(d, col, c)
		return sql("(@ OR @)", message, shape), err
	}
	switch col.kind {
	case boolean:
		return boolCondition(col, c)
	case integer, real:
		return numberCondition(col, c)
	}
	return textCondition(d, col, c)
}

// The operators of columns, without those that negate them.
var (
	textOps     = []string{"=", "in", "contains", "starts with", "matches", "is set"}
	propertyOps = append(slices.Clone(textOps), ">", ">=", "<", "<=")
	numberOps   = []string{"=", "in", ">", ">=", "<", "<=", "is set"}
	boolOps     = []string{"=", "is set"}
)

// badOp is the error of a condition whose column has no such operator. It names the
// negations of the allowed ones too.
func badOp(c weir.Condition, allowed []string) error {
	var words []string
	for _, op := range weir.Operators() {
		if positive, _ := (weir.Condition{Op: op}).Positive(); slices.Contains(allowed, positive.Op) {
			words = append(words, op)
		}
	}
	return weir.Within("op", weir.Errorf(weir.EINVALID, "column %q has no operator %q: use %s", c.Column, c.Op, quote(words...)).Allowed(words...))
}

func textCondition(d cold.Dialect, col column, c weir.Condition) (fragment, error) {
	x := col.expr
	if col.kind == text {
		x = sql("COALESCE(@, '')", x)
	}
	value := bind
	// Only a number has several spellings. "contains" is about a part of the one spelling.
	if col.kind == property && (c.Op == "contains" || slices.ContainsFunc(c.Values, maybeNumber)) {
		x = spelled(d, x)
		value = func(v any) fragment { return spelled(d, sql("CAST(@ AS VARCHAR)", bind(v))) }
	}
	// with is a function of the dialect of the column and the value.
	with := func(fn func(text, part string) string) fragment {
		return fragment{sql: fn(x.sql, "?"), args: append(slices.Clip(x.args), c.Values[0])}
	}
	switch c.Op {
	case "=":
		return sql("(@ = @)", x, value(c.Values[0])), nil
	case "in":
		vs := make([]fragment, len(c.Values))
		for i := range vs {
			vs[i] = value(c.Values[i])
		}
		return sql("(@)", isOneOf(x, vs)), nil
	case "contains":
		return with(d.Contains), nil
	case "starts with":
		return with(d.StartsWith), nil
	case "matches":
		c.Values = []string{weir.Pattern(c.Values[0])}
		return with(d.Matches), nil
	case "is set":
		if col.kind == property {
			return sql("(@ IS NOT NULL)", col.expr), nil
		}
		return sql("(@ <> '')", x), nil
	case ">", ">=", "<", "<=":
		if col.kind == property {
			f, err := number(c, c.Values[0], real)
			if err != nil {
				return fragment{}, err
			}
			return sql("(@ "+c.Op+" @)", call(d.Number, col.expr), f), nil
		}
	}
	if col.kind == property {
		return fragment{}, badOp(c, propertyOps)
	}
	return fragment{}, badOp(c, textOps)
}

func numberCondition(col column, c weir.Condition) (fragment, error) {
	if !slices.Contains(numberOps, c.Op) {
		return fragment{}, badOp(c, numberOps)
	}
	if c.Op == "is set" {
		return sql("(@ IS NOT NULL)", col.expr), nil
	}
	vs := make([]fragment, len(c.Values))
	for i, v := range c.Values {
		f, err := number(c, v, col.kind)
		if err != nil {
			return fragment{}, err
		}
		vs[i] = f
	}
	if c.Op == "in" {
		return sql("(@)", isOneOf(col.expr, vs)), nil
	}
	return sql("(@ "+c.Op+" @)", col.expr, vs[0]), nil
}

// number reads a value that a numeric column is compared with.
func number(c weir.Condition, v string, k valueKind) (fragment, error) {
	if k == integer {
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || n != math.Trunc(n) || math.Abs(n) > weir.MaxBytes {
			return fragment{}, weir.Errorf(weir.EINVALID, "%s %s: %q is not a whole number", c.Column, c.Op, v)
		}
		return bind(int64(n)), nil
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return fragment{}, weir.Errorf(weir.EINVALID, "%s %s: %q is not a number", c.Column, c.Op, v)
	}
	return bind(f), nil
}

func boolCondition(col column, c weir.Condition) (fragment, error) {
	switch c.Op {
	case "is set":
		return raw("TRUE"), nil
	case "=":
		switch c.Values[0] {
		case "true":
			return sql("(@ = TRUE)", col.expr), nil
		case "false":
			return sql("(@ = FALSE)", col.expr), nil
		}
		return fragment{}, weir.Errorf(weir.EINVALID, "%s %s: %q is not true or false", c.Column, c.Op, c.Values[0])
	}
	return fragment{}, badOp(c, boolOps)
}
