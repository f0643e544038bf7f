package clickhouse

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// table writes rows of a table, column by column. It is made once of the schema, so that
// no type is looked at for each value.
type table[R any] struct {
	name    string
	columns []column[R]
	origin  []column[schema.Origin]
}

// column is a column of a table.
type column[R any] struct {
	name string
	make func() proto.ColInput
	fill func(c proto.ColInput, rows []R) // adds the values of some rows
}

var (
	events      = tableOf(&schema.Events)
	sightings   = tableOf(&schema.Sightings)
	tallies     = tableOf(&schema.Tallies)
	visits      = tableOf(&schema.Visits)
	identities  = tableOf(&schema.Identities)
	aliases     = tableOf(&schema.Aliases)
	traits      = tableOf(&schema.Traits)
	erasures    = tableOf(&schema.Erasures)
	deletions   = tableOf(&schema.Deletions)
	deleted     = tableOf(&schema.DeletedEvents)
	deadLetters = tableOf(&schema.DeadLetters)
	batches     = tableOf(&schema.Batches)
)

func tableOf[R any](t *schema.Table[R]) *table[R] {
	out := &table[R]{name: t.Name}
	for i := range t.Columns {
		out.columns = append(out.columns, columnOf(&t.Columns[i], t.Checked))
	}
	for i := range t.Origin {
		out.origin = append(out.origin, columnOf(&t.Origin[i], true))
	}
	return out
}

// columnOf makes a column. checked says that text is valid UTF-8.
func columnOf[R any](c *schema.Column[R], checked bool) column[R] {
	out := column[R]{name: c.Name}
	word, null := c.Type == schema.Word, c.Null
	switch f := c.Value.(type) {
	case func(*R) string:
		if word && null == schema.IfZero {
			out.make = func() proto.ColInput { return newLowCardinality(true) }
			out.fill = func(c proto.ColInput, rows []R) {
				to := c.(*lowCardinality)
				for i := range rows {
					if s := f(&rows[i]); s == "" {
						to.null()
					} else {
						to.add(s)
					}
				}
			}
			break
		}
		out.make = newText
		out.fill = func(c proto.ColInput, rows []R) {
			to := c.(*proto.ColStr)
			for i := range rows {
				to.Append(f(&rows[i]))
			}
		}
	case func(*R) int32:
		out.make = func() proto.ColInput { return new(proto.ColInt32) }
		out.fill = func(c proto.ColInput, rows []R) {
			to := c.(*proto.ColInt32)
			for i := range rows {
				to.Append(f(&rows[i]))
			}
		}
	case func(*R) *string:
		switch {
		case word:
			out.make = func() proto.ColInput { return newLowCardinality(null != schema.Never) }
			out.fill = words(f, null, checked)
		case null == schema.Never:
			out.make, out.fill = newText, texts(f, checked)
		default:
			out.make, out.fill = func() proto.ColInput { return proto.NewColNullable(new(proto.ColStr)) }, textsOrNull(f, null, checked)
		}
	case func(*R) *[]byte:
		out.make, out.fill = newText, bytes(f)
		if null != schema.Never {
			out.make, out.fill = func() proto.ColInput { return proto.NewColNullable(new(proto.ColStr)) }, bytesOrNull(f)
		}
	case func(*R) *time.Time:
		out.make, out.fill = func() proto.ColInput { return newMicros() }, times(f)
		if null != schema.Never {
			out.make, out.fill = func() proto.ColInput { return proto.NewColNullable(newMicros()) }, timesOrNull(f)
		}
	case func(*R) *int:
		out.make, out.fill = ints(f, null)
	case func(*R) *bool:
		out.make, out.fill = numbers[proto.ColBool](f, null)
	case func(*R) *int8:
		out.make, out.fill = numbers[proto.ColInt8](f, null)
	case func(*R) *int32:
		out.make, out.fill = numbers[proto.ColInt32](f, null)
	case func(*R) *int64:
		out.make, out.fill = numbers[proto.ColInt64](f, null)
	case func(*R) *uint32:
		out.make, out.fill = numbers[proto.ColUInt32](f, null)
	case func(*R) *uint64:
		out.make, out.fill = numbers[proto.ColUInt64](f, null)
	case func(*R) *float64:
		out.make, out.fill = numbers[proto.ColFloat64](f, null)
	case func(*R) *weir.Number:
		if c.Type == schema.Int64 {
			out.make, out.fill = optional[proto.ColInt64](f, func(n float64) int64 { return int64(n) })
		} else {
			out.make, out.fill = optional[proto.ColFloat64](f, func(n float64) float64 { return n })
		}
	}
	if out.fill == nil {
		panic("clickhouse: column " + c.Name + " cannot be written")
	}
	return out
}

func newText() proto.ColInput { return new(proto.ColStr) }

func newMicros() *proto.ColDateTime64 {
	return new(proto.ColDateTime64).WithPrecision(proto.PrecisionMicro).WithLocation(time.UTC)
}

func words[R any](f func(*R) *string, null schema.Null, checked bool) func(proto.ColInput, []R) {
	if offset, ok := schema.Offset(f); ok && checked && null == schema.Never {
		return func(c proto.ColInput, rows []R) {
			to := c.(*lowCardinality)
			for i := range rows {
				to.add(*schema.At[string](&rows[i], offset))
			}
		}
	}
	return func(c proto.ColInput, rows []R) {
		to := c.(*lowCardinality)
		for i := range rows {
			p := f(&rows[i])
			switch {
			case null != schema.Never && (p == nil || null == schema.IfZero && *p == ""):
				to.null()
			case checked:
				to.add(*p)
			default:
				to.add(clean(*p))
			}
		}
	}
}

func texts[R any](f func(*R) *string, checked bool) func(proto.ColInput, []R) {
	if offset, ok := schema.Offset(f); ok && checked {
		return func(c proto.ColInput, rows []R) {
			to := c.(*proto.ColStr)
			for i := range rows {
				to.Append(*schema.At[string](&rows[i], offset))
			}
		}
	}
	return func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColStr)
		for i := range rows {
			if p := f(&rows[i]); checked {
				to.Append(*p)
			} else {
				to.Append(clean(*p))
			}
		}
	}
}

func textsOrNull[R any](f func(*R) *string, null schema.Null, checked bool) func(proto.ColInput, []R) {
	return func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColNullable[string])
		value := to.Values.(*proto.ColStr)
		for i := range rows {
			s := ""
			p := f(&rows[i])
			if p != nil {
				s = *p
			}
			if !checked {
				s = clean(s)
			}
			to.Nulls = append(to.Nulls, isNull(p == nil || null == schema.IfZero && s == ""))
			value.Append(s)
		}
	}
}

func bytes[R any](f func(*R) *[]byte) func(proto.ColInput, []R) {
	return func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColStr)
		for i := range rows {
			to.AppendBytes(*f(&rows[i]))
		}
	}
}

func bytesOrNull[R any](f func(*R) *[]byte) func(proto.ColInput, []R) {
	return func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColNullable[string])
		value := to.Values.(*proto.ColStr)
		for i := range rows {
			p := f(&rows[i])
			to.Nulls = append(to.Nulls, isNull(len(*p) == 0))
			value.AppendBytes(*p)
		}
	}
}

func times[R any](f func(*R) *time.Time) func(proto.ColInput, []R) {
	return func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColDateTime64)
		for i := range rows {
			to.AppendRaw(proto.DateTime64(f(&rows[i]).UnixMicro()))
		}
	}
}

func timesOrNull[R any](f func(*R) *time.Time) func(proto.ColInput, []R) {
	return func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColNullable[time.Time])
		value := to.Values.(*proto.ColDateTime64)
		for i := range rows {
			p, us := f(&rows[i]), int64(0)
			if !p.IsZero() {
				us = p.UnixMicro()
			}
			to.Nulls = append(to.Nulls, isNull(p.IsZero()))
			value.AppendRaw(proto.DateTime64(us))
		}
	}
}

// numbers writes to columns of type C.
func numbers[C ~[]V, P interface {
	*C
	proto.ColumnOf[V]
}, R any, V comparable](f func(*R) *V, null schema.Null) (newColumn func() proto.ColInput, fill func(proto.ColInput, []R)) {
	if null == schema.Never {
		return func() proto.ColInput { return P(new(C)) }, func(c proto.ColInput, rows []R) {
			to := (*C)(c.(P))
			for i := range rows {
				*to = append(*to, *f(&rows[i]))
			}
		}
	}
	return func() proto.ColInput { return proto.NewColNullable[V](P(new(C))) }, func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColNullable[V])
		value := (*C)(to.Values.(P))
		var none V
		for i := range rows {
			v, absent := none, true
			if p := f(&rows[i]); p != nil {
				v, absent = *p, null == schema.IfZero && *p == none
			}
			to.Nulls = append(to.Nulls, isNull(absent))
			*value = append(*value, v)
		}
	}
}

// optional writes to columns of type C that are NULL if the number is unknown.
func optional[C ~[]V, P interface {
	*C
	proto.ColumnOf[V]
}, R any, V float64 | int64](f func(*R) *weir.Number, of func(float64) V) (newColumn func() proto.ColInput, fill func(proto.ColInput, []R)) {
	return func() proto.ColInput { return proto.NewColNullable[V](P(new(C))) }, func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColNullable[V])
		value := (*C)(to.Values.(P))
		for i := range rows {
			var n weir.Number
			if p := f(&rows[i]); p != nil {
				n = *p
			}
			to.Nulls = append(to.Nulls, isNull(!n.Known))
			*value = append(*value, of(n.Value))
		}
	}
}

// ints writes to columns of type Int32.
func ints[R any](f func(*R) *int, null schema.Null) (newColumn func() proto.ColInput, fill func(proto.ColInput, []R)) {
	if null == schema.Never {
		return func() proto.ColInput { return new(proto.ColInt32) }, func(c proto.ColInput, rows []R) {
			to := c.(*proto.ColInt32)
			for i := range rows {
				to.Append(int32(*f(&rows[i])))
			}
		}
	}
	return func() proto.ColInput { return proto.NewColNullable[int32](new(proto.ColInt32)) }, func(c proto.ColInput, rows []R) {
		to := c.(*proto.ColNullable[int32])
		value := to.Values.(*proto.ColInt32)
		for i := range rows {
			v, p := int32(0), f(&rows[i])
			if p != nil {
				v = int32(*p)
			}
			to.Nulls = append(to.Nulls, isNull(p == nil || null == schema.IfZero && v == 0))
			value.Append(v)
		}
	}
}

func isNull(is bool) uint8 {
	if is {
		return 1
	}
	return 0
}

// clean is text that nobody checked; bytes that are not UTF-8 become U+FFFD.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// originOf says which batch rows come from.
func originOf(b *cold.Batch) schema.Origin {
	return schema.Origin{Log: b.Log, Shard: b.Shard, Last: b.Last, Batch: batchID(b)}
}

// batchID names a batch in a column: the first 64 bits of the SHA-256 of its token, which has
// the log, the shard, the range and the time in it. 0 is a row of before there was the column.
func batchID(b *cold.Batch) uint64 {
	h := sha256.Sum256([]byte(b.Token))
	return max(binary.BigEndian.Uint64(h[:8]), 1)
}
