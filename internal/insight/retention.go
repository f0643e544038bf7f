package insight

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Retention is the answer of kind retention.
type Retention struct {
	Rows []RetentionRow `json:"rows" nullable:"false" doc:"one for each interval of the range, oldest first"`
	Mean []*float64     `json:"mean" nullable:"false" doc:"of each column: who came back among all persons of the rows whose interval of that column is over, 0 to 1; null without any"`
	About
}

// RetentionRow is what became of the persons of one interval.
type RetentionRow struct {
	Time   time.Time `json:"time" doc:"the begin of the interval"`
	Size   int64     `json:"size" doc:"persons with a start event in it"`
	Values []int64   `json:"values" nullable:"false" doc:"the size, then the persons who came back 1, 2 and more intervals later"`
	Open   int       `json:"open" doc:"the first column whose interval is not over; the number of columns if all are"`
}

var retentionKind = newKind[weir.Retention, Retention](weir.KindRetention, func(q *weir.Retention) {
	defaultToDay(&q.Common)
	if q.Mode == "" {
		q.Mode = weir.RetentionFirst
	}
	if q.Periods == 0 {
		q.Periods = weir.DefaultPeriods
	}
	q.AtLeast = max(q.AtLeast, 1)
}, planRetention)

type retentionPlan struct {
	needs
	weir.Retention
	rows  buckets // of the range: who starts
	all   buckets // those, and the ones in which the last of them may come back
	start filter
	back  filter
}

func planRetention(e *Engine, p *weir.Project, q weir.Retention) (plan, error) {
	pl := &retentionPlan{Retention: q, needs: needs{bytes: answerBytes, identities: true}}
	pl.Bots = q.Bots.OfPeople()
	loc := p.Location()
	var err error
	if pl.rows, err = divide(q.From, q.To, q.Interval, loc, min(e.o.MaxPoints, maxWide)); err != nil {
		return nil, err
	}
	// The range begins with a whole interval: a person who came in a part that is left out would
	// be in no row.
	pl.rows.from = pl.rows.starts[0]
	n := len(pl.rows.starts)
	if n+q.Periods-1 > maxWide {
		return nil, weir.Within("periods", weir.Errorf(weir.EINVALID, "the range has %d intervals, with %d periods more than %d: use a longer interval, a shorter range or fewer periods", n, q.Periods, maxWide))
	}
	end := after(time.UnixMicro(pl.rows.starts[n-1]).In(loc), q.Interval, q.Periods)
	if pl.all, err = divide(time.UnixMicro(pl.rows.starts[0]), end, q.Interval, loc, 2*maxWide); err != nil {
		return nil, err
	}
	conditions, err := checkFilter(e.d, p, q.Filter, q.Resolved)
	if err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		of   weir.Selector
		into *filter
	}{{"start", q.Start, &pl.start}, {"return", q.Return, &pl.back}} {
		f, err := checkSelector(e.d, p, part.of, q.Resolved)
		if err != nil {
			return nil, weir.Within(part.name, err)
		}
		*part.into = f.and(conditions)
	}
	return pl, nil
}

// answer reads what persons have in common: in which rows they are, and in which intervals
// they came back. Everything follows from how many persons have the same of both.
func (pl *retentionPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	a := &Retention{Rows: make([]RetentionRow, len(pl.rows.starts))}
	for i := range a.Rows {
		a.Rows[i] = RetentionRow{Time: r.local(pl.rows.starts[i]), Values: make([]int64, pl.Periods), Open: pl.open(i, r.asOf.UnixMicro())}
	}
	starts, err := pl.starts(ctx, r)
	if err != nil {
		return nil, err
	}
	returns, err := pl.returns(ctx, r)
	if err != nil {
		return nil, err
	}
	s, in := r.wideMasks("s", len(pl.rows.starts), starts)
	m, back := r.wideMasks("m", len(pl.all.starts), returns)
	s = selection{columns: names("person AS starter", strings.Join(in, ", ")), from: s, where: raw("person <> ''")}.as("starters")
	columns := make([]string, 0, len(in)+len(back))
	columns = append(columns, in...)
	for _, c := range back {
		columns = append(columns, "COALESCE("+c+", 0)")
	}
	by := strings.Join(append(slices.Clip(in), back...), ", ")
	q := selection{columns: names(asInts(columns), "COUNT(*)"), from: sql("@ LEFT JOIN @ ON starter = person", s, m), groupBy: by}
	err = r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var started, returned wide
		var persons int64
		if err := scan(append(append(started.into(len(in)), returned.into(len(back))...), &persons)...); err != nil {
			return err
		}
		pl.add(a.Rows, &started, &returned, persons)
		return nil
	})
	if err != nil {
		return nil, err
	}
	pl.settle(a)
	a.BotsLeftOut, err = r.leftOut(ctx, pl.Bots, pl.rows, pl.start, fragment{})
	return a, err
}

// open is the first column of a row whose interval is not over.
func (pl *retentionPlan) open(row int, asOf int64) int {
	for k := range pl.Periods {
		if pl.all.end(row+k) > asOf {
			return k
		}
	}
	return pl.Periods
}

// starts is a table of (b, person): the person is in row b.
func (pl *retentionPlan) starts(ctx context.Context, r *reader) (fragment, error) {
	of := r.scope(pl.start.with(pl.Bots), pl.Bots)
	if pl.Mode == weir.RetentionRecurring {
		return r.personRows(ctx, of, pl.rows)
	}
	rows, err := r.personRows(ctx, of, pl.rows.withPast())
	if err != nil {
		return fragment{}, err
	}
	// Bucket 0 is all that was before the range.
	return selection{columns: raw("person, b - 1 AS b"), from: r.firstBuckets(rows), where: raw("b > 0")}.as("first_ever"), nil
}

// returns is a table of (b, person): the person came back in interval b.
func (pl *retentionPlan) returns(ctx context.Context, r *reader) (fragment, error) {
	of := r.scope(pl.back.with(pl.Bots), pl.Bots)
	of.every = of.every && pl.AtLeast == 1 // sightings do not count events
	rows, err := r.personRows(ctx, of, pl.all)
	if err != nil || pl.AtLeast == 1 {
		return rows, err
	}
	if r.linked {
		rows = r.resolved("b", rows)
	}
	return selection{columns: raw("b, person"), from: rows, groupBy: "b, person", having: raw(fmt.Sprintf("COUNT(*) >= %d", pl.AtLeast))}.as("often"), nil
}

// add counts persons in the rows that they are in. In a cumulative answer a person counts for now in the
// last column alone in which it came back.
func (pl *retentionPlan) add(rows []RetentionRow, started, returned *wide, persons int64) {
	for i := range rows {
		if !started.has(i) {
			continue
		}
		rows[i].Size += persons
		for k := pl.Periods - 1; k >= 1; k-- {
			if !returned.has(i + k) {
				continue
			}
			rows[i].Values[k] += persons
			if pl.Cumulative {
				break
			}
		}
	}
}

// settle fills in what follows from all rows.
func (pl *retentionPlan) settle(a *Retention) {
	a.Mean = make([]*float64, pl.Periods)
	size, back := make([]int64, pl.Periods), make([]int64, pl.Periods)
	for i := range a.Rows {
		row := &a.Rows[i]
		if row.Values[0] = row.Size; pl.Cumulative {
			for k := pl.Periods - 2; k >= 1; k-- {
				row.Values[k] += row.Values[k+1]
			}
		}
		for k := range row.Open {
			size[k], back[k] = size[k]+row.Size, back[k]+row.Values[k]
		}
	}
	for k := range a.Mean {
		a.Mean[k] = ratio(back[k], size[k])
	}
}
