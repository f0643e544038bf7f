package insight

import (
	"math"
	"slices"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// filter is a filter whose columns and operators were found to be allowed.
type filter struct {
	events  fragment    // the conditions on columns of events
	traits  []traitTest // those on traits of the events' persons
	actions []anyOf     // those on actions
	sources []string    // the visitSources that events needs
	tallied bool        // all are on columns that the table tallies has
	empty   bool        // there are no conditions
}

// checkFilter checks a filter over events of a project. actions are those that it may name, by
// id. Error: EINVALID.
func checkFilter(d cold.Dialect, p *weir.Project, conditions weir.Filter, actions map[string]weir.ActionSpec) (filter, error) {
	f := filter{tallied: true, empty: len(conditions) == 0}
	if err := conditions.Validate(); err != nil {
		return f, err
	}
	var parts []fragment
	for _, c := range conditions {
		if c.Column == weir.ActionColumn {
			a, err := checkActions(d, p, c, actions)
			if err != nil {
				return f, err
			}
			f = f.and(a.filter())
			continue
		}
		f.tallied = f.tallied && cold.IsTallied(c.Column)
		if name, ok := traitOf(c.Column); ok {
			t, err := checkTrait(d, name, c)
			if err != nil {
				return f, err
			}
			f.traits = append(f.traits, t)
			continue
		}
		col, err := columnOf(d, p, c.Column)
		if err != nil {
			return f, err
		}
		part, err := condition(d, col, c)
		if err != nil {
			return f, err
		}
		if col.source != "" {
			f.sources = append(f.sources, col.source)
		}
		parts = append(parts, part)
	}
	f.events = all(append(parts, f.events)...)
	return f, nil
}

// needsIdentities says whether the filter is about persons.
func (f filter) needsIdentities() bool {
	return len(f.traits) > 0 || slices.ContainsFunc(f.actions, func(a anyOf) bool { return slices.ContainsFunc(a.filters, filter.needsIdentities) })
}

// and returns the filter that both are.
func (f filter) and(g filter) filter {
	return filter{
		events: all(f.events, g.events), traits: slices.Concat(f.traits, g.traits), actions: slices.Concat(f.actions, g.actions),
		sources: slices.Concat(f.sources, g.sources), tallied: f.tallied && g.tallied, empty: f.empty && g.empty,
	}
}

// passes is the condition for the events that pass a filter, empty if all do.
func (r *reader) passes(f filter) fragment {
	parts := []fragment{f.events}
	for _, t := range f.traits {
		parts = append(parts, r.traitCondition(t))
	}
	for _, a := range f.actions {
		parts = append(parts, r.isAction(a))
	}
	return all(parts...)
}

// condition is the SQL of one test of a column. An event without a value fails every test
// but "!=". An error is looked for by its message or by its shape, so that a group of a
// breakdown can be a filter. Error: EINVALID.
func condition(d cold.Dialect, col column, c weir.Condition) (fragment, error) {
	if col.shape.sql != "" {
		message, err := textCondition(d, col, c)
		if err != nil {
			return fragment{}, err
		}
		col.expr = col.shape
		shape, err := textCondition(d, col, c)
		if c.Op == "!=" {
			return sql("(@ AND @)", message, shape), err
		}
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

func badOp(c weir.Condition, allowed ...string) error {
	return weir.Errorf(weir.EINVALID, "column %q has no operator %q: use %s", c.Column, c.Op, quote(allowed...))
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
	v := value(c.Values[0])
	switch c.Op {
	case "=":
		return sql("(@ = @)", x, v), nil
	case "!=":
		// A property without a value equals nothing, so it is unequal to all.
		return sql("(COALESCE(@ = @, FALSE) = FALSE)", x, v), nil
	case "in":
		vs := make([]fragment, len(c.Values))
		for i := range vs {
			vs[i] = value(c.Values[i])
		}
		return sql("(@)", isOneOf(x, vs)), nil
	case "contains":
		return fragment{sql: d.Contains(x.sql, "?"), args: append(slices.Clip(x.args), c.Values[0])}, nil
	}
	if col.kind != property {
		return fragment{}, badOp(c, "=", "!=", "in", "contains")
	}
	if c.Op != ">" && c.Op != "<" {
		return fragment{}, badOp(c, "=", "!=", "in", "contains", ">", "<")
	}
	f, err := number(c, c.Values[0], real)
	if err != nil {
		return fragment{}, err
	}
	return sql("(@ "+c.Op+" @)", call(d.Number, col.expr), f), nil
}

func numberCondition(col column, c weir.Condition) (fragment, error) {
	vs := make([]fragment, len(c.Values))
	for i, v := range c.Values {
		f, err := number(c, v, col.kind)
		if err != nil {
			return fragment{}, err
		}
		vs[i] = f
	}
	switch c.Op {
	case "=", ">", "<":
		return sql("(@ "+c.Op+" @)", col.expr, vs[0]), nil
	case "!=":
		return sql("(@ IS NULL OR @ <> @)", col.expr, col.expr, vs[0]), nil
	case "in":
		return sql("(@)", isOneOf(col.expr, vs)), nil
	}
	return fragment{}, badOp(c, "=", "!=", "in", ">", "<")
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
	if c.Op != "=" && c.Op != "!=" {
		return fragment{}, badOp(c, "=", "!=")
	}
	v := c.Values[0]
	if v != "true" && v != "false" {
		return fragment{}, weir.Errorf(weir.EINVALID, "%s %s: %q is not true or false", c.Column, c.Op, v)
	}
	if (v == "true") == (c.Op == "=") {
		return sql("(@ = TRUE)", col.expr), nil
	}
	return sql("(@ = FALSE)", col.expr), nil
}
