package coldtest

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// trend answers a query of kind trend.
func (o *oracle) trend(q weir.Trend) *insight.Trend {
	starts := o.starts(q.From, q.To, q.Interval)
	out := []insight.TrendSeries{}
	asked, people, of := q, []weir.Series{}, []int{}
	for i, s := range q.Series {
		q := asked
		q.Filter = withBots(q.Filter, q.Bots.OfEvents())
		if s.Math.OfPeople() {
			q.Filter = withBots(asked.Filter, q.Bots.OfPeople())
			people = append(people, s)
		}
		q.Filter = seriesFilter(q.Filter, s)
		events := o.match(q.From, q.To, q.Filter, s.Event)
		for _, g := range o.groups(q, events) {
			line := insight.TrendSeries{Event: s.Event, Action: s.Action, Label: s.Label, Of: s.Of, Math: s.Math, Property: s.Property, Breakdown: g.name, Other: g.other}
			if s.Math == weir.MathWeekly || s.Math == weir.MathMonthly {
				line.Values = o.lastDaysOf(q, s, starts, q.To)
			} else {
				line.Values = o.values(s, o.only(g, events), starts)
			}
			if q.Compare != weir.CompareNone {
				line.Compare = o.compare(q, s, g, starts)
			}
			if g.other && q.Breakdown == "currency" && s.Property == "revenue" {
				nothing(&line.Values)
				if line.Compare != nil {
					nothing(&line.Compare.Values)
				}
			}
			out, of = append(out, line), append(of, i)
		}
	}
	a := &insight.Trend{Series: together(asked, out, of)}
	if len(people) > 0 && asked.Bots.OfPeople() == weir.BotsOut {
		who := map[[2]string]bool{}
		for _, s := range people {
			for _, e := range o.match(asked.From, asked.To, withBots(seriesFilter(asked.Filter, s), weir.BotsOnly), s.Event) {
				if p, ok := o.person(e); ok {
					who[p] = true
				}
			}
		}
		a.BotsLeftOut = new(int64(len(who)))
	}
	return a
}

// seriesFilter returns the filter with what a series of an action adds.
func seriesFilter(f weir.Filter, s weir.Series) weir.Filter {
	if f = slices.Concat(f, s.Filter); s.Action != "" {
		f = append(f, ofAction(s.Action))
	}
	return f
}

func nothing(v *insight.Values) {
	v.Total = nil
	for i := range v.Points {
		v.Points[i].Value = nil
	}
}

// refuses says whether a trend would add up revenue of several currencies.
func (o *oracle) refuses(q weir.Question) bool {
	trend, ok := q.(weir.Trend)
	if !ok || trend.Breakdown == "currency" {
		return false
	}
	trend.Filter = withBots(trend.Filter, trend.Bots.OfEvents()) // revenue is a number of events
	asked := trend
	for _, s := range trend.Series {
		trend := asked
		trend.Filter = seriesFilter(asked.Filter, s)
		events := o.match(trend.From, trend.To, trend.Filter, s.Event)
		if s.Property != "revenue" || trend.Breakdown != "" && len(events) == 0 {
			continue
		}
		if trend.Compare != weir.CompareNone {
			back := o.back(trend.Common, trend.Compare)
			events = append(events, o.match(back(trend.From), back(trend.To), trend.Filter, s.Event)...)
		}
		currencies := map[string]bool{}
		for _, e := range events {
			if e.Revenue.Known && (e.Revenue.Value != 0 || e.Currency != "") {
				currencies[e.Currency] = true
			}
		}
		if len(currencies) > 1 {
			return true
		}
	}
	return false
}

func (o *oracle) compare(q weir.Trend, s weir.Series, g group, starts []time.Time) *insight.Comparison {
	back := o.back(q.Common, q.Compare)
	c := &insight.Comparison{From: back(q.From), To: back(q.To)}
	earlier := make([]time.Time, len(starts))
	for i, t := range starts {
		earlier[i] = back(t)
		if i > 0 && earlier[i].Before(earlier[i-1]) {
			earlier[i] = earlier[i-1]
		}
	}
	c.Values = o.values(s, o.only(g, o.match(c.From, c.To, q.Filter, s.Event)), earlier)
	return c
}

// group is one line of a breakdown: the events with a value, without one, or
// with none of the values that have a line.
type group struct {
	column string
	name   *insight.Group
	other  bool
	named  []insight.Group
}

func (o *oracle) only(g group, events []*weir.EventRow) []*weir.EventRow {
	if g.name == nil {
		return events
	}
	var out []*weir.EventRow
	for _, e := range events {
		v, ok := o.group(e, g.column)
		if !ok && isErased(e) && !keptByErasure(g.column) {
			continue
		}
		is := insight.Group{Value: v, None: !ok}
		if !ok {
			is.Value = ""
		}
		if g.other && !slices.Contains(g.named, is) || !g.other && is == *g.name {
			out = append(out, e)
		}
	}
	return out
}

// keptByErasure says whether an erasure leaves a column's values.
func keptByErasure(column string) bool {
	return slices.Contains([]string{"name", "method", "route", "status", "status_class", "latency_ms", "request_bytes", "response_bytes", "bot", "import_id"}, column)
}

func (o *oracle) groups(q weir.Trend, events []*weir.EventRow) []group {
	if q.Breakdown == "" {
		return []group{{}}
	}
	counts := make(map[insight.Group]int)
	for _, e := range events {
		v, ok := o.group(e, q.Breakdown)
		if !ok && isErased(e) && !keptByErasure(q.Breakdown) {
			continue
		}
		if !ok {
			v = ""
		}
		counts[insight.Group{Value: v, None: !ok}]++
	}
	var all []insight.Group
	for g := range counts {
		all = append(all, g)
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		if counts[a] != counts[b] {
			return counts[a] > counts[b]
		}
		if a.None != b.None {
			return b.None
		}
		if numericColumn(q.Breakdown) {
			x, _ := strconv.ParseFloat(a.Value, 64)
			y, _ := strconv.ParseFloat(b.Value, 64)
			return x < y
		}
		return a.Value < b.Value
	})
	limit := q.Limit
	if limit == 0 {
		limit = 10
	}
	named := all[:min(limit, len(all))]
	var out []group
	for i := range named {
		out = append(out, group{column: q.Breakdown, name: &named[i], named: named})
	}
	if len(all) > limit {
		out = append(out, group{column: q.Breakdown, name: &insight.Group{Value: "other"}, other: true, named: named})
	}
	return out
}

// values measures events per bucket and over all.
func (o *oracle) values(s weir.Series, events []*weir.EventRow, starts []time.Time) insight.Values {
	v := insight.Values{Points: make([]insight.Point, len(starts))}
	in := make([][]*weir.EventRow, len(starts))
	for _, e := range events {
		i := sort.Search(len(starts), func(i int) bool { return starts[i].After(e.Time) }) - 1
		in[i] = append(in[i], e)
	}
	for i, t := range starts {
		v.Points[i] = insight.Point{Time: t, Value: o.measure(s, in[i])}
	}
	v.Total = o.measure(s, events)
	if s.Property != "" {
		for _, e := range events {
			if x, ok := o.value(e, s.Property); ok {
				if _, ok := numeric(x); !ok {
					v.Ignored++
				}
			}
		}
	}
	return v
}

func (o *oracle) measure(s weir.Series, events []*weir.EventRow) *float64 {
	switch s.Math {
	case weir.MathTotal:
		n := float64(len(events))
		return &n
	case weir.MathPerPerson:
		return o.perPerson(events)
	case weir.MathUnique:
		if s.Of != "" {
			values := make(map[string]bool)
			for _, e := range events {
				if v, ok := o.value(e, s.Of); ok {
					values[v] = true
				}
			}
			return new(float64(len(values)))
		}
		persons := make(map[[2]string]bool)
		for _, e := range events {
			if p, ok := o.person(e); ok {
				persons[p] = true
			}
		}
		n := float64(len(persons))
		return &n
	}
	var xs []float64
	for _, e := range events {
		if v, ok := o.value(e, s.Property); ok {
			if x, ok := numeric(v); ok {
				xs = append(xs, x)
			}
		}
	}
	slices.Sort(xs)
	var total float64
	for _, x := range xs {
		total += x
	}
	if s.Math == weir.MathSum {
		return &total
	}
	if len(xs) == 0 {
		return nil
	}
	result := map[weir.Math]float64{
		weir.MathAvg: total / float64(len(xs)), weir.MathMin: xs[0], weir.MathMax: xs[len(xs)-1],
		weir.MathMedian: interpolate(xs, 0.5), weir.MathP90: interpolate(xs, 0.9), weir.MathP95: interpolate(xs, 0.95), weir.MathP99: interpolate(xs, 0.99),
	}[s.Math]
	return &result
}

// interpolate is the quantile of sorted values, between the two nearest ranks.
func interpolate(xs []float64, q float64) float64 {
	rank := q * float64(len(xs)-1)
	low := math.Floor(rank)
	x := xs[int(low)]
	if rank > low {
		x += (xs[int(low)+1] - x) * (rank - low)
	}
	return x
}
