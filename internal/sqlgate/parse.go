package sqlgate

import (
	"slices"
	"strconv"
)

// parser reads tokens. Each method reads what it is named for, and fails by panic with a *fault, which parse recovers.
type parser struct {
	all    []token
	i      int
	params []any
	style  string // of the first parameter: "?" or "$"
	asked  int    // parameters "?" so far
	depth  int
	tables int
}

// parse returns the tree of a statement. The error is a *fault.
func parse(sql string, params []any) (q *query, err error) {
	all, f := tokens(sql)
	if f != nil {
		return nil, f
	}
	p := &parser{all: all, params: params}
	defer func() {
		switch f := recover().(type) {
		case nil:
		case *fault:
			err = f
		default:
			panic(f)
		}
	}()
	if t := p.peek(); !p.isWord("select") && !p.isWord("with") && !p.isOperator("(") {
		p.failf(t.at, "a statement begins with SELECT or WITH, not %s: only questions can be asked", t.shown())
	}
	q = p.query()
	p.skip(";")
	if t := p.peek(); t.kind != end {
		p.failf(t.at, "%s is not expected here: one SELECT is allowed, and nothing after it", t.shown())
	}
	if p.style == "?" && p.asked != len(params) {
		p.failf(0, "the statement has %d places for values, and there are %d values", p.asked, len(params))
	}
	return q, nil
}

func (p *parser) failf(at int, format string, args ...any) { panic(faultf(at, format, args...)) }

func (p *parser) peek() token { return p.all[p.i] }

func (p *parser) ahead(n int) token { return p.all[min(p.i+n, len(p.all)-1)] }

func (p *parser) next() token {
	t := p.all[p.i]
	if t.kind != end {
		p.i++
	}
	return t
}

func (p *parser) isWord(words ...string) bool {
	t := p.peek()
	return t.kind == word && slices.Contains(words, t.text)
}

func (p *parser) isOperator(o string) bool {
	t := p.peek()
	return t.kind == operator && t.text == o
}

// accept reads words if they come next.
func (p *parser) accept(words ...string) bool {
	for i, w := range words {
		if t := p.ahead(i); t.kind != word || t.text != w {
			return false
		}
	}
	p.i += len(words)
	return true
}

func (p *parser) skip(o string) bool {
	if p.isOperator(o) {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(o string) {
	if !p.skip(o) {
		p.failf(p.peek().at, "%s is not expected here, but %s", p.peek().shown(), o)
	}
}

func (p *parser) expectWord(w string) {
	if !p.accept(w) {
		p.failf(p.peek().at, "%s is not expected here, but %s", p.peek().shown(), upper(w))
	}
}

// deeper bounds how deep the parser calls itself. The caller calls what it returns at its end.
func (p *parser) deeper() func() {
	if p.depth++; p.depth > maxDepth {
		p.failf(p.peek().at, "the statement is nested more than %d times", maxDepth)
	}
	return func() { p.depth-- }
}

// reserved are the words that are no names unless they are quoted.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range []string{
		"all", "and", "as", "asc", "between", "by", "case", "cast", "cross", "desc", "distinct", "else", "end", "except", "exists", "false", "filter", "from",
		"full", "group", "having", "in", "inner", "intersect", "is", "join", "left", "like", "ilike", "limit", "natural", "not", "null", "nulls", "offset", "on", "or", "order", "outer",
		"over", "partition", "right", "select", "then", "true", "union", "using", "when", "where", "with", "window", "qualify", "lateral", "values", "into", "table", "for", "fetch", "sample",
		"tablesample", "asof", "semi", "anti", "positional", "pivot", "unpivot", "prewhere", "final", "settings", "format", "array", "global", "any",
	} {
		m[w] = true
	}
	return m
}()

// name reads the name of what.
func (p *parser) name(what string) string {
	t := p.peek()
	if t.kind == quoted || t.kind == word && !reserved[t.text] {
		p.i++
		return t.text
	}
	p.failf(t.at, "%s is not expected here, but the name of %s", t.shown(), what)
	return ""
}

// alias reads [AS] name, "" if there is none.
func (p *parser) alias() string {
	if p.accept("as") {
		return p.name("it")
	}
	if t := p.peek(); t.kind == quoted || t.kind == word && !reserved[t.text] {
		p.i++
		return t.text
	}
	return ""
}

func (p *parser) query() *query {
	defer p.deeper()()
	q := &query{at: p.peek().at}
	if p.accept("with") {
		if t := p.peek(); p.accept("recursive") {
			p.failf(t.at, "WITH RECURSIVE is not allowed")
		}
		for {
			c := cte{at: p.peek().at, name: p.name("a query")}
			if p.skip("(") {
				c.columns = p.names()
			}
			p.expectWord("as")
			p.expect("(")
			c.query = p.query()
			p.expect(")")
			q.with = append(q.with, c)
			if !p.skip(",") {
				break
			}
		}
	}
	q.body = p.union()
	if p.accept("order", "by") {
		q.order = p.orderItems()
	}
	for {
		switch {
		case p.accept("limit"):
			n := p.count("LIMIT")
			q.limit = &n
			continue
		case p.accept("offset"):
			q.offset = p.count("OFFSET")
			continue
		}
		return q
	}
}

// names reads names in parentheses, after the first one.
func (p *parser) names() []string {
	var out []string
	for {
		out = append(out, p.name("a column"))
		if !p.skip(",") {
			p.expect(")")
			return out
		}
	}
}

// count reads a whole number, or the parameter of one.
func (p *parser) count(of string) int64 {
	at := p.peek().at
	switch t := p.next(); t.kind {
	case number:
		if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return n
		}
	case param:
		if n, ok := p.param(t).(int64); ok && n >= 0 {
			return n
		}
	}
	p.failf(at, "%s takes a whole number", of)
	return 0
}

func (p *parser) orderItems() []orderItem {
	var out []orderItem
	for {
		o := orderItem{expr: p.expr()}
		if !p.accept("asc") {
			o.desc = p.accept("desc")
		}
		switch {
		case p.accept("nulls", "first"):
			o.nulls = "FIRST"
		case p.accept("nulls", "last"):
			o.nulls = "LAST"
		}
		out = append(out, o)
		if !p.skip(",") {
			return out
		}
	}
}

func (p *parser) union() body {
	left := p.intersection()
	for p.isWord("union", "except") {
		t := p.next()
		o := &setOperation{at: t.at, operator: upper(t.text), left: left}
		o.all = p.unionAll(o.operator)
		o.right = p.intersection()
		left = o
	}
	return left
}

func (p *parser) intersection() body {
	left := p.primary()
	for p.isWord("intersect") {
		o := &setOperation{at: p.next().at, operator: "INTERSECT", left: left}
		o.all = p.unionAll(o.operator)
		o.right = p.primary()
		left = o
	}
	return left
}

func (p *parser) unionAll(of string) bool {
	p.depth++ // a chain of them is a deep tree
	if p.depth > maxDepth {
		p.failf(p.peek().at, "there are too many of %s", of)
	}
	at := p.peek().at
	if p.accept("all") {
		if of != "UNION" {
			p.failf(at, "%s ALL is not allowed", of)
		}
		return true
	}
	p.accept("distinct")
	return false
}

// primary reads a SELECT, or a query in parentheses.
func (p *parser) primary() body {
	if p.skip("(") {
		q := p.query()
		p.expect(")")
		return q
	}
	return p.selection()
}

func (p *parser) selection() *selection {
	s := &selection{at: p.peek().at}
	p.expectWord("select")
	if !p.accept("all") {
		s.distinct = p.accept("distinct")
	}
	for {
		s.items = append(s.items, p.item())
		if !p.skip(",") {
			break
		}
	}
	if p.accept("from") {
		s.from = p.sources()
	}
	if p.accept("where") {
		s.where = p.expr()
	}
	if p.accept("group", "by") {
		for {
			s.group = append(s.group, p.expr())
			if !p.skip(",") {
				break
			}
		}
	}
	if p.accept("having") {
		s.having = p.expr()
	}
	return s
}

func (p *parser) item() item {
	it := item{at: p.peek().at}
	if p.skip("*") {
		it.star = true
		return it
	}
	if t := p.peek(); (t.kind == quoted || t.kind == word && !reserved[t.text]) && p.ahead(1).text == "." && p.ahead(2).text == "*" && p.ahead(2).kind == operator {
		p.i += 3
		it.star, it.table = true, t.text
		return it
	}
	it.expr = p.expr()
	it.alias = p.alias()
	return it
}

// sources reads what FROM names.
func (p *parser) sources() source {
	left := p.joined()
	for p.isOperator(",") {
		at := p.next().at
		left = &join{at: at, kind: "CROSS", left: left, right: p.joined()}
	}
	return left
}

func (p *parser) joined() source {
	left := p.source()
	for {
		at := p.peek().at
		j := &join{at: at, left: left}
		switch {
		case p.accept("cross", "join"):
			j.kind = "CROSS"
		case p.accept("join"), p.accept("inner", "join"):
			j.kind = "INNER"
		case p.accept("left", "join"), p.accept("left", "outer", "join"):
			j.kind = "LEFT"
		case p.accept("right", "join"), p.accept("right", "outer", "join"):
			j.kind = "RIGHT"
		case p.accept("full", "join"), p.accept("full", "outer", "join"):
			j.kind = "FULL"
		default:
			return left
		}
		j.right = p.source()
		if j.kind != "CROSS" {
			switch {
			case p.accept("on"):
				j.on = p.expr()
			case p.accept("using"):
				p.expect("(")
				j.using = p.names()
				if j.kind != "INNER" && j.kind != "LEFT" {
					p.failf(at, "%s JOIN takes ON, not USING", j.kind)
				}
			default:
				p.failf(p.peek().at, "%s is not expected here, but ON or USING", p.peek().shown())
			}
		}
		left = j
	}
}

func (p *parser) source() source {
	if p.tables++; p.tables > maxTables {
		p.failf(p.peek().at, "the statement names more than %d tables", maxTables)
	}
	at := p.peek().at
	if p.skip("(") {
		if !p.isWord("select", "with") && !p.isOperator("(") {
			p.failf(p.peek().at, "%s is not expected here, but SELECT", p.peek().shown())
		}
		d := &derived{at: at, query: p.query()}
		p.expect(")")
		d.alias = p.alias()
		return d
	}
	if t := p.peek(); t.kind == text {
		p.failf(at, "files cannot be read: name a table")
	}
	t := &tableName{at: at, name: p.name("a table")}
	switch {
	case p.isOperator("."):
		p.failf(at, "a table has one name, without a schema or a database before it")
	case p.isOperator("("):
		p.failf(at, "functions that return tables are not allowed")
	}
	t.alias = p.alias()
	return t
}
