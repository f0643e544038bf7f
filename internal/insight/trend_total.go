package insight

import (
	"context"

	weir "github.com/weir-analytics/weir"
)

// groupsOf finds the groups of a series. It also returns their values over the range if they come
// from the same statement, otherwise nil. Only numbers of events do: those of the others add up.
func (t *trendPlan) groupsOf(ctx context.Context, r *reader, s seriesPlan) (*groups, []Values, error) {
	if t.by != nil && s.Math == weir.MathTotal {
		return t.totalsByGroup(ctx, r, s)
	}
	g, err := t.largest(ctx, r, s.Event)
	return g, nil, err
}

// totalsByGroup finds the groups of a series as largest does, and their numbers of events by
// bucket. It reads the events once. The largest groups are found in what was counted.
//
// Example with a limit of two groups. largest selects one more, so that others are noticed:
//
//	counted  k   b  n     largest  g   total     answer  total  g     b  n
//	         DE  0  5              DE  9                 9      DE    0  5
//	         DE  1  4              FR  3                 9      DE    1  4
//	         FR  1  3              US  2                 3      FR    1  3
//	         US  0  2                                    2      US    0  2    added to the others
//	         PL  0  1                                    NULL   NULL  0  1    those of the others
func (t *trendPlan) totalsByGroup(ctx context.Context, r *reader, s seriesPlan) (*groups, []Values, error) {
	b, from := t.now, t.counted(t.now)
	read := selection{
		columns: sql("@, @ AS stored", names(b.moment(r.d), from.read), t.by.stored()),
		from:    t.rowsOf(r, from.table, b), where: all(t.where(r, s.Event, b), raw("NOT "+t.lost(r))),
	}
	// What is stored is counted first, since a key costs more than a look at a dictionary.
	stored := selection{columns: names("stored", b.index(r.d)+" AS b", from.count+" AS n"), from: read.as("read"), groupBy: "stored, b"}
	counted := selection{columns: names(t.by.keyOf(r.d, "stored")+" AS k", "b", "n"), from: stored.as("stored")}
	largest := selection{columns: raw("k AS g, SUM(n) AS total"), from: raw("counted"), groupBy: "k", orderBy: "total DESC, k NULLS LAST", limit: t.limit + 1}
	q := sql("WITH counted AS (@), largest AS (@) "+
		"SELECT CAST(total AS BIGINT), g, b, CAST(SUM(n) AS DOUBLE) FROM counted LEFT JOIN largest ON k IS NOT DISTINCT FROM g "+
		"GROUP BY total, g, b ORDER BY total DESC NULLS LAST, g NULLS LAST", counted.statement(), largest.statement())
	g := &groups{find: make(map[string]int), none: -1}
	var vs []Values
	err := r.each(ctx, q, func(scan func(...any) error) error {
		var total *int64
		var bucket int64
		var n float64
		k := newKey(t.by.kind)
		if err := scan(&total, k.into(), &bucket, &n); err != nil {
			return err
		}
		line := len(g.names) - 1
		if total != nil {
			line = g.add(k, t.limit)
		}
		if line == len(vs) {
			vs = append(vs, newValues(r, b))
		}
		return vs[line].add(bucket, n)
	})
	for i := range vs {
		vs[i].fold(s.aggregate.fold)
		vs[i].zeros()
	}
	return g, vs, err
}
