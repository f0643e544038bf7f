package insight

import (
	"context"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// personScope says which persons are counted: those with an event that passes the filter.
type personScope struct {
	project *weir.Project
	filter  fragment // includes the condition on bots
	all     bool     // there is no filter except the condition on bots
	bots    bool     // events of bots count too
	links   linkState
}

// personRows returns a subquery with columns (b, person): person had an event in bucket
// number b. There is at least one row per person and bucket; there may be duplicates.
//
// Without a filter it reads the small table sightings in place of events. Sightings do
// not say whether an event was a bot's. So persons that have any event of a bot in the
// range (few) are read from events, and all other persons from sightings.
func (e *Engine) personRows(ctx context.Context, of *personScope, b buckets) (fragment, error) {
	moment, index := b.index(e.d)
	picked := func(from fragment) fragment {
		return sql("(SELECT "+index+" AS b, person FROM (@) AS picked) AS bucketed", from)
	}
	if !b.wholeQuarters() {
		return picked(sql("SELECT "+moment+" AS moment, person FROM events WHERE @@", e.window(of.project, "ts", b.from, b.to), of.filter)), nil
	}
	in := sql("project_id = @ AND quarter >= @ AND quarter < @", bind(of.project.ID), bind(b.from/quarterOfHour), bind(b.to/quarterOfHour))
	if e.o.Raw || !of.all {
		return picked(sql("SELECT quarter AS moment, person FROM events WHERE @@", in, of.filter)), nil
	}
	sightings := sql("SELECT quarter AS moment, person FROM sightings WHERE @", in)
	if of.bots {
		return picked(sightings), nil
	}
	var bots int64
	err := e.each(ctx, sql("SELECT COUNT(*) FROM events WHERE @ AND bot = TRUE", in), func(scan func(...any) error) error { return scan(&bots) })
	if err != nil || bots == 0 {
		return picked(sightings), err
	}
	suspects := sql("(SELECT person FROM events WHERE @ AND bot = TRUE)", in)
	return picked(sql("@ AND person NOT IN @ UNION ALL SELECT quarter AS moment, person FROM events WHERE @ AND bot = FALSE AND person IN @",
		sightings, suspects, in, suspects)), nil
}

// resolvedPerPerson replaces devices by their profiles in a table of (person, column),
// and aggregates the rows of each person into one.
func (e *Engine) resolvedPerPerson(of *personScope, column, aggregate string, from fragment) fragment {
	if !of.links.links {
		return from
	}
	return sql("(SELECT person, "+aggregate+" AS "+column+" FROM @ GROUP BY person) AS merged", e.resolved(of.project, of.links, column, from))
}

// countPersons counts the distinct persons in each span. One statement counts many
// spans, see countPersonsByMask. Spans in time order need the fewest statements.
func (e *Engine) countPersons(ctx context.Context, of *personScope, spans []span) (map[span]int64, error) {
	counts := make(map[span]int64, len(spans))
	var bounds []int64 // begins and ends of group, sorted, without repeats
	var group []span   // for the next statement
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		err := e.countPersonsByMask(ctx, of, bounds, group, counts)
		bounds, group = nil, nil
		return err
	}
	for _, s := range spans {
		if _, ok := counts[s]; ok {
			continue
		}
		counts[s] = 0
		if s.from >= s.to {
			continue
		}
		with := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(bounds), s.from, s.to))))
		if len(with) > maskBits+1 {
			if err := flush(); err != nil {
				return nil, err
			}
			with = []int64{s.from, s.to}
		}
		bounds, group = with, append(group, s)
	}
	return counts, flush()
}

// countPersonsByMask counts the distinct persons in each span with one statement.
//
// The bounds divide time into intervals. Each person gets a bit mask with one bit per
// interval; the bit is set if the person had an event in it. A person is in a span if
// any bit of the span's intervals is set. Example: spans [0,2) and [1,3) have the bounds
// 0, 1, 2, 3 and three intervals. The first span is bits 0 to 1, the second bits 1 to 2.
// A person with an event at time 1 has the mask 010 and counts in both.
func (e *Engine) countPersonsByMask(ctx context.Context, of *personScope, bounds []int64, spans []span, counts map[span]int64) error {
	last := len(bounds) - 1
	rows, err := e.personRows(ctx, of, buckets{from: bounds[0], to: bounds[last], starts: bounds[:last]})
	if err != nil {
		return err
	}
	sums := make([]string, len(spans))
	for i, s := range spans {
		first, _ := slices.BinarySearch(bounds, s.from)
		end, _ := slices.BinarySearch(bounds, s.to)
		sums[i] = "CAST(COALESCE(SUM(" + e.d.AnyBit("m", first, end-first) + "), 0) AS BIGINT)"
	}
	masks := sql("(SELECT person, "+e.d.BitUnion(e.d.Bit("b"))+" AS m FROM @ GROUP BY person) AS masks", rows)
	q := sql("SELECT "+strings.Join(sums, ", ")+" FROM @ WHERE person <> ''", e.resolvedPerPerson(of, "m", e.d.BitUnion("m"), masks))
	return e.each(ctx, q, func(scan func(...any) error) error {
		ns, dest := make([]int64, len(spans)), make([]any, len(spans))
		for i := range ns {
			dest[i] = &ns[i]
		}
		err := scan(dest...)
		for i, s := range spans {
			counts[s] = ns[i]
		}
		return err
	})
}

// withPast returns the buckets with one more in front, which covers all time before.
func (b buckets) withPast() buckets {
	past := min(cold.Earliest.UnixMicro(), b.starts[0])
	return buckets{from: past, to: b.to, starts: append([]int64{past}, b.starts...)}
}

// firstBuckets returns a subquery with columns (person, b): the first bucket in which
// the person occurs in rows.
func (e *Engine) firstBuckets(of *personScope, rows fragment) fragment {
	first := sql("(SELECT person, MIN(b) AS b FROM @ GROUP BY person) AS seen", rows)
	return sql("(SELECT person, b FROM @ WHERE person <> '') AS firsts", e.resolvedPerPerson(of, "b", "MIN(b)", first))
}

// countsByBucket reads rows of (bucket number, count) into a slice of n counts.
func (e *Engine) countsByBucket(ctx context.Context, n int, q fragment) ([]int64, error) {
	counts := make([]int64, n)
	return counts, e.each(ctx, q, func(scan func(...any) error) error {
		var b, count int64
		if err := scan(&b, &count); err != nil {
			return err
		}
		counts[b] = count
		return nil
	})
}
