package transfer

import (
	"encoding/binary"
	"fmt"
	"net/url"

	"github.com/cespare/xxhash/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// piece is the rows of one batch.
type piece[T any] struct {
	shard  int
	layer  int
	last   uint64 // greatest seq
	size   int    // bytes, about
	rows   []T
	sums   []sum
	counts []int // how often each is there
}

// noShard is the shard of marks, and of batches with rows that have no shard. No drain has it,
// so no drain deletes their tokens.
const noShard = -1

// pieceBytes closes a piece before it has all rows that it may have.
const pieceBytes = 16 << 20

// cutter cuts rows that come in order into pieces.
//
// ClickHouse looks for the rows of a batch that may be there by log, shard and seq.
// Those of the source do not name a row: a cold tier that outlived its hot tier has
// rows of two logs with the same shard and seq. So the rows of a piece are of one
// shard; a row with the shard and seq of the one before it goes to another piece, of
// the next layer; and each batch has a log of its own, made of its token. Then log,
// shard and seq name a row of it and no other, of a server's log neither.
type splitter[T any] struct {
	t      *table[T]
	most   int // rows of a piece
	out    func(*piece[T]) error
	layers []*piece[T]
	shard  int
	seq    uint64
	layer  int // of the row before; -1 when there is none
}

func (c *splitter[T]) add(row *T, n int, s sum, size int) error {
	shard, seq, layer := noShard, uint64(0), 0
	if c.t.place != nil {
		shard, seq = c.t.place(row)
		switch {
		case c.layer >= 0 && shard != c.shard:
			if err := c.flush(); err != nil {
				return err
			}
		case c.layer >= 0 && seq == c.seq:
			layer = c.layer + 1
		}
	}
	c.shard, c.seq, c.layer = shard, seq, layer
	if layer == len(c.layers) {
		c.layers = append(c.layers, nil)
	}
	p := c.layers[layer]
	if p == nil {
		p = &piece[T]{shard: shard, layer: layer}
		c.layers[layer] = p
	}
	p.rows, p.sums, p.counts = append(p.rows, *row), append(p.sums, s), append(p.counts, n)
	p.last = max(p.last, seq)
	if p.size += size; len(p.rows) < c.most && p.size < pieceBytes {
		return nil
	}
	c.layers[layer] = nil
	return c.out(p)
}

// flush lets go of all pieces.
func (c *splitter[T]) flush() error {
	for i, p := range c.layers {
		if p == nil {
			continue
		}
		c.layers[i] = nil
		if err := c.out(p); err != nil {
			return err
		}
	}
	return nil
}

// batch makes a batch of a piece, with cancellations of some states of visits. Its
// first seq is 0: DuckDB forgets the tokens of a shard that are older than a batch's
// first, and these may be of a server that needs them yet.
func (j *job[T]) batch(p *piece[T], stale []weir.VisitRow) *cold.Batch {
	b := &cold.Batch{Shard: p.shard, Last: p.last, Now: j.o.Clock.Now(), Copied: true}
	h := xxhash.New()
	var buf encoding
	for i := range p.rows {
		j.t.put(b, &p.rows[i], p.counts[i])
		buf = binary.LittleEndian.AppendUint64(buf[:0], p.sums[i].all)
		_, _ = h.Write(buf.int(int64(p.counts[i])))
	}
	for _, v := range stale {
		buf, _ = encodeVisit(buf[:0], &v)
		_, _ = h.Write(buf)
		v.Sign = -1
		b.Visits = append(b.Visits, v)
	}
	b.Token = fmt.Sprintf("migrate/%s/%s/%s/%d.%d/%016x", url.PathEscape(j.u.project), j.u.span, j.t.name, j.w.from, p.layer, h.Sum64())
	return b
}

// logOf is a batch's log.
func logOf(token string) string { return fmt.Sprintf("migrate/%016x", xxhash.Sum64String(token)) }
