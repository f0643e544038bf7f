package insight

import (
	"context"
	"strings"
)

// maskBits is how many buckets one mask holds: 62 keep every engine's signed
// 64-bit integer positive.
const maskBits = 62

// uniques fills in the distinct persons of a series.
//
// Those of all events in whole quarters of an hour are counted from sightings.
// Few buckets are counted with one mask per person, the buckets in which they were
// seen: the rows are hashed by one column only, and devices are resolved to
// profiles after that, on one row per device.
func (e *Engine) uniques(ctx context.Context, t *trendPlan, s seriesPlan, b buckets, g *groups, vs []Values) error {
	links, err := e.linkState(ctx, t.project)
	if err != nil {
		return err
	}
	rows := e.rows(t, s, b, g, "person", raw("person"), e.where(t, s, b))
	if !e.o.Raw && s.Event == "" && t.filter.sql == "" && t.group == nil && b.wholeQuarters() {
		rows = e.sightings(t, b)
	}
	if len(b.starts) <= maskBits {
		return e.uniquesByMask(ctx, t, g, rows, links, vs)
	}
	return e.uniquesByPair(ctx, t, g, rows, links, vs)
}

// sightings is a table of bucket and person of a range of whole quarters.
func (e *Engine) sightings(t *trendPlan, b buckets) fragment {
	_, index := b.index(e.d)
	return sql("(SELECT "+index+" AS b, person FROM (SELECT quarter AS moment, person FROM sightings WHERE project_id = @ AND quarter >= @ AND quarter < @) AS picked) AS bucketed",
		bind(t.project.ID), bind(b.from/quarterOfHour), bind(b.to/quarterOfHour))
}

func (e *Engine) uniquesByMask(ctx context.Context, t *trendPlan, g *groups, rows fragment, links linkState, vs []Values) error {
	by := t.columns()
	n := len(vs[0].Points)
	masks := sql("(SELECT "+by+"person, "+e.d.BitUnion(e.d.Bit("b"))+" AS m FROM @ GROUP BY "+by+"person) AS masks", rows)
	if links.links {
		masks = sql("(SELECT "+by+"person, "+e.d.BitUnion("m")+" AS m FROM @ GROUP BY "+by+"person) AS merged",
			e.resolved(t.project, links, by+"m", masks))
	}
	var counts strings.Builder
	for i := range n {
		counts.WriteString(", CAST(COALESCE(SUM(" + e.d.BitAt("m", i) + "), 0) AS DOUBLE)")
	}
	q := sql("SELECT "+by+"CAST(COUNT(*) AS DOUBLE)"+counts.String()+" FROM @ WHERE person <> ''", masks)
	if t.group != nil {
		q = sql("@ GROUP BY o, g", q)
	}
	return e.scanLines(ctx, t, g, q, func(scan scanLine) error {
		values := make([]float64, n+1)
		dest := make([]any, n+1)
		for i := range dest {
			dest[i] = &values[i]
		}
		line, err := scan(dest...)
		if err != nil || line < 0 {
			return err
		}
		vs[line].Total = &values[0]
		for i := range n {
			vs[line].Points[i].Value = &values[i+1]
		}
		return nil
	})
}

func (e *Engine) uniquesByPair(ctx context.Context, t *trendPlan, g *groups, rows fragment, links linkState, vs []Values) error {
	// persons counts distinct persons by some columns, each with a comma after it.
	persons := func(by string) fragment {
		from := sql("(SELECT DISTINCT "+by+"person FROM @ WHERE person <> '') AS pairs", rows)
		if links.links {
			from = e.resolved(t.project, links, by+"0 AS zero", from)
		}
		q := sql("SELECT "+by+"COUNT(DISTINCT person) FROM @", from)
		if by != "" {
			q = sql("@ GROUP BY "+strings.TrimSuffix(by, ", "), q)
		}
		return q
	}
	err := e.scanLines(ctx, t, g, persons(t.columns()+"b, "), func(scan scanLine) error {
		var bucket int64
		var v float64
		line, err := scan(&bucket, &v)
		if err != nil || line < 0 {
			return err
		}
		return vs[line].set(bucket, &v)
	})
	if err != nil {
		return err
	}
	return e.scanLines(ctx, t, g, persons(t.columns()), func(scan scanLine) error {
		var v float64
		line, err := scan(&v)
		if err != nil || line < 0 {
			return err
		}
		vs[line].Total = &v
		return nil
	})
}
