package insight

import (
	"context"
	"fmt"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"golang.org/x/sync/errgroup"
)

// callsPlan is a question about calls whose every part was found to be allowed. Its
// ranges, filter and groups are those of a trend of one series.
type callsPlan struct {
	trendPlan
	calls  seriesPlan // the series of all calls
	sort   string
	points bool
}

// statusClass is a column that calls alone are broken down by: 2xx, 4xx and so on.
const statusClass = "status_class"

var statusClassColumn = column{name: statusClass, kind: text, expr: raw("CASE WHEN status < 200 THEN '1xx' WHEN status < 300 THEN '2xx' " +
	"WHEN status < 400 THEN '3xx' WHEN status < 500 THEN '4xx' WHEN status >= 500 THEN '5xx' END")}

// planCalls checks a query. Error: EINVALID.
func (e *Engine) planCalls(p *weir.Project, l linkState, q weir.Query) (*callsPlan, error) {
	if q.Kind != "" && q.Kind != weir.KindCalls {
		return nil, weir.Errorf(weir.EINVALID, "kind %q is not calls", q.Kind)
	}
	if len(q.Series) > 0 {
		return nil, weir.Errorf(weir.EINVALID, "calls take no series")
	}
	if q.Limit < 0 || q.Limit > maxGroups {
		return nil, weir.Errorf(weir.EINVALID, "limit must be 1 to %d", maxGroups)
	}
	pl := &callsPlan{calls: seriesPlan{Series: weir.Series{Event: weir.NameCall}}, sort: q.Sort, points: q.Interval != ""}
	pl.project, pl.groups = p, q.Limit
	if pl.groups == 0 {
		pl.groups = defaultGroups
	}
	switch q.Sort {
	case "":
		pl.sort = weir.SortCalls
	case weir.SortCalls, weir.SortErrors, weir.SortErrorRate, weir.SortLatency:
	default:
		return nil, weir.Errorf(weir.EINVALID, "unknown sort %q: use calls, errors, error_rate or latency", q.Sort)
	}
	var err error
	if pl.now, err = e.callBuckets(p, q); err != nil {
		return nil, err
	}
	if pl.before, err = earlier(pl.now, q, p.Location()); err != nil {
		return nil, err
	}
	if pl.filter, err = e.filter(p, l, q.Filter); err != nil {
		return nil, err
	}
	name := q.Breakdown
	if name == "" {
		name = "route"
	}
	c := statusClassColumn
	if name != statusClass {
		if c, err = e.breakdown(p, l, name); err != nil {
			return nil, err
		}
	}
	pl.group = &c
	pl.tallied = !e.o.Raw && (name == statusClass || cold.IsTallied(name))
	for _, c := range q.Filter {
		pl.tallied = pl.tallied && cold.IsTallied(c.Column)
	}
	return pl, nil
}

// cutCalls divides the range, which is one bucket where no interval is asked for.
func (e *Engine) callBuckets(p *weir.Project, q weir.Query) (buckets, error) {
	if q.Interval != "" {
		return divide(q.From, q.To, q.Interval, p.Location(), e.o.MaxPoints)
	}
	if !q.From.Before(q.To) {
		return buckets{}, weir.Errorf(weir.EINVALID, "from must be before to")
	}
	from := q.From.UnixMicro()
	return buckets{from: from, to: q.To.UnixMicro(), starts: []int64{from}}, nil
}

// Calls answers a query of kind calls. A filter chooses calls, and all of the
// answer is about these; without a breakdown they are grouped by route. freshness is
// as in Trend. Error: EINVALID for a query that is not allowed.
func (e *Engine) Calls(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Calls, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	return cached(ctx, e, weir.KindCalls, p, q, freshness, func(a *Calls) *Meta { return &a.Meta }, func(q weir.Query) (*Calls, error) {
		return e.askCalls(ctx, p, q, freshness)
	})
}

func (e *Engine) askCalls(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Calls, error) {
	pl, err := e.planCalls(p, linkState{}, q)
	if err != nil {
		return nil, err
	}
	release, err := e.hold(ctx, answerBytes)
	if err != nil {
		return nil, err
	}
	defer release()
	done, err := e.begin(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	if l, err := e.linkStateForTraits(ctx, p, q); err != nil {
		return nil, fmt.Errorf("insight: calls: %w", err)
	} else if l.aliases {
		if pl, err = e.planCalls(p, l, q); err != nil {
			return nil, err
		}
	}
	g, err := e.rankCalls(ctx, pl)
	if err != nil {
		return nil, fmt.Errorf("insight: calls: %w", err)
	}
	ranges := []buckets{pl.now}
	if pl.before != nil {
		ranges = append(ranges, *pl.before)
	}
	parts := make([]callsOfRange, len(ranges))
	eg, inner := errgroup.WithContext(ctx)
	eg.SetLimit(e.o.Parallel)
	for i, b := range ranges {
		parts[i] = newCallsOfRange(pl, b, g)
		for _, ask := range []func(context.Context, *callsPlan, buckets, *groups, *callsOfRange) error{e.callGroups, e.callPoints, e.callConsumers} {
			eg.Go(func() error { return ask(inner, pl, b, g, &parts[i]) })
		}
	}
	if err := eg.Wait(); err != nil {
		return nil, fmt.Errorf("insight: calls: %w", err)
	}
	m := done()
	for i, b := range ranges {
		parts[i].rates(b, m.AsOf.UnixMicro())
	}
	now := parts[0]
	a := &Calls{Groups: now.groups, Totals: now.totals, Points: now.points, Consumers: now.consumers, Meta: m}
	if pl.before != nil {
		loc, then := p.Location(), parts[1]
		a.Compare = &CallsComparison{
			From: time.UnixMicro(pl.before.from).In(loc), To: time.UnixMicro(pl.before.to).In(loc),
			Groups: then.groups, Totals: then.totals, Points: then.points, Consumers: then.consumers,
		}
	}
	return a, nil
}

// rankCalls finds the first groups in the order asked for; equal ones by number of
// calls, then in the order of their values.
func (e *Engine) rankCalls(ctx context.Context, pl *callsPlan) (*groups, error) {
	if pl.sort == weir.SortCalls {
		return e.top(ctx, &pl.trendPlan, pl.calls)
	}
	from := pl.counted(pl.now)
	each := "1" // events that a row stands for
	if from == inTotals {
		each = "events"
	}
	columns := from.column + ", status"
	failed := "SUM(CASE WHEN status >= 400 THEN " + each + " ELSE 0 END)"
	var by string
	switch pl.sort {
	case weir.SortErrors:
		by = failed
	case weir.SortErrorRate:
		by = "CAST(" + failed + " AS DOUBLE) / NULLIF(SUM(CASE WHEN status IS NULL THEN 0 ELSE " + each + " END), 0)"
	default:
		from = oneByOne
		columns, by = from.column+", latency_ms", e.d.Quantile("latency_ms", 0.95)
	}
	return e.ranked(ctx, &pl.trendPlan, sql("SELECT k, total FROM (SELECT k, CAST("+from.count+" AS BIGINT) AS total, "+by+" AS place FROM (SELECT @ AS k, "+columns+
		" FROM @ WHERE @) AS keyed GROUP BY k) AS measured ORDER BY place DESC NULLS LAST, total DESC, k NULLS LAST LIMIT "+strconv.Itoa(pl.groups+1),
		pl.group.key(), pl.trendPlan.from(from.table), e.where(&pl.trendPlan, pl.calls, pl.now)))
}

// callsOfRange is the answer over one range.
type callsOfRange struct {
	groups    []CallGroup
	totals    CallValues
	points    []CallPoint
	consumers CallConsumers
}

func newCallsOfRange(pl *callsPlan, b buckets, g *groups) callsOfRange {
	c := callsOfRange{groups: make([]CallGroup, len(g.names))}
	for i, name := range g.names {
		c.groups[i] = CallGroup{Breakdown: name, Other: g.other && i == len(g.names)-1}
	}
	if pl.points {
		c.points = make([]CallPoint, len(b.starts))
		for i, us := range b.starts {
			c.points[i].Time = time.UnixMicro(us).In(pl.project.Location())
		}
	}
	return c
}

// rates fills in the calls per second of what has passed at asOf.
func (c *callsOfRange) rates(b buckets, asOf int64) {
	rate := func(v *CallValues, from, to int64) {
		if asOf > from && asOf < to {
			to = asOf
		}
		if to > from {
			v.Rate = float64(v.Calls) / (float64(to-from) / 1e6)
		}
	}
	rate(&c.totals, b.from, b.to)
	for i := range c.groups {
		rate(&c.groups[i].CallValues, b.from, b.to)
	}
	for i := range c.points {
		end := b.to
		if i+1 < len(b.starts) {
			end = b.starts[i+1]
		}
		rate(&c.points[i].CallValues, max(b.starts[i], b.from), end)
	}
}

// callConsumers counts the consumers of a range in one pass over the past: who
// called last in it was there, and who called first in it is new.
func (e *Engine) callConsumers(ctx context.Context, pl *callsPlan, b buckets, _ *groups, c *callsOfRange) error {
	moment, from, to := e.d.Micros("ts"), b.from, b.to
	until := sql("ts < @", e.at(b.to))
	if b.wholeQuarters() {
		moment, from, to = "quarter", from/quarterOfHour, to/quarterOfHour
		until = sql("quarter < @", bind(to))
	}
	calls := sql("(SELECT consumer, "+moment+" AS moment FROM events WHERE project_id = @ AND name = @ AND consumer <> '' AND @@) AS picked",
		bind(pl.project.ID), bind(weir.NameCall), until, pl.filter)
	q := sql("SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN first >= @ THEN 1 ELSE 0 END), 0) AS BIGINT) FROM "+
		"(SELECT consumer, MIN(moment) AS first, MAX(moment) AS last FROM @ GROUP BY consumer) AS seen WHERE last >= @", bind(from), calls, bind(from))
	return e.each(ctx, q, func(scan func(...any) error) error {
		if err := scan(&c.consumers.Active, &c.consumers.New); err != nil {
			return err
		}
		c.consumers.Returning = c.consumers.Active - c.consumers.New
		return nil
	})
}

// callGroups fills in the groups and the totals.
func (e *Engine) callGroups(ctx context.Context, pl *callsPlan, b buckets, g *groups, c *callsOfRange) error {
	rows := g.split("status, latency_ms", sql("(SELECT status, latency_ms, @ AS k FROM @ WHERE @) AS picked",
		pl.group.key(), pl.trendPlan.from("events"), e.where(&pl.trendPlan, pl.calls, b)))
	q := e.measured([]string{"GROUPING(o) AS total", "o AS o", "g AS g"}, rows, "GROUPING SETS ((o, g), ())")
	return e.each(ctx, q, func(scan func(...any) error) error {
		var all int64
		var o *int64
		k := newKey(pl.group.kind)
		var v callScan
		if err := scan(append([]any{&all, &o, k.into()}, v.into()...)...); err != nil {
			return err
		}
		if all == 1 {
			c.totals = v.values()
		} else if line := g.line(or(o), k); line >= 0 {
			c.groups[line].CallValues = v.values()
		}
		return nil
	})
}

// callPoints fills in the buckets.
func (e *Engine) callPoints(ctx context.Context, pl *callsPlan, b buckets, _ *groups, c *callsOfRange) error {
	if !pl.points {
		return nil
	}
	moment, index := b.index(e.d)
	rows := sql("(SELECT "+index+" AS b, status, latency_ms FROM (SELECT "+moment+" AS moment, status, latency_ms FROM events WHERE @) AS picked) AS bucketed",
		e.where(&pl.trendPlan, pl.calls, b))
	q := e.measured([]string{"b AS b"}, rows, "b")
	return e.each(ctx, q, func(scan func(...any) error) error {
		var bucket int64
		var v callScan
		if err := scan(append([]any{&bucket}, v.into()...)...); err != nil {
			return err
		}
		if bucket < 0 || bucket >= int64(len(c.points)) {
			return fmt.Errorf("row of bucket %d among %d", bucket, len(c.points))
		}
		c.points[bucket].CallValues = v.values()
		return nil
	})
}
