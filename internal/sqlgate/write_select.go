package sqlgate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// scope is what the expressions of a SELECT may name.
type scope struct {
	tables  []*entry
	env     *environment
	aliases map[string]expr // of the list: in GROUP BY, HAVING and ORDER BY
	groups  map[string]bool // keys of what GROUP BY has
	grouped bool            // there are groups, or one of all rows
	inAgg   bool
	noAgg   string // a clause in which no aggregate may stand, ""
}

// entry is a table of FROM.
type entry struct {
	at      int
	name    string // what the statement calls it; "" for a query without a name
	id      string
	columns []entryColumn
	table   *Table // nil: a query
	from    fragment
	used    map[string]bool
}

type entryColumn struct {
	output
	sql    string
	hidden bool // USING joined it with another one
}

func (w *writer) selection(s *selection, order []orderItem, env *environment, top bool) (fragment, []output) {
	sc := &scope{env: env}
	var from func() fragment
	if s.from != nil {
		from = w.from(s.from, sc)
	}
	items := w.items(s, sc)
	aliases := map[string]expr{}
	for _, it := range items {
		if it.alias != "" {
			aliases[it.alias] = it.expr
		}
	}

	var where fragment
	if s.where != nil {
		where = w.condition(s.where, sc, "WHERE").fragment
	}
	sc.aliases = aliases
	group := w.groupBy(s, sc, items)
	sc.grouped = len(s.group) > 0 || w.hasAggregate(items, s.having, order)
	sc.aliases = nil
	columns := make([]output, len(items))
	values := make([]value, len(items))
	for i, it := range items {
		v := w.expr(it.expr, sc)
		w.checkBare(v)
		if v.kind == interval {
			w.failf(v.at, "an interval cannot be a column: add it to a time")
		}
		values[i], columns[i] = v, output{w.nameOf(it, i, sc), v.kind, v.growth}
		if top {
			values[i] = w.final(v)
		}
	}
	w.uniqueNames(items, columns)
	sc.aliases = aliases
	var having fragment
	if s.having != nil {
		v := w.condition(s.having, sc, "")
		w.checkBare(v)
		having = v.fragment
	}
	orders := w.orderBy(order, sc, columns)

	list := make([]fragment, len(values))
	for i, v := range values {
		list[i] = w.sql(fmt.Sprintf("@ AS c%d", i+1), v.fragment)
	}
	f := w.sql("SELECT @", w.list(list))
	if s.distinct {
		for _, c := range columns {
			if c.kind == JSON {
				w.failf(s.at, "DISTINCT cannot compare JSON: cast it to text")
			}
		}
		f = w.sql("SELECT DISTINCT @", w.list(list))
	}
	if from != nil {
		f = w.sql("@ FROM @", f, from())
	}
	if s.where != nil {
		f = w.sql("@ WHERE @", f, where)
	}
	if len(group) > 0 {
		f = w.sql("@ GROUP BY @", f, w.list(group))
	}
	if s.having != nil {
		f = w.sql("@ HAVING @", f, having)
	}
	if len(orders) > 0 {
		f = w.sql("@ ORDER BY @", f, w.list(orders))
	}
	return f, columns
}

// hasAggregate says whether a SELECT without GROUP BY makes one group of all rows.
func (w *writer) hasAggregate(items []item, having expr, order []orderItem) bool {
	if having != nil {
		return true
	}
	for _, it := range items {
		if w.aggregates(it.expr) {
			return true
		}
	}
	return slices.ContainsFunc(order, func(o orderItem) bool { return w.aggregates(o.expr) })
}

func (w *writer) checkBare(v value) {
	if v.bare != "" {
		w.failf(v.at, "column %s must be in GROUP BY, or in an aggregate such as max", v.bare)
	}
}

// grouped marks a value that GROUP BY has.
func (w *writer) grouped(v value) value {
	if sc := w.scope; v.bare != "" && sc != nil && sc.grouped && !sc.inAgg && sc.groups[v.key()] {
		v.bare = ""
	}
	return v
}

func (w *writer) groupBy(s *selection, sc *scope, items []item) []fragment {
	sc.groups = map[string]bool{}
	aliases := sc.aliases
	sc.noAgg = "GROUP BY"
	defer func() { sc.noAgg = "" }()
	names := make([]output, len(items))
	for i, it := range items {
		names[i] = output{name: it.alias}
	}
	var out []fragment
	for _, e := range s.group {
		_, number := e.(*literal)
		c, named := e.(*column)
		if number || named && w.find(c, sc) == nil {
			if i := w.position(e, names); i > 0 {
				e = items[i-1].expr
				sc.aliases = nil // an alias does not see others, nor itself
			}
		}
		v := w.expr(e, sc)
		sc.aliases = aliases
		if v.kind == JSON {
			w.failf(v.at, "JSON cannot be compared: cast it to text")
		}
		if v.literal {
			w.failf(v.at, "GROUP BY takes columns, not values")
		}
		sc.groups[v.key()] = true
		out = append(out, v.fragment)
	}
	return out
}

func (w *writer) orderBy(order []orderItem, sc *scope, columns []output) []fragment {
	var out []fragment
	for _, o := range order {
		if i := w.position(o.expr, columns); i > 0 {
			out = append(out, raw(strconv.Itoa(i)+o.direction()))
			continue
		}
		v := w.expr(o.expr, sc)
		w.checkBare(v)
		if v.kind == JSON || v.kind == interval {
			w.failf(v.at, "a %s has no order", v.kind)
		}
		out = append(out, w.sql("@"+o.direction(), v.fragment))
	}
	return out
}

// condition writes an expression that is true or not.
func (w *writer) condition(e expr, sc *scope, clause string) value {
	if clause != "" {
		sc.noAgg = clause
		defer func() { sc.noAgg = "" }()
	}
	v := w.expr(e, sc)
	w.isBool(v)
	return v
}

func (w *writer) isBool(v value) {
	if v.kind != Bool && v.kind != Null {
		w.failf(v.at, "a condition is expected here, not a %s", v.kind)
	}
}

// items returns the list of a SELECT, with each * replaced by its columns.
func (w *writer) items(s *selection, sc *scope) []item {
	var out []item
	for _, it := range s.items {
		if !it.star {
			out = append(out, it)
			continue
		}
		some := false
		for _, t := range sc.tables {
			if it.table != "" && t.name != it.table {
				continue
			}
			some = true
			for i, c := range t.columns {
				if !c.hidden || it.table != "" {
					out = append(out, item{at: it.at, expr: &found{place: place(it.at), table: t, i: i}, alias: ""})
				}
			}
		}
		if !some {
			w.failf(it.at, "* has no table here")
		}
	}
	if len(out) > MaxColumns {
		w.failf(s.at, "a SELECT has at most %d columns", MaxColumns)
	}
	return out
}

// found is a column that was looked up.
type found struct {
	place
	table   *entry
	i       int
	members []string // of a JSON column
}

// nameOf is the name of a column in the answer.
func (w *writer) nameOf(it item, i int, sc *scope) string {
	if it.alias != "" {
		return it.alias
	}
	switch e := it.expr.(type) {
	case *found:
		return e.table.columns[e.i].name
	case *column:
		c := w.find(e, sc)
		if c != nil && len(c.members) == 0 {
			return c.table.columns[c.i].name
		}
		return e.raw[len(e.raw)-1]
	case *call:
		if e.name == "->>" {
			return e.args[1].(*literal).value.(string)
		}
		return e.name
	}
	return fmt.Sprintf("column_%d", i+1)
}

// uniqueNames gives columns without an alias another name where one has it already.
func (w *writer) uniqueNames(items []item, columns []output) {
	seen := map[string]bool{}
	for _, it := range items {
		if it.alias == "" {
			continue
		}
		if seen[it.alias] {
			w.failf(it.at, "two columns have the name %q", it.alias)
		}
		seen[it.alias] = true
	}
	for i, it := range items {
		if it.alias != "" {
			continue
		}
		name := columns[i].name
		for n := 2; seen[columns[i].name]; n++ {
			columns[i].name = fmt.Sprintf("%s_%d", name, n)
		}
		seen[columns[i].name] = true
	}
}

// from adds the tables of FROM to the scope. The function that it returns writes them, when it is known which columns
// are used.
func (w *writer) from(s source, sc *scope) func() fragment {
	switch s := s.(type) {
	case *tableName:
		t := w.tableNamed(s, sc)
		sc.tables = append(sc.tables, t)
		w.checkAliases(sc)
		return func() fragment { return w.table(t) }
	case *derived:
		f, columns := w.query(s.query, &environment{with: sc.env.with}, false)
		t := &entry{at: s.at, name: s.alias, id: w.name("t"), columns: entryColumns(columns), from: w.sql("(@)", f)}
		sc.tables = append(sc.tables, t)
		w.checkAliases(sc)
		return func() fragment { return w.table(t) }
	}
	j := s.(*join)
	left := w.from(j.left, sc)
	before := len(sc.tables)
	right := w.from(j.right, sc)
	if j.kind == "CROSS" {
		return func() fragment { return w.sql("@ CROSS JOIN @", left(), right()) }
	}
	on := j.on
	for _, name := range j.using {
		l := &column{place: place(j.at), parts: []string{name}, raw: []string{name}}
		a, b := w.findIn(l, sc.tables[:before]), w.findIn(l, sc.tables[before:])
		if a == nil || b == nil {
			w.failf(j.at, "USING: not both sides have a column %s", name)
		}
		b.table.columns[b.i].hidden = true
		var both expr = &binary{place(j.at), "=", a, b}
		if on != nil {
			both = &binary{place(j.at), "AND", on, both}
		}
		on = both
	}
	v := w.condition(on, sc, "ON")
	return func() fragment { return w.sql("@ "+j.kind+" JOIN @ ON @", left(), right(), v.fragment) }
}

func entryColumns(columns []output) []entryColumn {
	out := make([]entryColumn, len(columns))
	for i, c := range columns {
		out[i] = entryColumn{output: c, sql: fmt.Sprintf("c%d", i+1)}
	}
	return out
}

func (w *writer) checkAliases(sc *scope) {
	last := sc.tables[len(sc.tables)-1]
	for _, t := range sc.tables[:len(sc.tables)-1] {
		if t.name != "" && t.name == last.name {
			w.failf(last.at, "two tables have the name %q: give one an alias", t.name)
		}
	}
}

// tableNamed looks up a table: what WITH named, then the catalog.
func (w *writer) tableNamed(s *tableName, sc *scope) *entry {
	t := &entry{at: s.at, name: s.alias, id: w.name("t"), used: map[string]bool{}}
	if t.name == "" {
		t.name = s.name
	}
	for c := sc.env.with; c != nil; c = c.before {
		if c.name == s.name {
			t.columns, t.from = entryColumns(slices.Clone(c.columns)), raw(c.id)
			return t
		}
	}
	var allowed []string
	for i := range w.catalog.Tables {
		own := &w.catalog.Tables[i]
		allowed = append(allowed, own.Name)
		if own.Name != s.name {
			continue
		}
		t.table = own
		for _, c := range own.Columns {
			t.columns = append(t.columns, entryColumn{output: output{c.Name, c.Kind, 1}, sql: `"` + c.Name + `"`})
		}
		return t
	}
	panic(&fault{s.at, fmt.Sprintf("there is no table %q: there are %s", s.name, strings.Join(allowed, ", ")), allowed})
}

// table is a table in FROM.
func (w *writer) table(t *entry) fragment {
	if t.table == nil {
		return w.sql("@ AS "+t.id, t.from)
	}
	q, args := t.table.Source(slices.Sorted(maps.Keys(t.used)))
	return w.bounded(fragment{"(" + q + ") AS " + t.id, args})
}
