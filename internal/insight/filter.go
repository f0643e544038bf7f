package insight

import (
	"math"
	"slices"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Limits of a query.
const (
	maxConditions = 20
	maxIn         = 100
	maxValue      = 8 << 10 // bytes
)

// condition is the SQL of one test, over the columns of events. A row without a
// value fails every test but "!=". Error: EINVALID.
func condition(d cold.Dialect, c weir.Condition, instead map[string]string) (fragment, error) {
	col, err := columnOf(d, c.Column)
	if err != nil {
		return fragment{}, err
	}
	if other, ok := instead[c.Column]; ok {
		col.expr = raw(other)
	}
	if err := checkValues(c); err != nil {
		return fragment{}, err
	}
	switch col.kind {
	case boolean:
		return boolCondition(col, c)
	case integer, real:
		return numberCondition(col, c)
	}
	return textCondition(d, col, c)
}

func checkValues(c weir.Condition) error {
	for _, v := range c.Values {
		if err := isText("value of "+c.Column, v); err != nil {
			return err
		}
	}
	if c.Op == "in" {
		if len(c.Values) == 0 || len(c.Values) > maxIn {
			return weir.Errorf(weir.EINVALID, "%s in: needs 1 to %d values, has %d", c.Column, maxIn, len(c.Values))
		}
		return nil
	}
	if len(c.Values) != 1 {
		return weir.Errorf(weir.EINVALID, "%s %s: needs one value, has %d", c.Column, c.Op, len(c.Values))
	}
	return nil
}

func badOp(c weir.Condition, allowed ...string) error {
	return weir.Errorf(weir.EINVALID, "column %q has no operator %q: use %s", c.Column, c.Op, quote(allowed...))
}

func textCondition(d cold.Dialect, col column, c weir.Condition) (fragment, error) {
	x := col.expr
	if col.kind == text {
		x = sql("COALESCE(@, '')", x)
	}
	v := bind(c.Values[0])
	switch c.Op {
	case "=":
		return sql("(@ = @)", x, v), nil
	case "!=":
		// A property without a value equals nothing, so it is unequal to all.
		return sql("(COALESCE(@ = @, FALSE) = FALSE)", x, v), nil
	case "in":
		vs := make([]fragment, len(c.Values))
		for i := range vs {
			vs[i] = bind(c.Values[i])
		}
		return sql("(@ IN (@))", x, list(vs, ", ")), nil
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
	return sql("(@ "+c.Op+" @)", call(d.Number, x), f), nil
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
		return sql("(@ IN (@))", col.expr, list(vs, ", ")), nil
	}
	return fragment{}, badOp(c, "=", "!=", "in", ">", "<")
}

// number parses a value that a numeric column is compared with.
func number(c weir.Condition, v string, k kind) (fragment, error) {
	if k == integer {
		n, err := strconv.ParseInt(v, 10, 32)
		if err != nil {
			return fragment{}, weir.Errorf(weir.EINVALID, "%s %s: %q is not a whole number", c.Column, c.Op, v)
		}
		return bind(n), nil
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

// conditions is the SQL of a whole filter, each test preceded by AND.
func conditions(d cold.Dialect, cs []weir.Condition) (fragment, error) {
	return conditionsOn(d, cs, nil)
}

// conditionsOn is conditions with other columns of events in the place of some.
func conditionsOn(d cold.Dialect, cs []weir.Condition, instead map[string]string) (fragment, error) {
	if len(cs) > maxConditions {
		return fragment{}, weir.Errorf(weir.EINVALID, "at most %d conditions, there are %d", maxConditions, len(cs))
	}
	var parts []fragment
	for _, c := range cs {
		f, err := condition(d, c, instead)
		if err != nil {
			return fragment{}, err
		}
		parts = append(parts, sql(" AND @", f))
	}
	return list(parts, ""), nil
}
