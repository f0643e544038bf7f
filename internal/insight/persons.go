package insight

import (
	"context"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// personScope says which persons are counted: those with an event that passes the filter.
type personScope struct {
	who     fragment // the person of an event, or what is counted in place of persons
	filter  fragment // with the condition on bots
	sources []string // the visitSources that filter needs
	every   bool     // there is no filter but the condition on bots
	bots    weir.Bots
}

// scope is the scope of the persons with an event that passes a filter, which has the condition on
// bots already (filter.with).
func (r *reader) scope(f filter, bots weir.Bots) *personScope {
	return &personScope{who: raw("person"), filter: r.passes(f), sources: f.sources, every: f.empty, bots: bots}
}

// personRows is a table of (b, person): the person, not yet resolved, had an event in
// bucket b. There is at least one row for each person and bucket; there may be more.
//
// Without a filter it reads the small table sightings in place of events. Sightings do
// not say whether an event was a bot's. So persons that have any event of a bot in the
// range (few) are read from events, and all others from sightings.
func (r *reader) personRows(ctx context.Context, of *personScope, b buckets) (fragment, error) {
	if !b.wholeQuarters() {
		return r.inBuckets(b, "person", selection{columns: sql("@, @ AS person", raw(b.moment(r.d)), of.who), from: r.joined("events", b.span(), of.sources, nil), where: all(r.in(b), of.filter)}.statement()), nil
	}
	in := r.in(b)
	seenIn := func(table string, condition fragment) fragment {
		return selection{columns: sql("quarter AS moment, @ AS person", of.who), from: r.joined(table, b.span(), of.sources, nil), where: all(in, condition)}.statement()
	}
	if r.o.Raw || !of.every || of.bots == weir.BotsOnly {
		return r.inBuckets(b, "person", seenIn("events", of.filter)), nil
	}
	if of.bots == weir.BotsIn {
		return r.inBuckets(b, "person", seenIn("sightings", fragment{})), nil
	}
	var bots int64
	count := selection{columns: raw("COUNT(*)"), from: raw("events"), where: all(in, raw("bot = TRUE"))}
	err := r.each(ctx, count.statement(), func(scan func(...any) error) error { return scan(&bots) })
	if err != nil || bots == 0 {
		return r.inBuckets(b, "person", seenIn("sightings", fragment{})), err
	}
	suspects := selection{columns: raw("person"), from: raw("events"), where: all(in, raw("bot = TRUE"))}.statement()
	return r.inBuckets(b, "person", sql("@ UNION ALL @",
		seenIn("sightings", sql("person NOT IN (@)", suspects)),
		seenIn("events", sql("bot = FALSE AND person IN (@)", suspects)))), nil
}

// span is a time in microseconds, from inclusive, to exclusive.
type span struct{ from, to int64 }

// span returns all buckets as a span.
func (b buckets) span() span { return span{b.from, b.to} }

// bucket returns bucket i as a span.
func (b buckets) bucket(i int) span { return span{b.starts[i], b.end(i)} }

// maskBits is how many bits of a mask are used: 62 keep every engine's signed 64-bit
// integer positive.
const maskBits = 62

// A mask says in one number in which of up to 62 buckets a person was: bit b is set if the
// person had an event in bucket b.
//
// Example: rows (b, person) = (0, u anna), (2, u anna), (2, u anna), (1, d d2) are the masks
// u anna = 101 (binary) and d d2 = 010. Bucket 2 had 1 person: those with bit 2. Buckets 0
// and 1 together had 2: those with any of the bits 0 and 1.
//
// So one pass counts all buckets and the range, rows are hashed by person alone, and if two
// devices are one person, their masks are united.

// masks is a table of (group columns…, person, m), made of rows of (b, group columns…,
// person). The persons are resolved. group ends with a comma if it is not empty.
func (r *reader) masks(group string, rows fragment) fragment {
	masks := selection{
		columns: names(group+"person", r.d.BitUnion(r.d.Bit("b"))+" AS m"), from: rows, groupBy: group + "person",
	}.as("masks")
	return r.perPerson(group, "m", r.d.BitUnion("m"), masks)
}

// countPersons counts the distinct persons in each span. One statement counts many spans,
// see countByMask. Spans in the order of time need the fewest statements.
func (r *reader) countPersons(ctx context.Context, of *personScope, spans []span) (map[span]int64, error) {
	counts := make(map[span]int64, len(spans))
	var bounds []int64 // begins and ends of the group, sorted, without repeats
	var group []span   // for the next statement
	flush := func() error {
		if len(group) == 0 {
			return nil
		}
		err := r.countByMask(ctx, of, bounds, group, counts)
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

// countByMask counts the distinct persons in each span with one statement. The bounds
// divide time into buckets; a span is some of them, so its persons are those with any of
// their bits.
//
// Example: the spans [0, 2) and [1, 3) have the bounds 0, 1, 2, 3 and three buckets. The
// first span is bits 0 and 1, the second bits 1 and 2. A person with an event at time 1 has
// the mask 010 and counts in both.
func (r *reader) countByMask(ctx context.Context, of *personScope, bounds []int64, spans []span, counts map[span]int64) error {
	last := len(bounds) - 1
	rows, err := r.personRows(ctx, of, buckets{from: bounds[0], to: bounds[last], starts: bounds[:last]})
	if err != nil {
		return err
	}
	sums := make([]string, len(spans))
	for i, s := range spans {
		first, _ := slices.BinarySearch(bounds, s.from)
		end, _ := slices.BinarySearch(bounds, s.to)
		sums[i] = whole("SUM(" + r.d.AnyBit("m", first, end-first) + ")")
	}
	q := selection{columns: names(sums...), from: r.masks("", rows), where: raw("person <> ''")}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
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

// withPast returns the buckets with one more in front, which has all time before.
func (b buckets) withPast() buckets {
	past := min(cold.Earliest.UnixMicro(), b.starts[0])
	return buckets{from: past, to: b.to, starts: append([]int64{past}, b.starts...)}
}

// firstBuckets is a table of (person, b): the first bucket in which each person occurs in
// rows of (b, person).
func (r *reader) firstBuckets(rows fragment) fragment {
	first := selection{columns: raw("person, MIN(b) AS b"), from: rows, groupBy: "person"}.as("seen")
	return selection{columns: raw("person, b"), from: r.perPerson("", "b", "MIN(b)", first), where: raw("person <> ''")}.as("firsts")
}

// countsByBucket reads rows of (bucket number, count) into a slice of n counts.
func (r *reader) countsByBucket(ctx context.Context, n int, q selection) ([]int64, error) {
	counts := make([]int64, n)
	return counts, r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var b, count int64
		if err := scan(&b, &count); err != nil {
			return err
		}
		if b < 0 || b >= int64(n) {
			return badBucket(b, n)
		}
		counts[b] = count
		return nil
	})
}
