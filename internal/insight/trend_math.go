package insight

import (
	"math"
	"strconv"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// aggregate says how a series is aggregated.
type aggregate struct {
	// sql aggregates the column v of a group. It is nil for numbers of persons, which are counted in
	// another way.
	sql func(cold.Dialect) string
	// fold makes the value of the range from the values of two buckets. It is nil if only
	// the events themselves have that value, as with a mean.
	fold  func(a, b float64) float64
	zero  bool // the value of no events is 0, not null
	added bool // the value is a sum or a mean of values: see rounded
}

func sum(a, b float64) float64 { return a + b }

func constant(s string) func(cold.Dialect) string { return func(cold.Dialect) string { return s } }

func quantile(q float64) func(cold.Dialect) string {
	return func(d cold.Dialect) string { return d.Quantile("v", q) }
}

var aggregates = map[weir.Math]aggregate{
	weir.MathTotal:  {sql: constant("CAST(COUNT(*) AS DOUBLE)"), fold: sum, zero: true},
	weir.MathUnique: {zero: true},

	weir.MathWeekly: {zero: true}, weir.MathMonthly: {zero: true}, weir.MathPerPerson: {added: true},
	weir.MathSum:    {sql: func(d cold.Dialect) string { return d.Sum("v") }, fold: sum, zero: true, added: true},
	weir.MathAvg:    {sql: func(d cold.Dialect) string { return d.Sum("v") + " / NULLIF(COUNT(v), 0)" }, added: true},
	weir.MathMin:    {sql: constant("MIN(v)"), fold: func(a, b float64) float64 { return min(a, b) }},
	weir.MathMax:    {sql: constant("MAX(v)"), fold: func(a, b float64) float64 { return max(a, b) }},
	weir.MathMedian: {sql: quantile(0.5)},
	weir.MathP90:    {sql: quantile(0.9)},
	weir.MathP95:    {sql: quantile(0.95)},
	weir.MathP99:    {sql: quantile(0.99)},
}

// zeros sets points and total without a value to 0.
func (v *Values) zeros() {
	for i := range v.Points {
		if v.Points[i].Value == nil {
			v.Points[i].Value = new(float64)
		}
	}
	if v.Total == nil {
		v.Total = new(float64)
	}
}

// clear sets all values to null.
func (v *Values) clear() {
	for i := range v.Points {
		v.Points[i].Value = nil
	}
	v.Total = nil
}

// set sets the value of a bucket.
func (v *Values) set(bucket int64, value *float64) error {
	if bucket < 0 || bucket >= int64(len(v.Points)) {
		return badBucket(bucket, len(v.Points))
	}
	v.Points[bucket].Value = value
	return nil
}

// add adds to the value of a bucket.
func (v *Values) add(bucket int64, value float64) error {
	if bucket >= 0 && bucket < int64(len(v.Points)) && v.Points[bucket].Value != nil {
		value += *v.Points[bucket].Value
	}
	return v.set(bucket, &value)
}

// fold makes the total from the points, in their order, so that the same points always
// have the same total.
func (v *Values) fold(f func(a, b float64) float64) {
	for _, p := range v.Points {
		switch {
		case p.Value == nil:
		case v.Total == nil:
			total := *p.Value
			v.Total = &total
		default:
			*v.Total = f(*v.Total, *p.Value)
		}
	}
}

// foldSum is fold for sums. What an addition loses is added at the end (Neumaier 1974), so
// that ten times 0.1 is 1.
func (v *Values) foldSum() {
	var sum, lost float64
	found := false
	for _, p := range v.Points {
		if p.Value == nil {
			continue
		}
		x := *p.Value
		next := sum + x
		if math.Abs(sum) >= math.Abs(x) {
			lost += (sum - next) + x
		} else {
			lost += (x - next) + sum
		}
		sum, found = next, true
	}
	if found {
		v.Total = new(sum + lost)
	}
}

// settle makes the values such that JSON can write them. A value that overflows is null, and
// counted. added says that they are sums.
func (v *Values) settle(added bool) {
	settle := func(p **float64) {
		switch {
		case *p == nil:
		case finite(*p) == nil:
			*p = nil
			v.Overflowed++
		case added:
			*p = new(rounded(**p))
		default:
			*p = new(**p + 0) // not -0
		}
	}
	for i := range v.Points {
		settle(&v.Points[i].Value)
	}
	settle(&v.Total)
}

// rounded returns a sum without the noise of binary fractions: 0.1 + 0.2 is 0.3. It has 15
// digits, as many as a double always holds. Whole numbers stay as they are.
func rounded(v float64) float64 {
	if v == math.Trunc(v) {
		return v + 0
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 15, 64), 64)
	if err != nil {
		return v
	}
	return short
}

// finite returns nil for what JSON cannot write: a sum that overflows is null.
func finite(v *float64) *float64 {
	if v == nil || math.IsInf(*v, 0) || math.IsNaN(*v) {
		return nil
	}
	return v
}
