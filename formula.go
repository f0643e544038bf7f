package weir

import (
	"math"
	"strconv"
	"strings"
)

// Limits of a formula.
const (
	maxFormula      = 500 // bytes
	maxFormulaDepth = 50
)

// A Formula computes with the values of series: A is that of the first, B of the second, and so on.
// It has numbers, + - * / and parentheses.
type Formula struct {
	value func(of []*float64) *float64
}

// ParseFormula reads a formula over n series. Error: EINVALID.
func ParseFormula(text string, n int) (*Formula, error) {
	if len(text) > maxFormula {
		return nil, Errorf(EINVALID, "a formula has at most %d bytes", maxFormula)
	}
	p := &formulaParser{rest: text, n: n}
	value, err := p.sum(0)
	if err == nil && p.skip() != 0 {
		err = Errorf(EINVALID, "%.20q is not expected in a formula of A to Z, numbers, + - * / and parentheses", p.rest)
	}
	if err != nil {
		return nil, err
	}
	return &Formula{value}, nil
}

// Value returns the value of the formula: nil if a series that it names has none, if it divides
// by zero, and if the result is beyond the largest number.
func (f *Formula) Value(of []*float64) *float64 {
	v := f.value(of)
	if v == nil || math.IsInf(*v, 0) || math.IsNaN(*v) {
		return nil
	}
	return v
}

// formulaParser descends: a sum is made of products, a product of operands.
type formulaParser struct {
	rest string
	n    int
}

type formulaValue = func(of []*float64) *float64

// skip leaves out spaces, and returns the next byte, 0 at the end.
func (p *formulaParser) skip() byte {
	if p.rest = strings.TrimLeft(p.rest, " \t\n"); p.rest == "" {
		return 0
	}
	return p.rest[0]
}

// joined returns what an operator makes of two values; nil if one of them is.
func joined(a, b formulaValue, op func(x, y float64) float64) formulaValue {
	return func(of []*float64) *float64 {
		x, y := a(of), b(of)
		if x == nil || y == nil {
			return nil
		}
		return new(op(*x, *y))
	}
}

func (p *formulaParser) sum(depth int) (formulaValue, error) {
	return p.operators(depth, p.product, map[byte]func(x, y float64) float64{
		'+': func(x, y float64) float64 { return x + y },
		'-': func(x, y float64) float64 { return x - y },
	})
}

func (p *formulaParser) product(depth int) (formulaValue, error) {
	return p.operators(depth, p.operand, map[byte]func(x, y float64) float64{
		'*': func(x, y float64) float64 { return x * y },
		'/': func(x, y float64) float64 {
			if y == 0 {
				return math.NaN()
			}
			return x / y
		},
	})
}

// operators reads operands with operators of one rank between them.
func (p *formulaParser) operators(depth int, operand func(int) (formulaValue, error), ops map[byte]func(x, y float64) float64) (formulaValue, error) {
	left, err := operand(depth)
	for err == nil {
		op, ok := ops[p.skip()]
		if !ok {
			return left, nil
		}
		p.rest = p.rest[1:]
		var right formulaValue
		if right, err = operand(depth); err == nil {
			left = joined(left, right, op)
		}
	}
	return nil, err
}

func (p *formulaParser) operand(depth int) (formulaValue, error) {
	c := p.skip()
	switch {
	case depth > maxFormulaDepth:
		return nil, Errorf(EINVALID, "a formula has at most %d parentheses in each other", maxFormulaDepth)
	case c == '-':
		p.rest = p.rest[1:]
		v, err := p.operand(depth + 1)
		return func(of []*float64) *float64 {
			if x := v(of); x != nil {
				return new(-*x)
			}
			return nil
		}, err
	case c == '(':
		p.rest = p.rest[1:]
		v, err := p.sum(depth + 1)
		if err == nil && p.skip() != ')' {
			err = Errorf(EINVALID, "a parenthesis is not closed")
		}
		if err == nil {
			p.rest = p.rest[1:]
		}
		return v, err
	case c >= 'A' && c <= 'Z':
		i := int(c - 'A')
		if i >= p.n {
			return nil, Errorf(EINVALID, "there is no series %c: the question has %d", c, p.n)
		}
		p.rest = p.rest[1:]
		return func(of []*float64) *float64 { return of[i] }, nil
	case c >= '0' && c <= '9' || c == '.':
		end := 0
		for end < len(p.rest) && strings.IndexByte("0123456789.", p.rest[end]) >= 0 {
			end++
		}
		v, err := strconv.ParseFloat(p.rest[:end], 64)
		if err != nil {
			return nil, Errorf(EINVALID, "%.40q is no number", p.rest[:end])
		}
		p.rest = p.rest[end:]
		return func([]*float64) *float64 { return &v }, nil
	case c == 0:
		return nil, Errorf(EINVALID, "a formula ends where a series or a number is expected")
	}
	return nil, Errorf(EINVALID, "%.20q is not expected in a formula of A to Z, numbers, + - * / and parentheses", p.rest)
}
