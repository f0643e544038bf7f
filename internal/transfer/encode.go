package transfer

import (
	"encoding/binary"
	"math"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// encoding is a row in a form that is the same for every engine: text with its length
// before it, numbers in as few bytes as they need, times in microseconds. Two rows have
// the same encoding only if they are the same. Hashes of it are in the tokens of batches:
// if you change it, change markBegun too.
type encoding []byte

// encoder appends columns of a row.
type encoder[R any] func(b encoding, row *R) encoding

func encoderOf[R any](columns []schema.Column[R]) encoder[R] {
	encoders := make([]encoder[R], len(columns))
	for i := range columns {
		encoders[i] = columnEncoder(&columns[i])
	}
	return func(b encoding, row *R) encoding {
		for _, encode := range encoders {
			b = encode(b, row)
		}
		return b
	}
}

func columnEncoder[R any](c *schema.Column[R]) encoder[R] {
	switch f := c.Value.(type) {
	case func(*R) *string:
		return valueEncoder(c, f, encoding.text)
	case func(*R) *[]byte:
		return func(b encoding, row *R) encoding { return b.bytes(*f(row)) }
	case func(*R) *time.Time:
		return func(b encoding, row *R) encoding { return b.time(*f(row)) }
	case func(*R) *bool:
		return valueEncoder(c, f, encoding.flag)
	case func(*R) *float64:
		return valueEncoder(c, f, encoding.float)
	case func(*R) *weir.Number:
		return func(b encoding, row *R) encoding {
			p := f(row)
			if p == nil || !p.Known {
				return b.flag(false)
			}
			return b.flag(true).float(p.Value)
		}
	case func(*R) *int:
		return valueEncoder(c, f, func(b encoding, v int) encoding { return b.int(int64(v)) })
	case func(*R) *int8:
		return valueEncoder(c, f, func(b encoding, v int8) encoding { return b.int(int64(v)) })
	case func(*R) *int32:
		return valueEncoder(c, f, func(b encoding, v int32) encoding { return b.int(int64(v)) })
	case func(*R) *int64:
		return valueEncoder(c, f, encoding.int)
	case func(*R) *uint32:
		return valueEncoder(c, f, func(b encoding, v uint32) encoding { return b.uint(uint64(v)) })
	case func(*R) *uint64:
		return valueEncoder(c, f, encoding.uint)
	}
	panic("transfer: column " + c.Name + " cannot be encoded")
}

// valueEncoder returns the encoder of a column: the value, preceded by a flag whether there is
// one if the column may be NULL.
func valueEncoder[R, V any](c *schema.Column[R], f func(*R) *V, encode func(encoding, V) encoding) encoder[R] {
	if c.Null == schema.Never {
		return func(b encoding, row *R) encoding { return encode(b, *f(row)) }
	}
	return func(b encoding, row *R) encoding {
		p := f(row)
		if b = b.flag(p != nil); p == nil {
			return b
		}
		return encode(b, *p)
	}
}

func (b encoding) text(s string) encoding {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

func (b encoding) bytes(p []byte) encoding {
	b = binary.AppendUvarint(b, uint64(len(p)))
	return append(b, p...)
}

func (b encoding) uint(v uint64) encoding { return binary.AppendUvarint(b, v) }

func (b encoding) int(v int64) encoding { return binary.AppendVarint(b, v) }

func (b encoding) float(v float64) encoding {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

func (b encoding) flag(v bool) encoding {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// time is a time, or none, which is the zero time.
func (b encoding) time(t time.Time) encoding {
	b = b.flag(!t.IsZero())
	if t.IsZero() {
		return b
	}
	return b.int(t.UnixMicro())
}
