package duckdb

import (
	"errors"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// vector is a column of a chunk: its values, and its validity mask once it has a NULL.
type vector struct {
	vec   mapping.Vector
	data  unsafe.Pointer
	valid unsafe.Pointer
}

// chunk fills DuckDB vectors in place, which costs half of the driver's AppendRow: no
// value is boxed, and short strings need no cgo call.
//
// A chunk is not safe for concurrent use.
type chunk struct {
	mem     mapping.DataChunk
	vectors []vector
	rows    int // rows filled
}

// newChunk makes a chunk of an appender's column types.
func newChunk(types []mapping.LogicalType) *chunk {
	c := &chunk{mem: mapping.CreateDataChunk(types), vectors: make([]vector, len(types))}
	c.locate()
	return c
}

// locate finds the vectors' memory, which a reset may move.
func (c *chunk) locate() {
	for i := range c.vectors {
		v := mapping.DataChunkGetVector(c.mem, mapping.IdxT(i))
		c.vectors[i] = vector{vec: v, data: mapping.VectorGetData(v)}
	}
	c.rows = 0
}

func (c *chunk) reset() {
	mapping.DataChunkReset(c.mem)
	c.locate()
}

func (c *chunk) close() { mapping.DestroyDataChunk(&c.mem) }

// group is how many rows are written before the next column is: so many stay in the
// processor's cache.
const group = 64

// fillFrom writes rows until the chunk is full, and returns the rest.
func fillFrom[R any](c *chunk, l *layout[R], rows []R) []R {
	for len(rows) > 0 && c.rows < chunkRows {
		n := min(group, len(rows), chunkRows-c.rows)
		for i, fill := range l.fill {
			fill(&c.vectors[i], c.rows, rows[:n])
		}
		c.rows += n
		rows = rows[n:]
	}
	return rows
}

// appendTo hands the rows over and empties the chunk.
func (c *chunk) appendTo(a mapping.Appender) error {
	mapping.DataChunkSetSize(c.mem, mapping.IdxT(c.rows))
	if mapping.AppendDataChunk(a, c.mem) == mapping.StateError {
		return errors.New(mapping.AppenderError(a))
	}
	c.reset()
	return nil
}

// cell is where a row's value of a fixed size is.
func cell[T any](v *vector, row int) *T {
	var zero T
	return (*T)(unsafe.Add(v.data, uintptr(row)*unsafe.Sizeof(zero)))
}

func (v *vector) null(row int) {
	if v.valid == nil {
		// A vector without a mask, which is one without NULL, is faster to append.
		mapping.VectorEnsureValidityWritable(v.vec)
		v.valid = mapping.VectorGetValidity(v.vec)
	}
	word := (*uint64)(unsafe.Add(v.valid, uintptr(row/64)*8))
	*word &^= 1 << (row % 64)
}

// inline is the size up to which DuckDB keeps a string within its 16-byte
// string_t: a uint32 length, then the bytes, zero-padded.
const inline = 12

type shortString struct {
	len  uint32
	data [inline]byte
}

// text writes a string that is valid UTF-8.
func (v *vector) text(row int, s string) {
	if len(s) > inline {
		v.long(row, unsafe.Slice(unsafe.StringData(s), len(s)))
		return
	}
	p := cell[shortString](v, row)
	*p = shortString{len: uint32(len(s))}
	copy(p.data[:], s)
}

// bytes writes text that is valid UTF-8, or a blob.
func (v *vector) bytes(row int, b []byte) {
	if len(b) > inline {
		v.long(row, b)
		return
	}
	p := cell[shortString](v, row)
	*p = shortString{len: uint32(len(b))}
	copy(p.data[:], b)
}

// long copies b into the vector's heap.
func (v *vector) long(row int, b []byte) {
	mapping.VectorAssignStringElementLen(v.vec, mapping.IdxT(row), b)
}
