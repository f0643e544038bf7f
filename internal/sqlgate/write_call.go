package sqlgate

import (
	"slices"
	"strings"
)

// aggregates says whether an expression has an aggregate, outside of queries in it.
func (w *writer) aggregates(e expr) bool {
	switch e := e.(type) {
	case *unary:
		return w.aggregates(e.x)
	case *binary:
		return w.aggregates(e.x) || w.aggregates(e.y)
	case *isNull:
		return w.aggregates(e.x)
	case *betweenExpr:
		return w.aggregates(e.x) || w.aggregates(e.lo) || w.aggregates(e.hi)
	case *inList:
		return w.aggregates(e.x) || slices.ContainsFunc(e.list, w.aggregates)
	case *inQuery:
		return w.aggregates(e.x)
	case *like:
		return w.aggregates(e.x)
	case *caseExpr:
		return e.x != nil && w.aggregates(e.x) || slices.ContainsFunc(e.when, w.aggregates) || slices.ContainsFunc(e.then, w.aggregates) || e.otherwise != nil && w.aggregates(e.otherwise)
	case *cast:
		return w.aggregates(e.x)
	case *call:
		if f := w.functions[e.name]; f != nil && f.Kind == Aggregate && e.over == nil {
			return true
		}
		if o := e.over; o != nil {
			if slices.ContainsFunc(o.partition, w.aggregates) || slices.ContainsFunc(o.order, func(o orderItem) bool { return w.aggregates(o.expr) }) {
				return true
			}
		}
		return slices.ContainsFunc(e.args, w.aggregates)
	}
	return false
}

// call writes the call of a function.
func (w *writer) call(e *call, sc *scope) value {
	f := w.functions[e.name]
	if f == nil {
		var names []string
		for name := range w.functions {
			if name != "->>" {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		panic(&fault{e.pos(), "there is no function " + token{text: e.name}.shown(), names})
	}
	aggregate := f.Kind == Aggregate && e.over == nil
	switch {
	case f.Kind == Scalar && (e.over != nil || e.filter != nil || e.distinct || e.star):
		w.failf(e.pos(), "%s takes neither *, DISTINCT, FILTER nor OVER", f.Name)
	case f.Kind == WindowOnly && (e.over == nil || e.filter != nil || e.distinct || e.star):
		w.failf(e.pos(), "%s takes OVER, and neither *, DISTINCT nor FILTER", f.Name)
	case f.Name != "count" && (e.star || e.distinct):
		w.failf(e.pos(), "%s takes neither * nor DISTINCT: only count does", f.Name)
	case aggregate && sc.noAgg != "":
		w.failf(e.pos(), "an aggregate such as %s cannot stand in %s", f.Name, sc.noAgg)
	case aggregate && sc.inAgg:
		w.failf(e.pos(), "an aggregate cannot stand in another one")
	case e.over != nil && (sc.noAgg != "" || sc.inAgg):
		w.failf(e.pos(), "OVER cannot stand here: put it into a query in FROM")
	}
	inner := sc
	if aggregate {
		within := *sc
		within.inAgg = true
		inner = &within
	}
	args := make([]value, len(e.args))
	for i, a := range e.args {
		args[i] = w.expr(a, inner)
	}
	args = w.checkArgs(e, f, args)
	if e.filter != nil {
		args = w.filtered(e, f, args, w.condition(e.filter, inner, ""))
	}
	w.scope = sc
	v := w.called(e, f, args)
	if e.over != nil {
		v = w.over(v, e.over, sc)
	}
	if f.returns == Int && f.special == nil || f.Name == "count" {
		v.fragment = w.template("whole", "{1}", v.fragment)
	}
	if aggregate {
		v.agg, v.bare = true, ""
	}
	return w.grouped(v)
}

// called is the call without OVER.
func (w *writer) called(e *call, f *Function, args []value) value {
	if f.special != nil {
		return f.special(w, e, f, args)
	}
	parts := make([]fragment, len(args))
	for i, a := range args {
		parts[i] = a.fragment
	}
	name := f.Name
	if t := w.d.Function(name + "/" + string(rune('0'+len(args)))); t != "" {
		name += "/" + string(rune('0'+len(args)))
	}
	places := make([]string, len(args))
	for i := range places {
		places[i] = "{" + string(rune('1'+i)) + "}"
	}
	kind := f.returns
	if f.as > 0 {
		kind = args[f.as-1].kind
	}
	return w.of(e.pos(), kind, w.template(name, f.Name+"("+strings.Join(places, ", ")+")", parts...), args...)
}

// checkArgs refuses arguments that a function does not take, and brings the others into the kind that it takes.
func (w *writer) checkArgs(e *call, f *Function, args []value) []value {
	if e.star {
		if len(args) > 0 {
			w.failf(e.pos(), "count(*) takes nothing else")
		}
		return nil
	}
	least, optional, _ := strings.Cut(f.takes, "|")
	all := least + optional
	many := strings.HasSuffix(all, "*")
	all = strings.TrimSuffix(all, "*")
	least = strings.TrimSuffix(least, "*")
	if len(args) < len(least) || !many && len(args) > len(all) || len(args) > 20 {
		w.failf(e.pos(), "%s is called as %s(%s)", f.Name, f.Name, f.Args)
	}
	for i, a := range args {
		letter := all[min(i, len(all)-1)]
		if letter < 'a' && !a.literal {
			w.failf(a.at, "%s takes a value that stands here, not an expression: %s(%s)", f.Name, f.Name, f.Args)
		}
		switch letter {
		case 't':
			a = w.asText(a)
		case 'n':
			if f.returns == Float || a.kind != Int {
				a = w.number(a)
			}
		case 'b':
			w.isBool(a)
		case 'm':
			a = w.time(a)
		case 'T':
			if _, ok := a.constant.(string); !ok {
				w.failf(a.at, "%s takes a text here", f.Name)
			}
		case 'I':
			if n, ok := a.constant.(int64); !ok || n < 0 || n > 1_000_000 {
				w.failf(a.at, "%s takes a whole number of 0 to a million here", f.Name)
			}
		case 'N':
			switch a.constant.(type) {
			case int64, float64:
			default:
				w.failf(a.at, "%s takes a number here", f.Name)
			}
		case 'x':
			if a.kind == interval || a.kind == JSON && f.Name != "count" && f.Name != "->>" && f.Name != "concat" {
				w.failf(a.at, "%s takes no %s", f.Name, a.kind)
			}
		}
		args[i] = a
	}
	return args
}

// filtered makes an argument NULL where a condition does not hold: aggregates leave NULL out.
func (w *writer) filtered(e *call, f *Function, args []value, condition value) []value {
	switch {
	case f.Name == "count" && len(args) == 0:
		e.star = false
		return []value{w.of(e.pos(), Int, w.sql("CASE WHEN @ THEN 1 END", condition.fragment), condition)}
	case f.Name == "count_if":
		return []value{w.of(e.pos(), Bool, w.sql("(@ AND @)", args[0].fragment, condition.fragment), args[0], condition)}
	}
	i := 0
	if f.special != nil && strings.HasPrefix(f.Name, "arg_") {
		i = 1
	}
	a := args[i]
	args[i] = w.of(a.at, a.kind, w.sql("CASE WHEN @ THEN @ END", condition.fragment, a.fragment), a, condition)
	return args
}

// over adds OVER.
func (w *writer) over(v value, o *window, sc *scope) value {
	f := raw("")
	parts := []value{v}
	var list []fragment
	for _, e := range o.partition {
		p := w.expr(e, sc)
		w.ordinal(p.at, p.kind)
		parts, list = append(parts, p), append(list, p.fragment)
	}
	if len(list) > 0 {
		f = w.sql("PARTITION BY @", w.list(list))
	}
	list = nil
	for _, o := range o.order {
		p := w.expr(o.expr, sc)
		w.ordinal(p.at, p.kind)
		parts, list = append(parts, p), append(list, w.sql("@"+o.direction(), p.fragment))
	}
	if len(list) > 0 {
		f = w.sql("@ ORDER BY @", f, w.list(list))
	}
	if o.frame != "" {
		f.sql += " " + o.frame
	}
	out := w.of(v.at, v.kind, w.sql("@ OVER (@)", v.fragment, f), parts...)
	out.windowed, out.growth = true, v.growth
	return out
}
