package insight

import (
	"context"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// groupColumns returns the columns that identify a group, with a comma after them; "" without
// a breakdown.
func (g *grouped) groupColumns() string {
	if g.by != nil {
		return "o, g, "
	}
	return ""
}

// source is the table in which a series' events of a range are counted.
func (t *trendPlan) source(s seriesPlan, b buckets) source {
	if s.Math == weir.MathTotal {
		return t.counted(b)
	}
	return eachEvent
}

// rows is a table of (b, group columns…, columns…) of a series' events in a range. read is
// what is read of each event; columns are made of that.
func (t *trendPlan) rows(r *reader, s seriesPlan, b buckets, g *groups, columns string, read fragment) fragment {
	read = comma(raw(b.moment(r.d)), read)
	from, where := t.rowsOf(r, t.source(s, b).table, b), t.where(r, s.Event, b)
	if t.by == nil {
		return r.inBuckets(b, columns, selection{columns: read, from: from, where: where}.statement())
	}
	picked := t.by.withKey(r.d, sql("@, "+t.lost(r)+" AS lost", read), from, where)
	return g.split(b.index(r.d)+" AS b, "+columns, picked.as("picked"))
}

// aggregated fills in the values of a series that SQL aggregates.
func (t *trendPlan) aggregated(ctx context.Context, r *reader, s seriesPlan, b buckets, g *groups, vs []Values) error {
	if s.value == nil && t.by == nil && b.inQuarters() {
		return t.total(ctx, r, s, b, vs)
	}
	from := t.source(s, b)
	read, columns, value := raw(from.read), from.name, "CAST("+from.count+" AS DOUBLE), 0"
	if s.value != nil {
		number := "CAST(x AS DOUBLE)"
		if s.value.kind == property {
			number = r.d.Number("x")
		}
		read, columns, value = sql("@ AS x", s.value.expr), "x, "+number+" AS v", s.aggregate.sql(r.d)+", COUNT(x) - COUNT(v)"
	}
	by := t.groupColumns()
	q := selection{from: t.rows(r, s, b, g, columns, read)}
	if s.aggregate.fold != nil {
		q.columns, q.groupBy = names(by+"0", "b", value), by+"b"
	} else {
		// The rows are read once, for the buckets and for the range.
		q.columns, q.groupBy = names(by+"GROUPING(b)", "b", value), "GROUPING SETS (("+by+"b), ("+strings.TrimSuffix(by, ", ")+"))"
	}
	return t.points(ctx, r, g, q.statement(), s, vs)
}

// total fills in the numbers of events of a series without a breakdown.
func (t *trendPlan) total(ctx context.Context, r *reader, s seriesPlan, b buckets, vs []Values) error {
	q := t.perBucket(r, s.Event, b, "CAST(SUM(n) AS DOUBLE)")
	q.columns = comma(raw("0"), q.columns, raw("0"))
	return t.points(ctx, r, nil, q.statement(), s, vs)
}

// points reads rows of (group columns…, 1 for the whole range, bucket, value, ignored).
// With a fold there are no rows of the whole range: its value is folded from the points.
func (t *trendPlan) points(ctx context.Context, r *reader, g *groups, q fragment, s seriesPlan, vs []Values) error {
	err := t.scanLines(ctx, r, g, q, func(scan scanLine) error {
		var whole, ignored int64
		var bucket *int64
		var v *float64
		line, err := scan(&whole, &bucket, &v, &ignored)
		if err != nil || line < 0 {
			return err
		}
		if whole == 1 {
			vs[line].Total = v
			return nil
		}
		vs[line].Ignored += ignored
		return vs[line].set(or(bucket), v)
	})
	if err != nil || s.aggregate.fold == nil {
		return err
	}
	for i := range vs {
		if s.aggregate.added {
			vs[i].foldSum()
		} else {
			vs[i].fold(s.aggregate.fold)
		}
	}
	return nil
}

// scanLine scans the columns of a row after those of the groups. It returns the index of
// the line that the row belongs to, -1 if there is none.
type scanLine func(dest ...any) (line int, err error)

// scanLines runs a statement whose first columns are the group columns.
func (t *trendPlan) scanLines(ctx context.Context, r *reader, g *groups, q fragment, row func(scanLine) error) error {
	return r.each(ctx, q, func(scan func(...any) error) error {
		return row(func(dest ...any) (int, error) {
			if t.by == nil {
				return 0, scan(dest...)
			}
			var o int64
			k := newKey(t.by.kind)
			if err := scan(append([]any{&o, k.into()}, dest...)...); err != nil {
				return -1, err
			}
			return g.index(o, k), nil
		})
	})
}
