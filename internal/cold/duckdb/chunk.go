package duckdb

import (
	"strings"
	"time"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// column is one vector of a chunk: its values, and its validity mask once it has
// a NULL.
type column struct {
	vec   mapping.Vector
	data  unsafe.Pointer
	valid unsafe.Pointer
}

// chunk fills DuckDB vectors in place, which costs half of the driver's
// AppendRow: no value is boxed, and short strings need no cgo call. A row is
// written left to right: next, then one set call per column.
//
// A chunk is not safe for concurrent use.
type chunk struct {
	mem  mapping.DataChunk
	cols []column
	rows int // rows filled, the current one included
	col  int // the column to write next
}

// newChunk makes a chunk of an appender's column types.
func newChunk(types []mapping.LogicalType) *chunk {
	c := &chunk{mem: mapping.CreateDataChunk(types), cols: make([]column, len(types))}
	c.locate()
	return c
}

// locate finds the vectors' memory, which a reset may move.
func (c *chunk) locate() {
	for i := range c.cols {
		v := mapping.DataChunkGetVector(c.mem, mapping.IdxT(i))
		c.cols[i] = column{vec: v, data: mapping.VectorGetData(v)}
	}
	c.rows = 0
}

func (c *chunk) reset() {
	mapping.DataChunkReset(c.mem)
	c.locate()
}

func (c *chunk) close() { mapping.DestroyDataChunk(&c.mem) }

// full says that the chunk must be appended before the next row.
func (c *chunk) full() bool { return c.rows == chunkRows }

// next begins a row.
func (c *chunk) next() {
	c.rows++
	c.col = 0
}

func at[T any](c *chunk, row int) *T {
	var zero T
	p := unsafe.Add(c.cols[c.col].data, uintptr(row)*unsafe.Sizeof(zero))
	return (*T)(p)
}

func put[T bool | int8 | int32 | uint32 | int64 | uint64 | float64](c *chunk, v T) {
	*at[T](c, c.rows-1) = v
	c.col++
}

func (c *chunk) null() {
	row := c.rows - 1
	v := &c.cols[c.col]
	if v.valid == nil {
		// A column without a mask, which is one without NULL, is faster to append.
		mapping.VectorEnsureValidityWritable(v.vec)
		v.valid = mapping.VectorGetValidity(v.vec)
	}
	word := (*uint64)(unsafe.Add(v.valid, uintptr(row/64)*8))
	*word &^= 1 << (row % 64)
	c.col++
}

// inline is the size up to which DuckDB keeps a string within its 16-byte
// string_t: a uint32 length, then the bytes, zero-padded.
const inline = 12

type shortString struct {
	len  uint32
	data [inline]byte
}

// text writes a string that is valid UTF-8.
func (c *chunk) text(s string) {
	if len(s) > inline {
		c.long(unsafe.Slice(unsafe.StringData(s), len(s)))
		return
	}
	p := at[shortString](c, c.rows-1)
	*p = shortString{len: uint32(len(s))}
	copy(p.data[:], s)
	c.col++
}

// bytes writes text that is valid UTF-8, or a blob.
func (c *chunk) bytes(b []byte) {
	if len(b) > inline {
		c.long(b)
		return
	}
	p := at[shortString](c, c.rows-1)
	*p = shortString{len: uint32(len(b))}
	copy(p.data[:], b)
	c.col++
}

// long copies b into the vector's heap.
func (c *chunk) long(b []byte) {
	mapping.VectorAssignStringElementLen(c.cols[c.col].vec, mapping.IdxT(c.rows-1), b)
	c.col++
}

// time writes a timestamp in microseconds; the zero time is NULL.
func (c *chunk) time(t time.Time) {
	if t.IsZero() {
		c.null()
		return
	}
	put(c, t.UnixMicro())
}

// number writes a float; 0, which stands for unknown, is NULL.
func (c *chunk) number(f float64) {
	if f == 0 {
		c.null()
		return
	}
	put(c, f)
}

// clean writes text that nobody checked; bytes that are not UTF-8 become U+FFFD.
func (c *chunk) clean(s string) { c.text(strings.ToValidUTF8(s, "\uFFFD")) }
