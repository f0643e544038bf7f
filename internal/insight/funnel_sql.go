package insight

import (
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// statement selects (person, time in microseconds, bits, key of the breakdown) of the events that
// a funnel is made of, each person's in one order: time, device, shard, seq. The order is the same
// on every engine. A bit is set for each step and then for each exclusion that the event fits.
//
// Events that fit nothing are left out, but where no other event may lie between two steps.
func (pl *funnelPlan) statement(r *reader) fragment {
	const order = "device_id, shard, seq"
	who, present := raw("person"), raw("who <> ''")
	filters := append(append([]filter{pl.filter}, pl.steps...), pl.excluded...)
	var sources []string
	for _, f := range filters {
		sources = append(sources, f.sources...)
	}
	if pl.visits {
		who = sql("CASE WHEN device_id = '' OR @ = '' THEN '' ELSE CONCAT(CAST(LENGTH(device_id) AS VARCHAR), ' ', device_id, @) END", sourceOf(visitSession), sourceOf(visitSession))
		sources = append(sources, visitSession)
	}
	bits, fits := pl.bits(r)
	columns := sql("@ AS who, "+r.d.Micros("ts")+" AS us, "+order+", @ AS bits", who, bits)
	from := r.joined("events", pl.read, sources, pl.by)
	where := all(r.window("ts", pl.read.from, pl.read.to), r.passes(pl.filter), fits)
	picked, more := selection{columns: columns, from: from, where: where}, ""
	if pl.by != nil {
		picked, more = pl.by.withKey(r.d, columns, from, where), ", k"
	}
	named := selection{columns: raw("who AS person, us, " + order + ", bits" + more), from: picked.as("picked"), where: present}.as("named")
	if r.linked && !pl.visits {
		named = r.resolved("us, "+order+", bits"+more, named)
	}
	return selection{columns: raw("person, us, bits" + more), from: named, orderBy: "person, us, " + order}.statement()
}

// bits is the number that says what an event fits, and the condition that it fits anything.
func (pl *funnelPlan) bits(r *reader) (bits, fits fragment) {
	var parts, alternatives, named []fragment
	for i, f := range append(append([]filter{}, pl.steps...), pl.excluded...) {
		condition := sql("(@)", r.passesOrTrue(f))
		parts = append(parts, sql(fmt.Sprintf("CASE WHEN @ THEN CAST(%d AS BIGINT) ELSE 0 END", int64(1)<<i), condition))
		alternatives = append(alternatives, condition)
	}
	for _, name := range pl.names {
		named = append(named, bind(name))
	}
	bits = list(parts, " + ")
	switch {
	case pl.rules.order == weir.OrderStrict:
		return bits, fragment{}
	case len(named) > 0:
		return bits, sql("@ AND (@)", isOneOf(raw("name"), named), list(alternatives, " OR "))
	}
	return bits, sql("(@)", list(alternatives, " OR "))
}
