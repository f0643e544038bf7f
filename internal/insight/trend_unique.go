package insight

import (
	"context"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// unique fills in the distinct persons of a series, or the distinct values of a column.
//
// The persons of all events in whole quarters of an hour are read from the table sightings.
// Few buckets are counted with masks, more with distinct pairs of bucket and person.
func (t *trendPlan) unique(ctx context.Context, r *reader, s seriesPlan, b buckets, g *groups, vs []Values) error {
	columns, read := "person", raw("person")
	if s.of != nil {
		columns, read = "who AS person", sql("@ AS who", s.of.who(r.d))
	}
	rows := t.rows(r, s, b, g, columns, read)
	if s.of == nil && s.Event == "" && t.asked.empty && t.by == nil {
		var err error
		if rows, err = r.personRows(ctx, &personScope{who: raw("person"), filter: r.passes(t.filter), every: true, bots: t.bots}, b); err != nil {
			return err
		}
	}
	if len(b.starts) <= maskBits {
		return t.uniqueByMask(ctx, r, g, rows, vs)
	}
	return t.uniqueByPair(ctx, r, g, rows, vs)
}

// lastDays fills in the distinct persons of the 7 or 30 days that end with each bucket. The value
// of the range is that of its last bucket.
func (t *trendPlan) lastDays(ctx context.Context, r *reader, s seriesPlan, b buckets, _ *groups, vs []Values) error {
	f, days := t.filter, 7
	if s.Math == weir.MathMonthly {
		days = 30
	}
	if s.Event != "" {
		f = ofName(s.Event).and(f)
	}
	of := r.scope(f, t.bots)
	spans := make([]span, len(b.starts))
	for i := range spans {
		spans[i] = b.bucket(i).days(days, r.asOf.UnixMicro(), r.project.Location())
	}
	counts, err := r.countPersons(ctx, of, spans)
	for i, s := range spans {
		vs[0].Points[i].Value = new(float64(counts[s]))
	}
	vs[0].Total = vs[0].Points[len(spans)-1].Value
	return err
}

// perPerson fills in the number of events that have a person, by that of their persons.
func (t *trendPlan) perPerson(ctx context.Context, r *reader, s seriesPlan, b buckets, g *groups, vs []Values) error {
	total, unique := s, s
	total.Math, total.aggregate = weir.MathTotal, aggregates[weir.MathTotal]
	unique.Math, unique.aggregate = weir.MathUnique, aggregates[weir.MathUnique]
	own := *t
	own.filter, own.tallied = t.filter.and(onEvents(raw("person <> ''"))), false
	events, err := own.values(ctx, r, total, b, g)
	if err != nil {
		return err
	}
	persons, err := t.values(ctx, r, unique, b, g)
	if err != nil {
		return err
	}
	by := func(events, persons *float64) *float64 {
		if or(persons) == 0 {
			return nil
		}
		return new(*events / *persons)
	}
	for i := range vs {
		for j := range vs[i].Points {
			vs[i].Points[j].Value = by(events[i].Points[j].Value, persons[i].Points[j].Value)
		}
		vs[i].Total = by(events[i].Total, persons[i].Total)
	}
	return nil
}

// uniqueByMask counts with one mask for each person: see masks. One pass gives the buckets
// and the whole range.
func (t *trendPlan) uniqueByMask(ctx context.Context, r *reader, g *groups, rows fragment, vs []Values) error {
	n := len(vs[0].Points)
	counts := []string{"CAST(COUNT(*) AS DOUBLE)"}
	for i := range n {
		counts = append(counts, double("SUM("+r.d.BitAt("m", i)+")"))
	}
	by := t.groupColumns()
	q := selection{columns: raw(by + strings.Join(counts, ", ")), from: r.masks(by, rows), where: raw("person <> ''"), groupBy: strings.TrimSuffix(by, ", ")}
	return t.scanLines(ctx, r, g, q.statement(), func(scan scanLine) error {
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

// uniqueByPair counts the distinct persons by bucket, and then again over the range.
func (t *trendPlan) uniqueByPair(ctx context.Context, r *reader, g *groups, rows fragment, vs []Values) error {
	err := t.scanLines(ctx, r, g, r.distinctPersons(t.groupColumns()+"b, ", rows), func(scan scanLine) error {
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
	return t.scanLines(ctx, r, g, r.distinctPersons(t.groupColumns(), rows), func(scan scanLine) error {
		var v float64
		line, err := scan(&v)
		if err != nil || line < 0 {
			return err
		}
		vs[line].Total = &v
		return nil
	})
}

// distinctPersons counts the distinct persons of rows by some columns, each with a comma
// after it.
func (r *reader) distinctPersons(by string, rows fragment) fragment {
	from := selection{columns: raw("DISTINCT " + by + "person"), from: rows, where: raw("person <> ''")}.as("pairs")
	if r.linked {
		from = r.resolved(by+"0 AS zero", from)
	}
	return selection{columns: raw(by + "COUNT(DISTINCT person)"), from: from, groupBy: strings.TrimSuffix(by, ", ")}.statement()
}
