package insight

import (
	"context"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// personsOf is whose persons are counted: those of all events of a project that pass
// a filter.
type personsOf struct {
	project *weir.Project
	filter  fragment // with the test of bots
	all     bool     // all events pass, but for those of bots
	bots    bool
	links   linkage
}

// personRows is a table of b, the number of the bucket, and person of a range. There
// may be fewer rows than events, but one at least for each person and bucket.
//
// Those of all events come from sightings, which do not tell bots. So where there
// are bots, the persons of whom an event is one of a bot are looked for in events.
func (e *Engine) personRows(ctx context.Context, of *personsOf, b buckets) (fragment, error) {
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

// merged resolves a table of person and a column; aggregate makes one row of those
// of a profile's devices.
func (e *Engine) merged(of *personsOf, column, aggregate string, from fragment) fragment {
	if !of.links.links {
		return from
	}
	return sql("(SELECT person, "+aggregate+" AS "+column+" FROM @ GROUP BY person) AS merged", e.resolved(of.project, of.links, column, from))
}

// distinct counts the persons in each of some spans. Each person has a mask, with a
// bit for each stretch between the ends of spans, so that few statements count many
// spans: best if these come in the order of time.
func (e *Engine) distinct(ctx context.Context, of *personsOf, spans []span) (map[span]int64, error) {
	counts := make(map[span]int64, len(spans))
	var cuts []int64 // ends of the spans at hand, in order
	var at []span
	flush := func() error {
		if len(at) == 0 {
			return nil
		}
		err := e.distinctByMask(ctx, of, cuts, at, counts)
		cuts, at = nil, nil
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
		with := slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(cuts), s.from, s.to))))
		if len(with) > maskBits+1 {
			if err := flush(); err != nil {
				return nil, err
			}
			with = []int64{s.from, s.to}
		}
		cuts, at = with, append(at, s)
	}
	return counts, flush()
}

func (e *Engine) distinctByMask(ctx context.Context, of *personsOf, cuts []int64, spans []span, counts map[span]int64) error {
	last := len(cuts) - 1
	rows, err := e.personRows(ctx, of, buckets{from: cuts[0], to: cuts[last], starts: cuts[:last]})
	if err != nil {
		return err
	}
	sums := make([]string, len(spans))
	for i, s := range spans {
		first, _ := slices.BinarySearch(cuts, s.from)
		end, _ := slices.BinarySearch(cuts, s.to)
		sums[i] = "CAST(COALESCE(SUM(" + e.d.AnyBit("m", first, end-first) + "), 0) AS BIGINT)"
	}
	masks := sql("(SELECT person, "+e.d.BitUnion(e.d.Bit("b"))+" AS m FROM @ GROUP BY person) AS masks", rows)
	q := sql("SELECT "+strings.Join(sums, ", ")+" FROM @ WHERE person <> ''", e.merged(of, "m", e.d.BitUnion("m"), masks))
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

// withPast is the buckets with one before them that holds all of the past.
func (b buckets) withPast() buckets {
	past := min(cold.Earliest.UnixMicro(), b.starts[0])
	return buckets{from: past, to: b.to, starts: append([]int64{past}, b.starts...)}
}

// firsts is a table of person and b, the first bucket of each in a table of both.
func (e *Engine) firsts(of *personsOf, rows fragment) fragment {
	first := sql("(SELECT person, MIN(b) AS b FROM @ GROUP BY person) AS seen", rows)
	return sql("(SELECT person, b FROM @ WHERE person <> '') AS firsts", e.merged(of, "b", "MIN(b)", first))
}

// byBucket reads rows of a bucket's number and a count.
func (e *Engine) byBucket(ctx context.Context, n int, q fragment) ([]int64, error) {
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
