package sqlgate

import (
	"strconv"
	"strings"
)

// types are the names of types.
var types = map[string]Kind{
	"text": Text, "varchar": Text, "string": Text, "char": Text,
	"integer": Int, "int": Int, "bigint": Int, "smallint": Int, "int4": Int, "int8": Int, "long": Int,
	"double": Float, "float": Float, "real": Float, "numeric": Float, "decimal": Float, "float8": Float,
	"boolean": Bool, "bool": Bool, "timestamp": Time, "datetime": Time, "timestamptz": Time, "date": Time,
}

func (p *parser) typeName(at place) *cast {
	t := p.next()
	k, ok := types[t.text]
	if t.kind != word || !ok {
		panic(&fault{t.at, t.shown() + " is not a type that is allowed", []string{"text", "integer", "double", "boolean", "timestamp", "date"}})
	}
	if t.text == "double" {
		p.accept("precision")
	}
	return &cast{place: at, to: k, day: t.text == "date"}
}

func (p *parser) number(t token) any {
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return n
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		p.failf(t.at, "%s is not a number that can be stored", t.shown())
	}
	return f
}

func (p *parser) param(t token) any {
	style := "$"
	if t.text == "" {
		style = "?"
	}
	if p.style == "" {
		p.style = style
	}
	if p.style != style {
		p.failf(t.at, "values are named either ? or $1, $2 …, not both")
	}
	n := p.asked + 1
	if style == "$" {
		var err error
		if n, err = strconv.Atoi(t.text); err != nil {
			n = 0
		}
	} else {
		p.asked = n
	}
	if n < 1 || n > len(p.params) {
		p.failf(t.at, "value %d is missing: there are %d values", n, len(p.params))
	}
	return p.params[n-1]
}

// units are those of intervals. The most of each keeps a time within what engines can store.
var units = map[string]int64{"second": 1e9, "minute": 2e7, "hour": 400_000, "day": 20_000, "week": 3000, "month": 600, "year": 50}

func (p *parser) interval(at place) expr {
	t := p.peek()
	v := p.constantToken()
	if s, ok := v.(string); ok {
		number, unit, found := strings.Cut(strings.TrimSpace(s), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			p.failf(t.at, "%s is not an interval: write INTERVAL 7 DAY or INTERVAL '7 days'", t.shown())
		}
		if !found {
			unit = p.next().text
		}
		return p.intervalOf(at, t, n, unit)
	}
	n, ok := v.(int64)
	if !ok {
		p.failf(t.at, "an interval takes a whole number")
	}
	return p.intervalOf(at, t, n, p.next().text)
}

func (p *parser) constantToken() any {
	switch t := p.next(); t.kind {
	case text:
		return t.text
	case number:
		return p.number(t)
	default:
		return p.param(t)
	}
}

func (p *parser) intervalOf(at place, t token, n int64, unit string) expr {
	unit = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(unit)), "s")
	most, ok := units[unit]
	if !ok {
		panic(&fault{t.at, "the interval has no unit that is allowed", []string{"second", "minute", "hour", "day", "week", "month", "year"}})
	}
	if n < -most || n > most {
		p.failf(t.at, "the interval is too long: %d %ss are the most", most, unit)
	}
	return &intervalExpr{at, n, unit}
}
