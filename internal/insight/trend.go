package insight

import (
	"cmp"
	"context"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

var trendKind = newKind[weir.Trend, Trend](weir.KindTrend, func(q *weir.Trend) {
	defaultToDay(&q.Common)
	if len(q.Series) == 0 {
		q.Series = []weir.Series{{}}
	}
	for i := range q.Series {
		q.Series[i].Math = cmp.Or(q.Series[i].Math, weir.MathTotal)
	}
}, planTrend)

// trendPlan is a trend that was checked.
type trendPlan struct {
	needs
	grouped
	series []seriesPlan
	people filter // of series that count people
	bots   weir.Bots
	asked  filter // the question's own

	formula    *weir.Formula // nil without one
	asFormula  string        // its text
	cumulative bool
	smooth     int
}

// seriesPlan is one series with how it is aggregated.
type seriesPlan struct {
	weir.Series
	aggregate aggregate
	value     *column // nil for total and unique
	own       filter  // beside the event's name: its action and its filter
	of        *column // what is counted in place of persons; nil: persons
}

// valueBytes is the memory of one value of a trend: its point, its JSON, and the copy that
// is cached.
const valueBytes = 200

func planTrend(e *Engine, p *weir.Project, q weir.Trend) (plan, error) {
	t := &trendPlan{}
	var err error
	if t.now, err = divide(q.From, q.To, q.Interval, p.Location(), e.o.MaxPoints); err != nil {
		return nil, err
	}
	t.asFormula, t.cumulative, t.smooth = q.Formula, q.Cumulative, q.Smooth
	if q.Formula != "" {
		if t.formula, err = weir.ParseFormula(q.Formula, len(q.Series)); err != nil {
			return nil, weir.Within("formula", err)
		}
	}
	t.before = earlier(t.now, q.Compare, q.From, q.To, p.Location())
	if err := t.group(e, p, q.Filter, q.Resolved, q.Breakdown, q.Limit); err != nil {
		return nil, err
	}
	t.identities = t.needsIdentities()
	t.bots, t.asked = q.Bots.OfPeople(), t.filter
	t.people, t.filter = t.filter.with(t.bots), t.filter.with(q.Bots.OfEvents())
	t.tallied = t.tallied && t.filter.tallied
	for i, s := range q.Series {
		sp, err := planSeries(e, p, s, q.Resolved)
		if err != nil {
			return nil, weir.Within(fmt.Sprintf("series[%d]", i), err)
		}
		t.series = append(t.series, sp)
		t.identities = t.identities || s.Math.OfPeople() || sp.own.identities
	}
	values := 0
	for _, b := range t.ranges() {
		values += len(b.starts)
	}
	lines := len(t.series)
	if t.formula != nil {
		lines++
	}
	if values *= lines; t.by != nil {
		values *= t.limit + 1
	}
	t.bytes = int64(values) * valueBytes
	return t, nil
}

func planSeries(e *Engine, p *weir.Project, s weir.Series, actions map[string]weir.ActionSpec) (seriesPlan, error) {
	sp := seriesPlan{Series: s, aggregate: aggregates[s.Math]}
	var err error
	if sp.own, err = checkSelector(e.d, p, weir.Selector{Action: s.Action, Filter: s.Filter}, actions); err != nil {
		return sp, err
	}
	if s.Of != "" {
		c, err := countedColumn(e.d, p, s.Of)
		if err == nil && c.source != "" {
			sp.own.sources = append(sp.own.sources, c.source)
		}
		sp.of = c
		return sp, weir.Within("of", err)
	}
	if !s.Math.OfValues() {
		return sp, nil
	}
	c, err := columnOf(e.d, p, s.Property)
	if err == nil {
		err = c.numeric()
	}
	sp.value = &c
	if money, ok := moneyAggregates[s.Math]; ok && sp.ofMoney() {
		sp.aggregate = money
	}
	return sp, weir.Within("property", err)
}

func (t *trendPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	lines := make([][]TrendSeries, len(t.series))
	var parts []func(context.Context) error
	for i, s := range t.series {
		parts = append(parts, func(ctx context.Context) (err error) {
			own := *t
			if s.Math.OfPeople() {
				own.filter, own.tallied = t.people, t.tallied && t.people.tallied
			}
			own.filter, own.asked, own.tallied = own.filter.and(s.own), own.asked.and(s.own), own.tallied && s.own.tallied
			if lines[i], err = own.line(ctx, r, s); err != nil {
				return fmt.Errorf("series %d: %w", i, err)
			}
			return nil
		})
	}
	a := &Trend{Series: []TrendSeries{}}
	if of, ok := t.countsPeople(); ok {
		parts = append(parts, func(ctx context.Context) (err error) {
			a.BotsLeftOut, err = r.leftOut(ctx, t.bots, t.now, t.asked.and(of), fragment{})
			return err
		})
	}
	if err := r.parallel(ctx, parts...); err != nil {
		return nil, err
	}
	for _, l := range t.finish(lines) {
		a.Series = append(a.Series, l...)
	}
	return a, nil
}

// countsPeople says whether a series counts people, and returns the filter for the events that
// such series are of.
func (t *trendPlan) countsPeople() (of filter, ok bool) {
	var alternatives []filter
	for _, s := range t.series {
		if !s.Math.OfPeople() {
			continue
		}
		f := s.own
		if s.Event != "" {
			f = ofName(s.Event).and(f)
		}
		if f.where == nil {
			return everything, true
		}
		alternatives = append(alternatives, f)
	}
	if len(alternatives) == 0 {
		return everything, false
	}
	return anyOf(alternatives), true
}

// line answers one series: with one line, or one for each group.
func (t *trendPlan) line(ctx context.Context, r *reader, s seriesPlan) ([]TrendSeries, error) {
	g, now, err := t.groupsOf(ctx, r, s)
	if err != nil {
		return nil, err
	}
	if len(g.names) == 0 {
		return nil, nil // a breakdown of no events
	}
	if err := t.oneCurrency(ctx, r, s); err != nil {
		return nil, err
	}
	if now == nil {
		if now, err = t.values(ctx, r, s, t.now, g); err != nil {
			return nil, err
		}
	}
	var before []Values
	if t.before != nil {
		if before, err = t.values(ctx, r, s, *t.before, g); err != nil {
			return nil, err
		}
	}
	out := make([]TrendSeries, len(g.names))
	for i := range out {
		out[i] = TrendSeries{Event: s.Event, Action: s.Action, Label: s.Label, Of: s.Of, Math: s.Math, Property: s.Property, Values: now[i]}
		if t.by != nil {
			out[i].Breakdown = &g.names[i]
			out[i].Other = g.other && i == len(g.names)-1
		}
		if t.before != nil {
			out[i].Compare = &Comparison{From: r.local(t.before.from), To: r.local(t.before.to), Values: before[i]}
		}
	}
	return out, nil
}

// values are the values of each line of a series over one range.
func (t *trendPlan) values(ctx context.Context, r *reader, s seriesPlan, b buckets, g *groups) ([]Values, error) {
	vs := make([]Values, len(g.names))
	for i := range vs {
		vs[i] = newValues(r, b)
	}
	if err := t.reading(s)(ctx, r, s, b, g, vs); err != nil {
		return nil, err
	}
	for i := range vs {
		if s.aggregate.zero {
			vs[i].zeros()
		}
		vs[i].settle(s.aggregate.added)
	}
	if g.other && s.ofMoney() && t.byCurrency() {
		vs[len(vs)-1].clear() // all other currencies together
	}
	return vs, nil
}

// reading returns what fills in the values of a series.
func (t *trendPlan) reading(s seriesPlan) func(context.Context, *reader, seriesPlan, buckets, *groups, []Values) error {
	switch s.Math {
	case weir.MathUnique:
		return t.unique
	case weir.MathWeekly, weir.MathMonthly:
		return t.lastDays
	case weir.MathPerPerson:
		return t.perPerson
	}
	return t.aggregated
}

// newValues are those of a line that has no values yet.
func newValues(r *reader, b buckets) Values {
	points := make([]Point, len(b.starts))
	for i, us := range b.starts {
		points[i].Time = r.local(us)
	}
	return Values{Points: points}
}
