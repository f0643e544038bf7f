package clickhouse

import (
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
)

// block is the rows of one insert, by columns. A row is written left to right, one
// call a column. It is not safe for concurrent use.
type block struct {
	input proto.Input
	col   int
	rows  int
}

// kind makes a column of a type.
type kind func() proto.ColInput

var (
	str    kind = func() proto.ColInput { return new(proto.ColStr) }
	low    kind = func() proto.ColInput { return newLowCardinality(false) }
	lowN   kind = func() proto.ColInput { return newLowCardinality(true) }
	i8     kind = func() proto.ColInput { return new(proto.ColInt8) }
	i32    kind = func() proto.ColInput { return new(proto.ColInt32) }
	i64    kind = func() proto.ColInput { return new(proto.ColInt64) }
	u32    kind = func() proto.ColInput { return new(proto.ColUInt32) }
	u64    kind = func() proto.ColInput { return new(proto.ColUInt64) }
	f64    kind = func() proto.ColInput { return new(proto.ColFloat64) }
	flag   kind = func() proto.ColInput { return new(proto.ColBool) }
	micros kind = func() proto.ColInput { return newMicros() }
	strN   kind = func() proto.ColInput { return proto.NewColNullable(new(proto.ColStr)) }
	i32N   kind = func() proto.ColInput { return proto.NewColNullable(new(proto.ColInt32)) }
	i64N   kind = func() proto.ColInput { return proto.NewColNullable(new(proto.ColInt64)) }
	f64N   kind = func() proto.ColInput { return proto.NewColNullable(new(proto.ColFloat64)) }
	timeN  kind = func() proto.ColInput { return proto.NewColNullable(newMicros()) }
)

func newMicros() *proto.ColDateTime64 {
	return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro).WithLocation(time.UTC)
}

// field is a column of a table.
type field struct {
	name string
	kind kind
}

func newBlock(fields []field) *block {
	b := &block{}
	for _, f := range fields {
		b.input = append(b.input, proto.InputColumn{Name: f.name, Data: f.kind()})
	}
	return b
}

func (b *block) reset() {
	b.input.Reset()
	b.rows = 0
}

// next begins a row.
func (b *block) next() {
	b.rows++
	b.col = 0
}

func column[T proto.ColInput](b *block) T {
	c := b.input[b.col].Data.(T)
	b.col++
	return c
}

func (b *block) text(s string)   { column[*proto.ColStr](b).Append(s) }
func (b *block) bytes(p []byte)  { column[*proto.ColStr](b).AppendBytes(p) }
func (b *block) low(s string)    { column[*lowCardinality](b).add(s) }
func (b *block) lowNull()        { column[*lowCardinality](b).null() }
func (b *block) int8(v int8)     { column[*proto.ColInt8](b).Append(v) }
func (b *block) int32(v int32)   { column[*proto.ColInt32](b).Append(v) }
func (b *block) int64(v int64)   { column[*proto.ColInt64](b).Append(v) }
func (b *block) uint32(v uint32) { column[*proto.ColUInt32](b).Append(v) }
func (b *block) uint64(v uint64) { column[*proto.ColUInt64](b).Append(v) }
func (b *block) float(v float64) { column[*proto.ColFloat64](b).Append(v) }
func (b *block) flag(v bool)     { column[*proto.ColBool](b).Append(v) }
func (b *block) time(t time.Time) {
	column[*proto.ColDateTime64](b).AppendRaw(proto.DateTime64(t.UnixMicro()))
}

// timeOrNull writes the zero time as NULL.
func (b *block) timeOrNull(t time.Time) {
	c := column[*proto.ColNullable[time.Time]](b)
	c.Nulls = append(c.Nulls, null(t.IsZero()))
	v := proto.DateTime64(0)
	if !t.IsZero() {
		v = proto.DateTime64(t.UnixMicro())
	}
	c.Values.(*proto.ColDateTime64).AppendRaw(v)
}

// intOrNull writes 0, which stands for unknown, as NULL.
func (b *block) intOrNull(v int32) {
	c := column[*proto.ColNullable[int32]](b)
	c.Nulls = append(c.Nulls, null(v == 0))
	c.Values.Append(v)
}

// longOrNull writes NULL unless there is a value.
func (b *block) longOrNull(v int64, there bool) {
	c := column[*proto.ColNullable[int64]](b)
	c.Nulls = append(c.Nulls, null(!there))
	c.Values.Append(v)
}

// floatOrNull writes 0, which stands for unknown, as NULL.
func (b *block) floatOrNull(v float64) {
	c := column[*proto.ColNullable[float64]](b)
	c.Nulls = append(c.Nulls, null(v == 0))
	c.Values.Append(v)
}

// bytesOrNull writes no bytes as NULL.
func (b *block) bytesOrNull(p []byte) {
	c := column[*proto.ColNullable[string]](b)
	c.Nulls = append(c.Nulls, null(len(p) == 0))
	c.Values.(*proto.ColStr).AppendBytes(p)
}

func null(is bool) uint8 {
	if is {
		return 1
	}
	return 0
}

// clean is text that nobody checked; bytes that are not UTF-8 become U+FFFD.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
