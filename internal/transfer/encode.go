package transfer

import (
	"encoding/binary"
	"math"
	"time"
)

// encoding is a row in a form that says the same in every engine: text with its
// length before it, numbers in as few bytes as they need, times in microseconds. Two
// rows have the same one only if they are the same.
type encoding []byte

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
