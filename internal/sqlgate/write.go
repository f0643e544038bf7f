package sqlgate

import (
	"fmt"
	"strconv"
	"strings"
)

// writer writes the SQL to run. It fails by panic with a *fault, which statement recovers.
type writer struct {
	catalog   Catalog
	d         Dialect
	names     int // names given so far
	growth    int
	depth     int
	functions map[string]*Function
	scope     *scope // of the expression that is being written
}

func (w *writer) failf(at int, format string, args ...any) { panic(faultf(at, format, args...)) }

// name returns a name that nothing else has.
func (w *writer) name(letter string) string {
	w.names++
	return letter + strconv.Itoa(w.names)
}

// output is a column of a query. Its name in the SQL is cN, N from 1.
type output struct {
	name   string
	kind   Kind
	growth int
}

// with is a name that WITH gave, and those that were given before.
type with struct {
	name, id string
	columns  []output
	before   *with
}

func (w *writer) statement(q *query, limit int) (st *Statement, err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case *fault:
			err = f
		default:
			panic(f)
		}
	}()
	n := int64(limit)
	if q.limit == nil || *q.limit > n {
		q.limit = &n
	}
	f, columns := w.query(q, nil, true)
	st = &Statement{SQL: f.sql, Args: f.args, Limit: int(*q.limit)}
	for _, c := range columns {
		if c.kind == Null {
			c.kind = Text
		}
		st.Columns = append(st.Columns, Column{Name: c.name, Kind: c.kind})
	}
	return st, nil
}

// query writes a query. The columns of the topmost one have a type that is known.
func (w *writer) query(q *query, env *environment, top bool) (fragment, []output) {
	if env == nil {
		env = &environment{}
	}
	inner := *env
	var named []fragment
	for _, c := range q.with {
		f, columns := w.query(c.query, &environment{with: inner.with}, false)
		columns = w.renamed(c.at, columns, c.columns)
		id := w.name("w")
		named = append(named, w.sql(id+" AS (@)", f))
		inner.with = &with{c.name, id, columns, inner.with}
	}
	var f fragment
	var columns []output
	if s, ok := q.body.(*selection); ok {
		f, columns = w.selection(s, q.order, &inner, top)
	} else {
		f, columns = w.ordered(q, &inner, top)
	}
	if q.limit != nil {
		f.sql += fmt.Sprintf(" LIMIT %d", *q.limit)
	}
	if q.offset > 0 {
		if q.limit == nil {
			w.failf(q.at, "OFFSET is allowed with LIMIT alone")
		}
		f.sql += fmt.Sprintf(" OFFSET %d", q.offset)
	}
	if len(named) > 0 {
		f = w.sql("WITH @ @", w.list(named), f)
	}
	return f, columns
}

// environment is what a query may name besides the tables of its own FROM.
type environment struct {
	with  *with
	outer *scope // of the query that this one is in: nil where it stands in FROM
}

func (w *writer) renamed(at int, columns []output, names []string) []output {
	if names == nil {
		return columns
	}
	if len(names) != len(columns) {
		w.failf(at, "%d columns have %d names", len(columns), len(names))
	}
	for i, n := range names {
		columns[i].name = n
	}
	w.distinctNames(at, columns)
	return columns
}

func (w *writer) distinctNames(at int, columns []output) {
	seen := map[string]bool{}
	for _, c := range columns {
		if seen[c.name] {
			w.failf(at, "two columns have the name %q", c.name)
		}
		seen[c.name] = true
	}
}

// ordered writes a set operation or a query in parentheses, with the order that is asked for.
func (w *writer) ordered(q *query, env *environment, top bool) (fragment, []output) {
	f, columns := w.body(q.body, env)
	id := w.name("t")
	items := make([]fragment, len(columns))
	for i, c := range columns {
		v := value{fragment: raw(fmt.Sprintf("%s.c%d", id, i+1)), kind: c.kind}
		if top {
			v = w.final(v)
		}
		items[i] = w.sql(fmt.Sprintf("@ AS c%d", i+1), v.fragment)
	}
	f = w.sql("SELECT @ FROM (@) AS "+id, w.list(items), f)
	var order []fragment
	for _, o := range q.order {
		i := w.position(o.expr, columns)
		if i == 0 {
			w.failf(o.expr.pos(), "ORDER BY takes names and numbers of columns here")
		}
		order = append(order, raw(strconv.Itoa(i)+o.direction()))
	}
	if len(order) > 0 {
		f = w.sql("@ ORDER BY @", f, w.list(order))
	}
	return f, columns
}

func (o orderItem) direction() string {
	s := ""
	if o.desc {
		s = " DESC"
	}
	if o.nulls != "" {
		s += " NULLS " + o.nulls
	}
	return s
}

// position returns which column an element of ORDER BY or GROUP BY names, by its number or its name: 0 is none.
func (w *writer) position(e expr, columns []output) int {
	switch e := e.(type) {
	case *literal:
		n, ok := e.value.(int64)
		if !ok || n < 1 || n > int64(len(columns)) {
			w.failf(e.pos(), "there is no such column: they are counted from 1 to %d", len(columns))
		}
		return int(n)
	case *column:
		if len(e.parts) == 1 {
			for i, c := range columns {
				if strings.EqualFold(c.name, e.parts[0]) {
					return i + 1
				}
			}
		}
	}
	return 0
}

func (w *writer) body(b body, env *environment) (fragment, []output) {
	switch b := b.(type) {
	case *selection:
		return w.selection(b, nil, env, false)
	case *query:
		return w.query(b, &environment{with: env.with, outer: env.outer}, false)
	}
	o := b.(*setOperation)
	left, columns := w.body(o.left, env)
	right, others := w.body(o.right, env)
	if len(columns) != len(others) {
		w.failf(o.at, "%s takes queries with the same number of columns: these have %d and %d", o.operator, len(columns), len(others))
	}
	kinds := make([]Kind, len(columns))
	for i := range columns {
		a, b := columns[i], others[i]
		var k Kind
		switch {
		case a.kind == JSON || b.kind == JSON:
			w.failf(o.at, "column %d is JSON, which %s cannot compare: cast it to text", i+1, o.operator)
		case a.kind == b.kind, b.kind == Null:
			k = a.kind
		case a.kind == Null:
			k = b.kind
		case numeric(a.kind) && numeric(b.kind):
			k = Float
		default:
			w.failf(o.at, "column %d is a %s and a %s: cast one of them", i+1, a.kind, b.kind)
		}
		kinds[i] = k
	}
	left, right = w.branch(left, columns, kinds), w.branch(right, others, kinds)
	for i := range columns {
		columns[i] = output{columns[i].name, kinds[i], max(columns[i].growth, others[i].growth)}
	}
	mode := " DISTINCT "
	if o.all {
		mode = " ALL "
	}
	return w.sql("@ "+o.operator+mode+"@", left, right), columns
}

// branch is a SELECT of a set operation, with columns of the kinds that all have.
func (w *writer) branch(f fragment, columns []output, kinds []Kind) fragment {
	id := w.name("t")
	items := make([]fragment, len(columns))
	for i, c := range columns {
		v := value{fragment: raw(fmt.Sprintf("%s.c%d", id, i+1)), kind: c.kind}
		if kinds[i] == Float {
			v = w.number(v)
		}
		items[i] = w.sql(fmt.Sprintf("@ AS c%d", i+1), v.fragment)
	}
	return w.sql("(SELECT @ FROM (@) AS "+id+")", w.list(items), f)
}

// final is a column of the answer, with a type that is known.
func (w *writer) final(v value) value {
	switch v.kind {
	case Int:
		v.fragment = w.template("integer", "", v.fragment)
	case Float:
		v.fragment = w.sql("CAST(@ AS DOUBLE)", v.fragment)
	case Bool:
		v.fragment = w.sql("CAST(@ AS BOOLEAN)", v.fragment)
	case Text, JSON, Null:
		v.fragment = w.sql("CAST(@ AS VARCHAR)", v.fragment)
	case interval:
		w.failf(v.at, "an interval cannot be a column: add it to a time")
	}
	return v
}
