package insight

import (
	"cmp"
	"context"

	weir "github.com/weir-analytics/weir"
)

var callsKind = withTotals(newKind[weir.Calls, Calls](weir.KindCalls, nil, planCalls),
	func(c weir.Common) weir.Question { return weir.Calls{Common: c, Limit: 1} },
	func(a *Calls) (map[weir.AlertValue]*float64, int64) {
		v := &a.Totals
		return map[weir.AlertValue]*float64{
			weir.ValueApdex: v.Apdex, weir.ValueSuccessRate: v.SuccessRate, weir.ValueErrorRate4xx: v.ErrorRate4xx, weir.ValueErrorRate5xx: v.ErrorRate5xx,
			weir.ValueRate: &v.Rate, weir.ValueLatencyMean: v.LatencyMean, weir.ValueLatencyP50: v.P50, weir.ValueLatencyP90: v.P90,
			weir.ValueLatencyP95: v.P95, weir.ValueLatencyP99: v.P99, weir.ValueNewConsumers: count(a.Consumers.New),
		}, v.Calls
	},
	Measure{Name: weir.ValueApdex, Unit: Index},
	Measure{Name: weir.ValueSuccessRate, Unit: Share}, Measure{Name: weir.ValueErrorRate4xx, Unit: Share}, Measure{Name: weir.ValueErrorRate5xx, Unit: Share},
	Measure{Name: weir.ValueRate, Amount: true},
	Measure{Name: weir.ValueLatencyMean, Unit: Milliseconds}, Measure{Name: weir.ValueLatencyP50, Unit: Milliseconds}, Measure{Name: weir.ValueLatencyP90, Unit: Milliseconds},
	Measure{Name: weir.ValueLatencyP95, Unit: Milliseconds}, Measure{Name: weir.ValueLatencyP99, Unit: Milliseconds},
	Measure{Name: weir.ValueNewConsumers})

// callsPlan is a question about calls that was checked.
type callsPlan struct {
	needs
	grouped
	sort   weir.CallSort
	points bool
}

// statusClass is a column that only calls are broken down by: 2xx, 4xx and so on.
const statusClass = "status_class"

var statusClassColumn = column{name: statusClass, kind: text, kept: true, expr: raw("CASE WHEN status < 200 THEN '1xx' WHEN status < 300 THEN '2xx' " +
	"WHEN status < 400 THEN '3xx' WHEN status < 500 THEN '4xx' WHEN status >= 500 THEN '5xx' END")}

func planCalls(e *Engine, p *weir.Project, q weir.Calls) (plan, error) {
	c := &callsPlan{sort: cmp.Or(q.Sort, weir.SortCalls), points: q.Interval != ""}
	c.now = oneBucket(q.From, q.To)
	var err error
	if c.points {
		if c.now, err = divide(q.From, q.To, q.Interval, p.Location(), e.o.MaxPoints); err != nil {
			return nil, err
		}
	}
	c.before = earlier(c.now, q.Compare, q.From, q.To, p.Location())
	by := cmp.Or(q.Breakdown, weir.DefaultCallGroups)
	if by == statusClass {
		err = c.group(e, p, q.Filter, q.Resolved, "", q.Limit)
		c.by = &statusClassColumn // made of status, which tallies has
	} else {
		err = c.group(e, p, q.Filter, q.Resolved, by, q.Limit)
	}
	c.filter = c.filter.with(q.Bots.OfEvents())
	c.tallied = c.tallied && c.filter.tallied
	c.needs = needs{bytes: answerBytes, identities: c.needsIdentities()}
	return c, err
}

func (c *callsPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	g, err := c.rank(ctx, r)
	if err != nil {
		return nil, err
	}
	ranges := c.ranges()
	found := make([]CallsOfRange, len(ranges))
	var parts []func(context.Context) error
	for i, b := range ranges {
		found[i] = c.ofRange(r, b, g)
		parts = append(parts,
			func(ctx context.Context) error { return c.groups(ctx, r, b, g, &found[i]) },
			func(ctx context.Context) error { return c.pointsOf(ctx, r, b, &found[i]) },
			func(ctx context.Context) error { return c.consumers(ctx, r, b, &found[i]) })
	}
	if err := r.parallel(ctx, parts...); err != nil {
		return nil, err
	}
	for i, b := range ranges {
		found[i].rates(b, r.asOf.UnixMicro())
	}
	a := &Calls{CallsOfRange: found[0]}
	if c.before != nil {
		a.Compare = &CallsComparison{From: r.local(c.before.from), To: r.local(c.before.to), CallsOfRange: found[1]}
	}
	return a, nil
}

// rank finds the first groups in the order asked for. Equal ones are in the order of their
// number of calls, then of their values.
func (c *callsPlan) rank(ctx context.Context, r *reader) (*groups, error) {
	if c.sort == weir.SortCalls {
		return c.largest(ctx, r, weir.NameCall)
	}
	from := c.counted(c.now)
	calls := "1" // that a row stands for
	if from == tallies {
		calls = "events"
	}
	read := from.read + ", status"
	failed := "SUM(CASE WHEN status >= 400 THEN " + calls + " ELSE 0 END)"
	var by string
	switch c.sort {
	case weir.SortErrors:
		by = failed
	case weir.SortErrorRate:
		by = "CAST(" + failed + " AS DOUBLE) / NULLIF(SUM(CASE WHEN status IS NULL THEN 0 ELSE " + calls + " END), 0)"
	default:
		from = eachEvent
		read, by = from.read+", latency_ms", r.d.Quantile("latency_ms", 0.95)
	}
	measured := selection{columns: names("k", "CAST("+from.count+" AS BIGINT) AS total", by+" AS place"), from: c.keyed(r, from, raw(read), weir.NameCall), groupBy: "k"}
	return c.read(ctx, r, selection{
		columns: raw("k, total"), from: measured.as("measured"),
		orderBy: "place DESC NULLS LAST, total DESC, k NULLS LAST", limit: c.limit + 1,
	})
}

// ofRange is an answer over one range without values yet.
func (c *callsPlan) ofRange(r *reader, b buckets, g *groups) CallsOfRange {
	a := CallsOfRange{Groups: make([]CallGroup, len(g.names))}
	for i, name := range g.names {
		a.Groups[i] = CallGroup{Breakdown: name, Other: g.other && i == len(g.names)-1}
	}
	if c.points {
		a.Points = make([]CallPoint, len(b.starts))
		for i, us := range b.starts {
			a.Points[i].Time = r.local(us)
		}
	}
	return a
}

// rates fills in the calls per second, over what has passed at asOf.
func (a *CallsOfRange) rates(b buckets, asOf int64) {
	rate := func(v *CallValues, from, to int64) {
		if asOf > from && asOf < to {
			to = asOf
		}
		if to > from {
			v.Rate = float64(v.Calls) / (float64(to-from) / 1e6)
		}
	}
	rate(&a.Totals, b.from, b.to)
	for i := range a.Groups {
		rate(&a.Groups[i].CallValues, b.from, b.to)
	}
	for i := range a.Points {
		rate(&a.Points[i].CallValues, max(b.starts[i], b.from), b.end(i))
	}
}

// groups fills in the groups and the totals.
func (c *callsPlan) groups(ctx context.Context, r *reader, b buckets, g *groups, a *CallsOfRange) error {
	picked := c.by.withKey(r.d, raw("status, latency_ms, "+c.lost(r)+" AS lost"), c.rowsOf(r, "events", b), c.where(r, weir.NameCall, b))
	q := r.measured([]string{"GROUPING(o) AS total", "o AS o", "g AS g"}, g.split("status, latency_ms", picked.as("picked")), "GROUPING SETS ((o, g), ())")
	return r.each(ctx, q, func(scan func(...any) error) error {
		var all int64
		var o *int64
		k := newKey(c.by.kind)
		var v callScan
		if err := scan(append([]any{&all, &o, k.into()}, v.into()...)...); err != nil {
			return err
		}
		if all == 1 {
			a.Totals = v.values()
		} else if i := g.index(or(o), k); i >= 0 {
			a.Groups[i].CallValues = v.values()
		}
		return nil
	})
}

// pointsOf fills in the points.
func (c *callsPlan) pointsOf(ctx context.Context, r *reader, b buckets, a *CallsOfRange) error {
	if !c.points {
		return nil
	}
	picked := selection{columns: names(b.moment(r.d), "status", "latency_ms"), from: r.events(b.span(), c.filter, nil), where: c.where(r, weir.NameCall, b)}
	q := r.measured([]string{"b AS b"}, r.inBuckets(b, "status, latency_ms", picked.statement()), "b")
	return r.each(ctx, q, func(scan func(...any) error) error {
		var bucket int64
		var v callScan
		if err := scan(append([]any{&bucket}, v.into()...)...); err != nil {
			return err
		}
		if bucket < 0 || bucket >= int64(len(a.Points)) {
			return badBucket(bucket, len(a.Points))
		}
		a.Points[bucket].CallValues = v.values()
		return nil
	})
}

// consumers counts the consumers of a range in one pass over all the past. Who called last
// in the range or after its begin was active in it; who called first then is new.
func (c *callsPlan) consumers(ctx context.Context, r *reader, b buckets, a *CallsOfRange) error {
	moment, from := r.d.Micros("ts"), b.from
	until := sql("ts < @", r.at(b.to))
	if b.wholeQuarters() {
		moment, from = "quarter", from/quarterOfHour
		until = sql("quarter < @", bind(b.to/quarterOfHour))
	}
	calls := selection{
		columns: names("consumer", moment+" AS moment"), from: r.events(span{always.from, b.to}, c.filter, nil),
		where: all(sql("project_id = @ AND name = @ AND consumer <> ''", bind(r.project.ID), bind(weir.NameCall)), until, r.passes(c.filter)),
	}
	seen := selection{columns: raw("consumer, MIN(moment) AS first, MAX(moment) AS last"), from: calls.as("picked"), groupBy: "consumer"}
	q := selection{
		columns: sql("COUNT(*), "+whole(countIf("first >= @")), bind(from)), from: seen.as("seen"), where: sql("last >= @", bind(from)),
	}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		if err := scan(&a.Consumers.Active, &a.Consumers.New); err != nil {
			return err
		}
		a.Consumers.Returning = a.Consumers.Active - a.Consumers.New
		return nil
	})
}
