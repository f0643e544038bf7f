package insight

import weir "github.com/weir-analytics/weir"

// finish makes the lines of a trend what the question asks of them together: sums so far, then
// the formula's lines, then means over some buckets.
func (t *trendPlan) finish(lines [][]TrendSeries) [][]TrendSeries {
	each := func(lines [][]TrendSeries, f func(*Values)) {
		for _, of := range lines {
			for i := range of {
				f(&of[i].Values)
				if of[i].Compare != nil {
					f(&of[i].Compare.Values)
				}
			}
		}
	}
	if t.cumulative {
		each(lines, (*Values).accumulate)
	}
	if t.formula != nil {
		lines = append(lines, t.computed(lines))
	}
	if t.smooth > 1 {
		each(lines, func(v *Values) { v.smooth(t.smooth) })
	}
	return lines
}

// accumulate makes each point the sum of those up to it.
func (v *Values) accumulate() {
	for i := 1; i < len(v.Points); i++ {
		now, before := &v.Points[i], v.Points[i-1]
		if before.Value != nil {
			now.Value = new(*before.Value + or(now.Value))
		}
	}
}

// smooth makes each point the mean of the last n points up to it. Points without a value do not
// count.
func (v *Values) smooth(n int) {
	means := make([]*float64, len(v.Points))
	for i := range v.Points {
		var sum, count float64
		for _, p := range v.Points[max(0, i-n+1) : i+1] {
			if p.Value != nil {
				sum, count = sum+*p.Value, count+1
			}
		}
		if count > 0 {
			means[i] = new(rounded(sum / count))
		}
	}
	for i := range means {
		v.Points[i].Value = means[i]
	}
}

// computed are the lines of the formula: one, or one for each group of the first series that it
// has. A group that is not among the largest of another series has no value there, and none of
// the formula.
func (t *trendPlan) computed(lines [][]TrendSeries) []TrendSeries {
	var out []TrendSeries
	for _, first := range lines[0] {
		line := TrendSeries{Math: weir.MathFormula, Formula: t.asFormula, Breakdown: first.Breakdown, Other: first.Other}
		of := make([]*TrendSeries, len(lines))
		for i := range lines {
			for j := range lines[i] {
				if sameGroup(&lines[i][j], &first) {
					of[i] = &lines[i][j]
				}
			}
		}
		line.Values = t.computedOf(of, func(s *TrendSeries) *Values { return &s.Values })
		if first.Compare != nil {
			line.Compare = &Comparison{From: first.Compare.From, To: first.Compare.To}
			line.Compare.Values = t.computedOf(of, func(s *TrendSeries) *Values { return &s.Compare.Values })
		}
		out = append(out, line)
	}
	return out
}

func sameGroup(a, b *TrendSeries) bool {
	return a.Other == b.Other && (a.Breakdown == nil || *a.Breakdown == *b.Breakdown)
}

// computedOf computes each point, and the total from the totals. The first series has all points.
func (t *trendPlan) computedOf(of []*TrendSeries, values func(*TrendSeries) *Values) Values {
	compute := func(value func(*Values) *float64) *float64 {
		vs := make([]*float64, len(of))
		for i, s := range of {
			if s != nil {
				vs[i] = value(values(s))
			}
		}
		v := t.formula.Value(vs)
		if v != nil {
			*v = rounded(*v)
		}
		return v
	}
	first := values(of[0])
	out := Values{Points: make([]Point, len(first.Points))}
	for i := range out.Points {
		out.Points[i].Time = first.Points[i].Time
		out.Points[i].Value = compute(func(v *Values) *float64 { return v.Points[i].Value })
	}
	out.Total = compute(func(v *Values) *float64 { return v.Total })
	return out
}
