package sqlgate

import (
	"math"
	"strconv"
	"strings"
)

func (p *parser) call() expr {
	t := p.next()
	c := &call{place: place(t.at), name: t.text}
	p.expect("(")
	switch {
	case p.skip("*"):
		c.star = true
		p.expect(")")
	case p.skip(")"):
	default:
		c.distinct = p.accept("distinct")
		if c.name == "position" {
			part := p.joinedText()
			p.expectWord("in")
			x := p.joinedText()
			p.expect(")")
			c.name, c.args = "strpos", []expr{x, part}
			break
		}
		c.args = p.exprs()
	}
	if p.accept("filter") {
		p.expect("(")
		p.expectWord("where")
		c.filter = p.expr()
		p.expect(")")
	}
	if p.accept("over") {
		c.over = p.window()
	}
	return c
}

func (p *parser) window() *window {
	w := &window{}
	p.expect("(")
	if p.accept("partition", "by") {
		for {
			w.partition = append(w.partition, p.expr())
			if !p.skip(",") {
				break
			}
		}
	}
	if p.accept("order", "by") {
		w.order = p.orderItems()
	}
	if p.isWord("rows", "range") {
		unit := upper(p.next().text)
		if p.accept("between") {
			from := p.bound()
			p.expectWord("and")
			w.frame = unit + " BETWEEN " + from + " AND " + p.bound()
		} else {
			w.frame = unit + " BETWEEN " + p.bound() + " AND CURRENT ROW"
		}
		if unit == "RANGE" && strings.ContainsAny(w.frame, "0123456789") {
			p.failf(p.peek().at, "RANGE takes UNBOUNDED and CURRENT ROW alone: use ROWS")
		}
	}
	p.expect(")")
	return w
}

func (p *parser) bound() string {
	switch {
	case p.accept("unbounded", "preceding"):
		return "UNBOUNDED PRECEDING"
	case p.accept("unbounded", "following"):
		return "UNBOUNDED FOLLOWING"
	case p.accept("current", "row"):
		return "CURRENT ROW"
	}
	n := strconv.FormatInt(min(p.count("a frame"), math.MaxInt32), 10)
	switch {
	case p.accept("preceding"):
		return n + " PRECEDING"
	case p.accept("following"):
		return n + " FOLLOWING"
	}
	p.failf(p.peek().at, "%s is not expected here, but PRECEDING or FOLLOWING", p.peek().shown())
	return ""
}
