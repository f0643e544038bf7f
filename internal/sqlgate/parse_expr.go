package sqlgate

import (
	"math"
	"strings"
)

func upper(s string) string { return strings.ToUpper(s) }

func (p *parser) expr() expr {
	defer p.deeper()()
	x := p.and()
	for p.isWord("or") {
		x = &binary{p.tree(), "OR", x, p.and()}
	}
	return x
}

// tree reads an operator of a chain. Each one makes the tree deeper: a chain has as many as a statement may have words.
func (p *parser) tree() place { return place(p.next().at) }

func (p *parser) and() expr {
	x := p.not()
	for p.isWord("and") {
		x = &binary{p.tree(), "AND", x, p.not()}
	}
	return x
}

func (p *parser) not() expr {
	if p.isWord("not") && !(p.ahead(1).text == "exists" && p.ahead(1).kind == word) {
		defer p.deeper()()
		return &unary{p.tree(), "NOT", p.not()}
	}
	return p.comparison()
}

// comparisons are operators; those on the right are written as those on the left.
var comparisons = map[string]string{"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

func (p *parser) comparison() expr {
	x := p.joinedText()
	for {
		t := p.peek()
		if o := comparisons[t.text]; t.kind == operator && o != "" {
			p.i++
			x = &binary{place(t.at), o, x, p.joinedText()}
			continue
		}
		if p.accept("is") {
			not := p.accept("not")
			switch {
			case p.accept("null"):
				x = &isNull{place(t.at), not, x}
			case p.accept("true"), p.accept("false"):
				want := p.ahead(-1).text == "true"
				// NULL is neither: the comparison alone would be NULL.
				x = &binary{place(t.at), "=", &call{place: place(t.at), name: "coalesce", args: []expr{x, &literal{place(t.at), !want}}}, &literal{place(t.at), want}}
				if not {
					x = &unary{place(t.at), "NOT", x}
				}
			default:
				p.failf(p.peek().at, "%s is not expected here, but NULL, TRUE or FALSE", p.peek().shown())
			}
			continue
		}
		not := p.isWord("not") && p.ahead(1).kind == word
		after := t
		if not {
			after = p.ahead(1)
		}
		if after.kind != word {
			return x
		}
		switch after.text {
		case "between", "in", "like", "ilike":
		default:
			return x
		}
		if not {
			p.i++
		}
		p.i++
		x = p.tested(place(t.at), not, after.text, x)
	}
}

// tested reads what follows BETWEEN, IN or LIKE.
func (p *parser) tested(at place, not bool, how string, x expr) expr {
	switch how {
	case "between":
		lo := p.joinedText()
		p.expectWord("and")
		return &betweenExpr{at, not, x, lo, p.joinedText()}
	case "in":
		p.expect("(")
		if p.isWord("select", "with") {
			q := p.query()
			p.expect(")")
			return &inQuery{at, not, x, q}
		}
		in := &inList{at, not, x, p.exprs()}
		return in
	}
	l := &like{at, not, how == "ilike", x, p.joinedText()}
	if p.isWord("escape") {
		p.failf(p.peek().at, "ESCAPE is not allowed")
	}
	return l
}

// exprs reads expressions up to ")".
func (p *parser) exprs() []expr {
	var out []expr
	for {
		out = append(out, p.expr())
		if !p.skip(",") {
			p.expect(")")
			return out
		}
	}
}

func (p *parser) joinedText() expr { return p.chain(p.sum, "||") }

func (p *parser) sum() expr { return p.chain(p.product, "+", "-") }

func (p *parser) product() expr { return p.chain(p.signed, "*", "/", "%") }

// chain reads operands with operators of one rank between them.
func (p *parser) chain(operand func() expr, operators ...string) expr {
	x := operand()
	for p.peek().kind == operator {
		found := ""
		for _, o := range operators {
			if p.isOperator(o) {
				found = o
			}
		}
		if found == "" {
			break
		}
		at := p.tree()
		x = &binary{at, found, x, operand()}
	}
	return x
}

func (p *parser) signed() expr {
	if p.isOperator("-") {
		defer p.deeper()()
		at := p.tree()
		x := p.signed()
		if l, ok := x.(*literal); ok {
			switch v := l.value.(type) {
			case int64:
				if v != math.MinInt64 {
					return &literal{at, -v}
				}
			case float64:
				return &literal{at, -v}
			}
		}
		return &unary{at, "-", x}
	}
	if p.skip("+") {
		defer p.deeper()()
		return p.signed()
	}
	return p.postfix()
}

// postfix reads an operand with casts and members of JSON after it.
func (p *parser) postfix() expr {
	x := p.operand()
	for n := 0; ; n++ {
		if n > maxDepth {
			p.failf(p.peek().at, "there are too many casts here")
		}
		switch {
		case p.isOperator("::"):
			at := p.tree()
			c := p.typeName(at)
			c.x = x
			x = c
		case p.isOperator("->>"):
			at := p.tree()
			t := p.peek()
			member, ok := p.constant().(string)
			if !ok {
				p.failf(t.at, "->> takes a text")
			}
			x = &call{place: at, name: "->>", args: []expr{x, &literal{place(t.at), member}}}
		default:
			return x
		}
	}
}

// constant reads a literal or a parameter and returns its value.
func (p *parser) constant() any {
	if l, ok := p.signed().(*literal); ok {
		return l.value
	}
	p.failf(p.ahead(-1).at, "a value is expected here")
	return nil
}

func (p *parser) operand() expr {
	t := p.peek()
	at := place(t.at)
	switch t.kind {
	case text:
		p.i++
		return &literal{at, t.text}
	case number:
		p.i++
		return &literal{at, p.number(t)}
	case param:
		p.i++
		return &literal{at, p.param(t)}
	case operator:
		if p.skip("(") {
			if p.isWord("select", "with") {
				q := p.query()
				p.expect(")")
				return &subquery{at, q}
			}
			x := p.expr()
			if p.isOperator(",") {
				p.failf(p.peek().at, "rows of several values are not allowed")
			}
			p.expect(")")
			return x
		}
	case quoted:
		return p.named()
	case word:
		return p.worded(t)
	}
	p.failf(t.at, "%s is not expected here, but an expression", t.shown())
	return nil
}

// worded reads what begins with a word.
func (p *parser) worded(t token) expr {
	at := place(t.at)
	next := p.ahead(1)
	switch t.text {
	case "null", "true", "false":
		p.i++
		return &literal{at, map[string]any{"null": nil, "true": true, "false": false}[t.text]}
	case "case":
		return p.caseExpr()
	case "cast", "try_cast":
		p.i++
		p.expect("(")
		x := p.expr()
		p.expectWord("as")
		c := p.typeName(at)
		c.x = x
		p.expect(")")
		return c
	case "exists", "not":
		not := p.accept("not")
		p.expectWord("exists")
		p.expect("(")
		q := p.query()
		p.expect(")")
		if not {
			return &unary{at, "NOT", &exists{at, q}}
		}
		return &exists{at, q}
	case "interval":
		if next.kind == text || next.kind == number || next.kind == param {
			p.i++
			return p.interval(at)
		}
	case "timestamp", "date", "timestamptz":
		if next.kind == text {
			p.i += 2
			return &cast{at, &literal{place(next.at), next.text}, Time, t.text == "date"}
		}
	case "extract":
		if next.kind == operator && next.text == "(" {
			p.i += 2
			unit := p.next()
			if unit.kind != word {
				p.failf(unit.at, "%s is not expected here, but a unit such as hour", unit.shown())
			}
			p.expectWord("from")
			x := p.expr()
			p.expect(")")
			return &call{place: at, name: "date_part", args: []expr{&literal{place(unit.at), unit.text}, x}}
		}
	case "left", "right":
		if next.kind == operator && next.text == "(" {
			return p.call()
		}
	}
	return p.named()
}

// named reads a column or a call.
func (p *parser) named() expr {
	if t, next := p.peek(), p.ahead(1); t.kind == word && next.kind == operator && next.text == "(" && !reserved[t.text] {
		return p.call()
	}
	c := &column{place: place(p.peek().at)}
	c.raw = append(c.raw, p.peek().raw)
	c.parts = append(c.parts, p.name("a column"))
	for p.isOperator(".") {
		p.i++
		t := p.next()
		if t.kind != word && t.kind != quoted {
			p.failf(t.at, "%s is not expected here, but a name", t.shown())
		}
		c.parts, c.raw = append(c.parts, t.text), append(c.raw, t.raw)
		if len(c.parts) > 4 {
			p.failf(t.at, "the name has too many parts")
		}
	}
	if t := p.peek(); p.isOperator("(") {
		p.failf(t.at, "a function has one name, without a schema before it")
	}
	return c
}

func (p *parser) caseExpr() expr {
	c := &caseExpr{place: p.tree()}
	if !p.isWord("when") {
		c.x = p.expr()
	}
	for p.accept("when") {
		c.when = append(c.when, p.expr())
		p.expectWord("then")
		c.then = append(c.then, p.expr())
	}
	if len(c.when) == 0 {
		p.failf(p.peek().at, "%s is not expected here, but WHEN", p.peek().shown())
	}
	if p.accept("else") {
		c.otherwise = p.expr()
	}
	p.expectWord("end")
	return c
}
