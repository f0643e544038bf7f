package insight

import (
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// aggregate says how a series is aggregated.
type aggregate struct {
	values bool // over the numbers of a property
	// sql aggregates the column v of a group; nil for unique, which counts
	// persons by other means.
	sql func(cold.Dialect) string
	// fold makes the range's value of two buckets' values; nil where only the
	// rows themselves can tell.
	fold func(a, b float64) float64
	zero bool // nothing is 0, else null
}

func sum(a, b float64) float64 { return a + b }

func constant(s string) func(cold.Dialect) string { return func(cold.Dialect) string { return s } }

func quantile(q float64) func(cold.Dialect) string {
	return func(d cold.Dialect) string { return d.Quantile("v", q) }
}

var maths = map[weir.Math]aggregate{
	weir.MathTotal:  {sql: constant("CAST(COUNT(*) AS DOUBLE)"), fold: sum, zero: true},
	weir.MathUnique: {zero: true},
	weir.MathSum:    {values: true, sql: constant("SUM(v)"), fold: sum, zero: true},
	weir.MathAvg:    {values: true, sql: constant("AVG(v)")},
	weir.MathMin:    {values: true, sql: constant("MIN(v)"), fold: func(a, b float64) float64 { return min(a, b) }},
	weir.MathMax:    {values: true, sql: constant("MAX(v)"), fold: func(a, b float64) float64 { return max(a, b) }},
	weir.MathMedian: {values: true, sql: quantile(0.5)},
	weir.MathP90:    {values: true, sql: quantile(0.9)},
	weir.MathP95:    {values: true, sql: quantile(0.95)},
	weir.MathP99:    {values: true, sql: quantile(0.99)},
}

var mathNames = []weir.Math{
	weir.MathTotal, weir.MathUnique, weir.MathSum, weir.MathAvg, weir.MathMin, weir.MathMax,
	weir.MathMedian, weir.MathP90, weir.MathP95, weir.MathP99,
}
