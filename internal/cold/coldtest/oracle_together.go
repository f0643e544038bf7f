package coldtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// lastDaysOf counts the distinct persons of the days that end with each bucket.
func (o *oracle) lastDaysOf(q weir.Trend, s weir.Series, starts []time.Time, to time.Time) insight.Values {
	days := map[weir.Math]int{weir.MathWeekly: 7, weir.MathMonthly: 30}[s.Math]
	v := insight.Values{Points: make([]insight.Point, len(starts))}
	for i, t := range starts {
		end := to
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		w := o.lastDays(end, days)
		v.Points[i] = insight.Point{Time: t, Value: o.measure(weir.Series{Math: weir.MathUnique}, o.match(w.from, w.to, q.Filter, s.Event))}
	}
	v.Total = v.Points[len(starts)-1].Value
	return v
}

// perPerson is the number of events by that of their persons.
func (o *oracle) perPerson(events []*weir.EventRow) *float64 {
	n, persons := 0, map[[2]string]bool{}
	for _, e := range events {
		if p, ok := o.person(e); ok {
			n++
			persons[p] = true
		}
	}
	if n == 0 {
		return nil
	}
	return new(float64(n) / float64(len(persons)))
}

// together applies what a trend asks of all its lines. of says which series a line is of.
func together(q weir.Trend, lines []insight.TrendSeries, of []int) []insight.TrendSeries {
	all := func(f func(*insight.Values)) {
		for i := range lines {
			f(&lines[i].Values)
			if lines[i].Compare != nil {
				f(&lines[i].Compare.Values)
			}
		}
	}
	if q.Cumulative {
		all(func(v *insight.Values) {
			for i := len(v.Points) - 1; i >= 0; i-- {
				var sum *float64
				for _, p := range v.Points[:i+1] {
					if p.Value != nil {
						if sum == nil {
							sum = new(float64)
						}
						*sum += *p.Value
					}
				}
				v.Points[i].Value = sum
			}
		})
	}
	if q.Formula != "" {
		lines = append(lines, formulaLines(q, lines, of)...)
	}
	if q.Smooth > 1 {
		all(func(v *insight.Values) {
			before := slices.Clone(v.Points)
			for i := range v.Points {
				var sum float64
				n := 0
				for j := i; j >= 0 && j > i-q.Smooth; j-- {
					if x := before[j].Value; x != nil {
						sum += *x
						n++
					}
				}
				if v.Points[i].Value = nil; n > 0 {
					v.Points[i].Value = new(sum / float64(n))
				}
			}
		})
	}
	return lines
}

func formulaLines(q weir.Trend, lines []insight.TrendSeries, of []int) (out []insight.TrendSeries) {
	expr, err := parser.ParseExpr(q.Formula)
	if err != nil {
		panic(err)
	}
	for i, first := range lines {
		if of[i] != 0 {
			continue
		}
		in := map[string]*insight.TrendSeries{}
		for j := range lines {
			if fmt.Sprint(lines[j].Other, lines[j].Breakdown == nil, orNoGroup(lines[j].Breakdown)) == fmt.Sprint(first.Other, first.Breakdown == nil, orNoGroup(first.Breakdown)) {
				in[string(rune('A'+of[j]))] = &lines[j]
			}
		}
		line := insight.TrendSeries{Math: weir.MathFormula, Formula: q.Formula, Breakdown: first.Breakdown, Other: first.Other}
		compute := func(values func(*insight.TrendSeries) *insight.Values) (v insight.Values) {
			of := func(value func(*insight.Values) *float64) *float64 {
				return evaluate(expr, func(name string) *float64 {
					if s := in[name]; s != nil {
						return value(values(s))
					}
					return nil
				})
			}
			for i, p := range values(&first).Points {
				v.Points = append(v.Points, insight.Point{Time: p.Time, Value: of(func(v *insight.Values) *float64 { return v.Points[i].Value })})
			}
			v.Total = of(func(v *insight.Values) *float64 { return v.Total })
			return v
		}
		line.Values = compute(func(s *insight.TrendSeries) *insight.Values { return &s.Values })
		if first.Compare != nil {
			line.Compare = &insight.Comparison{From: first.Compare.From, To: first.Compare.To}
			line.Compare.Values = compute(func(s *insight.TrendSeries) *insight.Values { return &s.Compare.Values })
		}
		out = append(out, line)
	}
	return out
}

func orNoGroup(g *insight.Group) insight.Group {
	if g == nil {
		return insight.Group{}
	}
	return *g
}

// evaluate computes a formula that Go reads too.
func evaluate(e ast.Expr, value func(name string) *float64) *float64 {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return evaluate(e.X, value)
	case *ast.UnaryExpr:
		if x := evaluate(e.X, value); x != nil {
			return new(-*x)
		}
		return nil
	case *ast.Ident:
		return value(e.Name)
	case *ast.BasicLit:
		x, err := strconv.ParseFloat(e.Value, 64)
		if err != nil {
			panic(err)
		}
		return &x
	case *ast.BinaryExpr:
		x, y := evaluate(e.X, value), evaluate(e.Y, value)
		if x == nil || y == nil || e.Op == token.QUO && *y == 0 {
			return nil
		}
		v := map[token.Token]float64{token.ADD: *x + *y, token.SUB: *x - *y, token.MUL: *x * *y, token.QUO: *x / *y}[e.Op]
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
		return &v
	}
	panic(fmt.Sprintf("a formula has a %T", e))
}

// together asks for trends whose lines are computed from each other, and for numbers of active persons.
func (a *asker) together(t *testing.T) {
	formulas := []string{"A / B * 100", "A - B", "(A + 2 * B) / (A - 3)", "-B / (A * 0)", "7"}
	for i := range a.rounds(24) {
		q := a.trend(intervals[1:][a.r.IntN(4)], weir.MathTotal, []weir.Math{weir.MathTotal, weir.MathUnique, weir.MathPerPerson}[a.r.IntN(3)])
		if a.r.IntN(3) == 0 {
			q.Breakdown, q.Limit = grouped[a.r.IntN(len(grouped))], 1+a.r.IntN(5)
		}
		if q.Cumulative = q.Series[1].Math == weir.MathTotal && a.r.IntN(2) == 0; a.r.IntN(3) == 0 {
			q.Compare = weir.ComparePrevious
		}
		q.Formula, q.Smooth, q.Bots = formulas[i%len(formulas)], []int{0, 1, 3}[a.r.IntN(3)], bots[a.r.IntN(len(bots))]
		a.ask(t, q)
	}
	for range a.rounds(12) {
		q := a.trend([]weir.Interval{weir.Day, weir.Week, weir.Month}[a.r.IntN(3)], weir.MathWeekly, weir.MathMonthly)
		q.Series[0].Filter, q.Bots = a.selector().Filter, bots[a.r.IntN(len(bots))]
		a.ask(t, q)
	}
}
