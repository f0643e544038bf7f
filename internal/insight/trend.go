package insight

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"golang.org/x/sync/errgroup"
)

// Trend answers a query of kind trend. freshness is how old an answer may be; 0
// waits for all that was acknowledged. Error: EINVALID for a query that is not
// allowed.
func (e *Engine) Trend(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Trend, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	return cached(ctx, e, weir.KindTrend, p, q, freshness, func(a *Trend) *Meta { return &a.Meta }, func(q weir.Query) (*Trend, error) {
		return e.trend(ctx, p, q, freshness)
	})
}

func (e *Engine) trend(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (*Trend, error) {
	t, err := e.planTrend(p, linkState{}, q)
	if err != nil {
		return nil, err
	}
	release, err := e.hold(ctx, t.bytes())
	if err != nil {
		return nil, err
	}
	defer release()
	done, err := e.begin(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	if l, err := e.linkStateForTraits(ctx, p, q); err != nil {
		return nil, fmt.Errorf("insight: trend: %w", err)
	} else if l.aliases {
		if t, err = e.planTrend(p, l, q); err != nil {
			return nil, err
		}
	}
	answers := make([][]TrendSeries, len(t.series))
	eg, ctx := errgroup.WithContext(ctx)
	eg.SetLimit(e.o.Parallel)
	for i, s := range t.series {
		eg.Go(func() error {
			var err error
			if answers[i], err = e.series(ctx, t, s); err != nil {
				return fmt.Errorf("insight: trend: series %d: %w", i, err)
			}
			return nil
		})
	}
	if err := eg.Wait(); err != nil {
		return nil, err
	}
	a := &Trend{Series: []TrendSeries{}}
	for _, ss := range answers {
		a.Series = append(a.Series, ss...)
	}
	a.Meta = done()
	return a, nil
}

// series answers one series: one line, or one per group.
func (e *Engine) series(ctx context.Context, t *trendPlan, s seriesPlan) ([]TrendSeries, error) {
	g, err := e.top(ctx, t, s)
	if err != nil {
		return nil, err
	}
	if len(g.names) == 0 {
		return nil, nil // a breakdown of no events
	}
	now, err := e.lines(ctx, t, s, t.now, g)
	if err != nil {
		return nil, err
	}
	var before []Values
	if t.before != nil {
		if before, err = e.lines(ctx, t, s, *t.before, g); err != nil {
			return nil, err
		}
	}
	out := make([]TrendSeries, len(g.names))
	for i := range out {
		out[i] = TrendSeries{Event: s.Event, Math: s.Math, Property: s.Property, Values: now[i]}
		if t.group != nil {
			out[i].Breakdown = &g.names[i]
			out[i].Other = g.other && i == len(g.names)-1
		}
		if t.before != nil {
			loc := t.project.Location()
			out[i].Compare = &Comparison{
				From:   time.UnixMicro(t.before.from).In(loc),
				To:     time.UnixMicro(t.before.to).In(loc),
				Values: before[i],
			}
		}
	}
	return out, nil
}

// lines are the values of every line of a series over one range.
func (e *Engine) lines(ctx context.Context, t *trendPlan, s seriesPlan, b buckets, g *groups) ([]Values, error) {
	vs := make([]Values, len(g.names))
	for i := range vs {
		vs[i].Points = make([]Point, len(b.starts))
		for j, us := range b.starts {
			vs[i].Points[j].Time = time.UnixMicro(us).In(t.project.Location())
		}
	}
	var err error
	if s.aggregate.sql == nil {
		err = e.uniques(ctx, t, s, b, g, vs)
	} else {
		err = e.aggregates(ctx, t, s, b, g, vs)
	}
	if err != nil {
		return nil, err
	}
	if s.aggregate.zero {
		for i := range vs {
			vs[i].zeros()
		}
	}
	return vs, nil
}

// zeros makes what has no value 0.
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

// where selects a series' rows of events within a range.
func (e *Engine) where(t *trendPlan, s seriesPlan, b buckets) fragment {
	f := sql("@@", e.moments(t, b), t.filter)
	if s.Event != "" {
		f = sql("@ AND name = @", f, bind(s.Event))
	}
	return f
}

// source is where the events of a range are counted.
type source struct {
	table string
	// column is what has to be read of a row, under a name, for count to count.
	column, name, count string
}

var (
	oneByOne = source{"events", "1 AS one", "one", "COUNT(*)"}
	inTotals = source{"tallies", "events", "events", "SUM(events)"}
)

// counted is where numbers of events of a range come from.
func (t *trendPlan) counted(b buckets) source {
	if t.tallied && b.wholeQuarters() {
		return inTotals
	}
	return oneByOne
}

// source is where a series' rows of a range come from.
func (t *trendPlan) source(s seriesPlan, b buckets) source {
	if s.Math == weir.MathTotal {
		return t.counted(b)
	}
	return oneByOne
}

// moments is the rows of the range: by their quarter where the range is of whole
// ones, as that is the cheaper column to read.
func (e *Engine) moments(t *trendPlan, b buckets) fragment {
	if !b.wholeQuarters() {
		return e.window(t.project, "ts", b.from, b.to)
	}
	return sql("project_id = @ AND quarter >= @ AND quarter < @", bind(t.project.ID), bind(b.from/quarterOfHour), bind(b.to/quarterOfHour))
}

// columns are the grouping columns beside others, with a comma after them.
func (t *trendPlan) columns() string {
	if t.group != nil {
		return "o, g, "
	}
	return ""
}

// rows is a table of a series' rows within a range, with the bucket as b, the
// group as o and g if there is a breakdown, and the columns named.
func (e *Engine) rows(t *trendPlan, s seriesPlan, b buckets, g *groups, names string, columns, where fragment) fragment {
	moment, index := b.index(e.d)
	inner := sql("SELECT "+moment+" AS moment, @", columns)
	if t.group != nil {
		inner = sql("@, @ AS k", inner, t.group.key())
	}
	inner = sql("(@ FROM @ WHERE @) AS picked", inner, t.from(t.source(s, b).table), where)
	columnsOut := index + " AS b, " + names
	if t.group == nil {
		return sql("(SELECT "+columnsOut+" FROM @) AS bucketed", inner)
	}
	return g.split(columnsOut, inner)
}

// aggregates fills in the values of a series that SQL aggregates.
func (e *Engine) aggregates(ctx context.Context, t *trendPlan, s seriesPlan, b buckets, g *groups, vs []Values) error {
	if s.value == nil && t.group == nil && b.inQuarters() {
		return e.totals(ctx, t, s, b, vs)
	}
	from := t.source(s, b)
	columns, names, value := raw(from.column), from.name, "CAST("+from.count+" AS DOUBLE), 0"
	if s.value != nil {
		columns, names, value = sql("@ AS x", s.value.expr), "x, CAST(x AS DOUBLE) AS v", s.aggregate.sql(e.d)+", COUNT(x) - COUNT(v)"
		if s.value.kind == property {
			names = "x, " + e.d.Number("x") + " AS v"
		}
	}
	rows := e.rows(t, s, b, g, names, columns, e.where(t, s, b))
	by := t.columns()
	if s.aggregate.fold != nil {
		return e.points(ctx, t, g, sql("SELECT "+by+"0, b, "+value+" FROM @ GROUP BY "+by+"b", rows), s.aggregate.fold, vs)
	}
	// The rows are read once for the buckets and the range.
	sets := "GROUPING SETS ((" + by + "b), (" + strings.TrimSuffix(by, ", ") + "))"
	return e.points(ctx, t, g, sql("SELECT "+by+"GROUPING(b), b, "+value+" FROM @ GROUP BY "+sets, rows), nil, vs)
}

// totals fills in the numbers of events, counted by quarter of an hour first: the
// bucket is then found once for each of those.
func (e *Engine) totals(ctx context.Context, t *trendPlan, s seriesPlan, b buckets, vs []Values) error {
	moment, index := b.index(e.d)
	from := t.source(s, b)
	q := sql("SELECT 0, "+index+" AS b, CAST(SUM(n) AS DOUBLE), 0 FROM (SELECT "+moment+" AS moment, "+from.count+" AS n FROM "+from.table+
		" WHERE @ GROUP BY moment) AS counted GROUP BY b", e.where(t, s, b))
	return e.points(ctx, t, nil, q, s.aggregate.fold, vs)
}

// points reads rows of: is it the whole range (then there is no fold), bucket,
// value, ignored.
func (e *Engine) points(ctx context.Context, t *trendPlan, g *groups, q fragment, fold func(a, b float64) float64, vs []Values) error {
	err := e.scanLines(ctx, t, g, q, func(scan scanLine) error {
		var whole, ignored int64
		var bucket *int64
		var v *float64
		line, err := scan(&whole, &bucket, &v, &ignored)
		if err != nil || line < 0 {
			return err
		}
		if whole == 1 {
			vs[line].Total = finite(v)
			return nil
		}
		vs[line].Ignored += ignored
		return vs[line].set(or(bucket), v)
	})
	if err != nil || fold == nil {
		return err
	}
	for i := range vs {
		vs[i].fold(fold)
	}
	return nil
}

// set puts a bucket's value in its place.
func (v *Values) set(bucket int64, value *float64) error {
	if bucket < 0 || bucket >= int64(len(v.Points)) {
		return fmt.Errorf("row of bucket %d among %d", bucket, len(v.Points))
	}
	v.Points[bucket].Value = finite(value)
	return nil
}

// fold makes the total of the points, in their order, so that the same points
// always give the same total.
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
	v.Total = finite(v.Total)
}

// finite keeps to what JSON can write: a sum that overflows is null.
func finite(v *float64) *float64 {
	if v == nil || math.IsInf(*v, 0) || math.IsNaN(*v) {
		return nil
	}
	return v
}

// scanLine scans a row's columns beside those of the breakdown; line is the
// index of the line that the row belongs to, -1 when there is none.
type scanLine func(dest ...any) (line int, err error)

// scanLines runs a statement whose first columns are those of t.columns.
func (e *Engine) scanLines(ctx context.Context, t *trendPlan, g *groups, q fragment, row func(scanLine) error) error {
	return e.each(ctx, q, func(scan func(...any) error) error {
		return row(func(dest ...any) (int, error) {
			if t.group == nil {
				return 0, scan(dest...)
			}
			var o int64
			k := newKey(t.group.kind)
			if err := scan(append([]any{&o, k.into()}, dest...)...); err != nil {
				return -1, err
			}
			return g.line(o, k), nil
		})
	})
}
