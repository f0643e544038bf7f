package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// block is the rows of one insert, by columns. It is not safe for concurrent use.
type block struct{ input proto.Input }

func newBlock[R any](t *table[R]) *block {
	b := &block{}
	for _, c := range t.columns {
		b.input = append(b.input, proto.InputColumn{Name: c.name, Data: c.make()})
	}
	for _, c := range t.origin {
		b.input = append(b.input, proto.InputColumn{Name: c.name, Data: c.make()})
	}
	return b
}

func (b *block) reset() { b.input.Reset() }

// group is how many rows are written before the next column is: so many stay in the
// processor's cache.
const group = 64

// fill adds rows, which come from a batch.
func fill[R any](b *block, t *table[R], rows []R, from schema.Origin) {
	var origins [group]schema.Origin
	if len(t.origin) > 0 {
		for i := range origins {
			origins[i] = from
		}
	}
	for len(rows) > 0 {
		n := min(group, len(rows))
		for i := range t.columns {
			t.columns[i].fill(b.input[i].Data, rows[:n])
		}
		for i := range t.origin {
			t.origin[i].fill(b.input[len(t.columns)+i].Data, origins[:n])
		}
		rows = rows[n:]
	}
}
