package sqlgate

import (
	"fmt"
	"slices"
)

// maxChain bounds how deep an expression is, a chain such as a AND b AND c included.
const maxChain = 250

// expr writes an expression.
func (w *writer) expr(e expr, sc *scope) value {
	before := w.scope
	w.scope = sc
	w.depth++
	defer func() { w.scope, w.depth = before, w.depth-1 }()
	if w.depth > maxChain {
		w.failf(e.pos(), "the expression has more than %d parts in each other", maxChain)
	}
	v := w.written(e, sc)
	v.at = e.pos()
	return v
}

func (w *writer) written(e expr, sc *scope) value {
	at := e.pos()
	switch e := e.(type) {
	case *literal:
		return w.literal(at, e.value)
	case *column:
		return w.column(e, sc)
	case *found:
		return w.foundColumn(e, sc)
	case *unary:
		return w.unary(e, sc)
	case *binary:
		return w.binary(e, sc)
	case *isNull:
		x := w.expr(e.x, sc)
		not := ""
		if e.not {
			not = "NOT "
		}
		return w.of(at, Bool, w.sql("(@ IS "+not+"NULL)", x.fragment), x)
	case *betweenExpr:
		vs, kind := w.same(w.expr(e.x, sc), w.expr(e.lo, sc), w.expr(e.hi, sc))
		w.ordinal(at, kind)
		return w.of(at, Bool, w.sql("(@ "+not(e.not)+"BETWEEN @ AND @)", vs[0].fragment, vs[1].fragment, vs[2].fragment), vs...)
	case *inList:
		return w.inList(e, sc)
	case *inQuery:
		return w.inQuery(e, sc)
	case *like:
		x := w.asText(w.expr(e.x, sc))
		pattern := w.expr(e.pattern, sc)
		p, ok := pattern.constant.(string)
		if !ok {
			w.failf(pattern.at, "a pattern is a text that stands here")
		}
		operator := "LIKE"
		if e.anyCase {
			operator = "ILIKE"
		}
		return w.of(at, Bool, w.sql("(@ "+not(e.not)+operator+" @)", x.fragment, fragment{"CAST(? AS VARCHAR)", []any{w.d.LikePattern(p)}}), x)
	case *exists:
		q, _ := w.query(e.query, w.within(sc), false)
		return w.of(at, Bool, w.sql("EXISTS (@)", q))
	case *subquery:
		q, columns := w.query(e.query, w.within(sc), false)
		if len(columns) != 1 {
			w.failf(at, "a query in an expression has one column, not %d", len(columns))
		}
		v := w.of(at, columns[0].kind, w.sql("(@)", q))
		v.growth = columns[0].growth
		return v
	case *caseExpr:
		return w.caseExpr(e, sc)
	case *cast:
		return w.cast(w.expr(e.x, sc), e.to, e.day)
	case *intervalExpr:
		return value{fragment: raw(fmt.Sprintf("INTERVAL (%d) %s", e.n, upper(e.unit))), kind: interval, growth: 1}
	}
	return w.call(e.(*call), sc)
}

func not(is bool) string {
	if is {
		return "NOT "
	}
	return ""
}

func (w *writer) within(sc *scope) *environment { return &environment{with: sc.env.with, outer: sc} }

// ordinal refuses what has no order.
func (w *writer) ordinal(at int, kind Kind) {
	if kind == JSON || kind == interval {
		w.failf(at, "a %s cannot be compared", kind)
	}
}

// findIn looks a column up among tables. It is nil if there is none.
func (w *writer) findIn(c *column, tables []*entry) *found {
	var out *found
	for _, t := range tables {
		parts, rest := c.parts, c.raw
		if len(parts) > 1 && parts[0] == t.name {
			parts, rest = parts[1:], rest[1:]
		}
		i := slices.IndexFunc(t.columns, func(own entryColumn) bool { return own.name == parts[0] && (!own.hidden || len(parts) < len(c.parts)) })
		if i < 0 || len(parts) > 1 && t.columns[i].kind != JSON {
			continue
		}
		if out != nil {
			w.failf(c.pos(), "several tables have a column %q: put the table's name before it", c.parts[0])
		}
		out = &found{place: c.place, table: t, i: i, members: rest[1:]}
	}
	return out
}

// find looks a column up in the tables of a scope, then in those around it.
func (w *writer) find(c *column, sc *scope) *found {
	outer := false
	for ; sc != nil; sc = sc.env.outer {
		if f := w.findIn(c, sc.tables); f != nil {
			if outer { // an engine with shards cannot do it
				w.failf(c.pos(), "a query in an expression does not see the columns of the query around it: column %q is there; use JOIN", c.parts[len(c.parts)-1])
			}
			return f
		}
		outer = true
	}
	return nil
}

func (w *writer) column(c *column, sc *scope) value {
	if f := w.find(c, sc); f != nil {
		return w.foundColumn(f, sc)
	}
	if e := sc.aliases[c.parts[0]]; e != nil && len(c.parts) == 1 {
		inner := *sc
		inner.aliases = nil // an alias does not see others, nor itself
		return w.expr(e, &inner)
	}
	var allowed []string
	for _, t := range sc.tables {
		for _, own := range t.columns {
			if !slices.Contains(allowed, own.name) {
				allowed = append(allowed, own.name)
			}
		}
	}
	name := c.raw[len(c.raw)-1]
	if len(c.raw) > 1 {
		name = c.raw[0] + "." + name
	}
	panic(&fault{c.pos(), fmt.Sprintf("there is no column %q here", name), allowed})
}

func (w *writer) foundColumn(f *found, sc *scope) value {
	c := f.table.columns[f.i]
	if f.table.used != nil {
		f.table.used[c.name] = true
	}
	v := value{fragment: raw(f.table.id + "." + c.sql), at: f.pos(), kind: c.kind, growth: c.growth}
	if sc.grouped && !sc.inAgg {
		v.bare = c.name
	}
	v = w.grouped(v)
	if len(f.members) > 0 {
		return w.member(v, f.members)
	}
	return v
}

// member reads a member of a JSON column, as text.
func (w *writer) member(v value, names []string) value {
	if v.kind != JSON || len(v.args) > 0 {
		w.failf(v.at, "->> takes a column with JSON, such as properties")
	}
	switch len(names) {
	case 1:
		q, arg := w.d.PropertyText(v.sql, names[0])
		return w.of(v.at, Text, fragment{q, []any{arg}}, v)
	case 2:
		q, args := w.d.MemberText(v.sql, names[0], names[1])
		return w.of(v.at, Text, fragment{q, args}, v)
	}
	w.failf(v.at, "members of members are read two deep, as properties.a.b")
	return v
}

func (w *writer) unary(e *unary, sc *scope) value {
	x := w.expr(e.x, sc)
	if e.operator == "NOT" {
		w.isBool(x)
		return w.of(e.pos(), Bool, w.sql("(NOT @)", x.fragment), x)
	}
	x = w.number(x)
	return w.of(e.pos(), Float, w.sql("(- @)", x.fragment), x)
}

func (w *writer) binary(e *binary, sc *scope) value {
	x, y := w.expr(e.x, sc), w.expr(e.y, sc)
	at := e.pos()
	switch e.operator {
	case "AND", "OR":
		w.isBool(x)
		w.isBool(y)
		return w.of(at, Bool, w.sql("(@ "+e.operator+" @)", x.fragment, y.fragment), x, y)
	case "||":
		return w.concat(at, x, y)
	case "+", "-":
		if x.kind == Time && y.kind == interval {
			return w.of(at, Time, w.sql("(@ "+e.operator+" @)", x.fragment, y.fragment), x, y)
		}
		if x.kind == interval && y.kind == Time && e.operator == "+" {
			return w.of(at, Time, w.sql("(@ + @)", y.fragment, x.fragment), x, y)
		}
		if x.kind == Time && y.kind == Time {
			w.failf(at, "times are subtracted by date_diff('second', from, to)")
		}
		fallthrough
	case "*":
		x, y = w.number(x), w.number(y)
		return w.of(at, Float, w.sql("(@ "+e.operator+" @)", x.fragment, y.fragment), x, y)
	case "/", "%":
		x, y = w.number(x), w.number(y)
		return w.of(at, Float, w.sql("(@ "+e.operator+" NULLIF(@, 0))", x.fragment, y.fragment), x, y)
	}
	vs, kind := w.same(x, y)
	w.ordinal(at, kind)
	return w.of(at, Bool, w.sql("(@ "+e.operator+" @)", vs[0].fragment, vs[1].fragment), vs...)
}

// concat joins texts: it is NULL if one is.
func (w *writer) concat(at int, values ...value) value {
	growth := 0
	parts := make([]fragment, len(values))
	for i, v := range values {
		v = w.asText(v)
		values[i], parts[i] = v, v.fragment
		growth += v.growth
	}
	f := parts[0]
	for _, p := range parts[1:] {
		f = w.sql("(@ || @)", f, p)
	}
	return w.grown(w.of(at, Text, f, values...), growth)
}

func (w *writer) inList(e *inList, sc *scope) value {
	values := []value{w.expr(e.x, sc)}
	for _, x := range e.list {
		values = append(values, w.expr(x, sc))
	}
	values, kind := w.same(values...)
	w.ordinal(e.pos(), kind)
	list := make([]fragment, len(values)-1)
	for i, v := range values[1:] {
		list[i] = v.fragment
	}
	return w.of(e.pos(), Bool, w.sql("(@ "+not(e.not)+"IN (@))", values[0].fragment, w.list(list)), values...)
}

func (w *writer) inQuery(e *inQuery, sc *scope) value {
	x := w.expr(e.x, sc)
	q, columns := w.query(e.query, w.within(sc), false)
	if len(columns) != 1 {
		w.failf(e.pos(), "IN takes a query with one column, not %d", len(columns))
	}
	kind := columns[0].kind
	if numeric(kind) && numeric(x.kind) && kind != x.kind {
		x = w.number(x)
		q = w.branch(q, columns, []Kind{Float})
		q.sql = q.sql[1 : len(q.sql)-1]
	} else if kind != x.kind && kind != Null && x.kind != Null {
		w.failf(e.pos(), "a %s is not among values of the type %s: cast one of them", x.kind, kind)
	}
	w.ordinal(e.pos(), kind)
	return w.of(e.pos(), Bool, w.sql("(@ "+not(e.not)+"IN (@))", x.fragment, q), x)
}

func (w *writer) caseExpr(e *caseExpr, sc *scope) value {
	var tests, results []value
	if e.x != nil {
		tests = append(tests, w.expr(e.x, sc))
	}
	for i := range e.when {
		v := w.expr(e.when[i], sc)
		if e.x == nil {
			w.isBool(v)
		}
		tests = append(tests, v)
		results = append(results, w.expr(e.then[i], sc))
	}
	if e.otherwise != nil {
		results = append(results, w.expr(e.otherwise, sc))
	}
	if e.x != nil {
		var kind Kind
		tests, kind = w.same(tests...)
		w.ordinal(e.pos(), kind)
	}
	results, kind := w.same(results...)
	f := raw("CASE")
	whens := tests
	if e.x != nil {
		f, whens = w.sql("CASE @", tests[0].fragment), tests[1:]
	}
	for i, v := range whens {
		f = w.sql("@ WHEN @ THEN @", f, v.fragment, results[i].fragment)
	}
	if e.otherwise != nil {
		f = w.sql("@ ELSE @", f, results[len(results)-1].fragment)
	}
	return w.of(e.pos(), kind, w.sql("@ END", f), append(slices.Clone(tests), results...)...)
}
