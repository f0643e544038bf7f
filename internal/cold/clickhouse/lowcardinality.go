package clickhouse

import (
	"math"

	"github.com/ClickHouse/ch-go/proto"
)

// lowCardinality is a column of type LowCardinality(String), or of Nullable(String)
// within, to be sent. The client's own looks every value up twice; here a value that
// comes twice in a row, as most do, costs a comparison.
//
// The form: https://github.com/ClickHouse/ClickHouse/blob/master/src/DataTypes/Serializations/SerializationLowCardinality.cpp
type lowCardinality struct {
	nullable bool
	index    proto.ColStr // the values; with nullable the first stands for NULL
	find     map[string]uint32
	keys     []uint32
	last     string
	lastKey  uint32
	begun    bool // last is one
}

func newLowCardinality(nullable bool) *lowCardinality {
	c := &lowCardinality{nullable: nullable, find: map[string]uint32{}}
	c.Reset()
	return c
}

func (c *lowCardinality) add(s string) {
	if c.begun && s == c.last {
		c.keys = append(c.keys, c.lastKey)
		return
	}
	k, ok := c.find[s]
	if !ok {
		k = uint32(c.index.Rows())
		c.index.Append(s)
		c.find[s] = k
	}
	c.keys = append(c.keys, k)
	c.last, c.lastKey, c.begun = s, k, true
}

func (c *lowCardinality) null() { c.keys = append(c.keys, 0) }

// Reset empties the column.
func (c *lowCardinality) Reset() {
	c.index.Reset()
	clear(c.find)
	c.keys = c.keys[:0]
	c.last, c.begun = "", false
	if c.nullable {
		c.index.Append("") // NULL
	}
	// The default value has its place.
	c.find[""] = uint32(c.index.Rows())
	c.index.Append("")
}

// Type is as in the table.
func (c *lowCardinality) Type() proto.ColumnType {
	if c.nullable {
		return "LowCardinality(Nullable(String))"
	}
	return "LowCardinality(String)"
}

// Rows is the number of rows.
func (c *lowCardinality) Rows() int { return len(c.keys) }

// EncodeState writes the version of the form.
func (c *lowCardinality) EncodeState(b *proto.Buffer) { b.PutInt64(1) }

const (
	hasKeys  = 1 << 9  // the values are with the column
	newIndex = 1 << 10 // and replace those before
	width8   = 0
	width16  = 1
	width32  = 2
)

// EncodeColumn writes the values, then a number for each row.
func (c *lowCardinality) EncodeColumn(b *proto.Buffer) {
	if len(c.keys) == 0 {
		return
	}
	n := c.index.Rows()
	width := int64(width32)
	switch {
	case n <= math.MaxUint8:
		width = width8
	case n <= math.MaxUint16:
		width = width16
	}
	b.PutInt64(hasKeys | newIndex | width)
	b.PutInt64(int64(n))
	c.index.EncodeColumn(b)
	b.PutInt64(int64(len(c.keys)))
	for _, k := range c.keys {
		switch width {
		case width8:
			b.PutUInt8(uint8(k))
		case width16:
			b.PutUInt16(uint16(k))
		default:
			b.PutUInt32(k)
		}
	}
}

// WriteColumn is EncodeColumn into a writer.
func (c *lowCardinality) WriteColumn(w *proto.Writer) { w.ChainBuffer(c.EncodeColumn) }
