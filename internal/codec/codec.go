// Package codec is the compact binary form of what the hot tier stores: varints
// and length-prefixed text, in a fixed order of fields. Formats that use it
// begin with a version byte.
package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// ErrCorrupt is what a Reader ends with when its input is cut or out of range.
var ErrCorrupt = errors.New("codec: corrupt value")

// AppendString appends length and bytes.
func AppendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// AppendUint appends an unsigned varint.
func AppendUint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendInt appends a signed varint.
func AppendInt(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendFloat appends eight bytes.
func AppendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

// AppendTime appends microseconds since 1970; the zero time has a value of its own.
func AppendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return AppendInt(b, math.MinInt64)
	}
	return AppendInt(b, t.UnixMicro())
}

// Reader takes the values back in order. The strings that it returns share one
// copy of the input. Check Err at the end: after a fault every value is zero.
type Reader struct {
	s   string
	err error
}

// NewReader copies b.
func NewReader(b []byte) Reader { return Reader{s: string(b)} }

// NewStringReader reads s. The strings that it returns are parts of s.
func NewStringReader(s string) Reader { return Reader{s: s} }

// Err is ErrCorrupt or nil.
func (r *Reader) Err() error { return r.err }

// Done is Err, or ErrCorrupt when something is left over.
func (r *Reader) Done() error {
	if r.err == nil && r.s != "" {
		r.fail()
	}
	return r.err
}

// More says whether anything is left.
func (r *Reader) More() bool { return r.s != "" }

func (r *Reader) fail() {
	r.s, r.err = "", ErrCorrupt
}

// Byte takes one byte.
func (r *Reader) Byte() byte {
	if r.s == "" {
		r.fail()
		return 0
	}
	c := r.s[0]
	r.s = r.s[1:]
	return c
}

// Uint takes an unsigned varint.
func (r *Reader) Uint() uint64 {
	var v uint64
	for i := 0; i < len(r.s) && i < binary.MaxVarintLen64; i++ {
		c := r.s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			r.s = r.s[i+1:]
			return v | uint64(c)<<(7*i)
		}
		v |= uint64(c&0x7f) << (7 * i)
	}
	r.fail()
	return 0
}

// Int takes a signed varint.
func (r *Reader) Int() int64 {
	u := r.Uint()
	v := int64(u >> 1)
	if u&1 != 0 {
		v = ^v
	}
	return v
}

// Float takes eight bytes.
func (r *Reader) Float() float64 {
	if len(r.s) < 8 {
		r.fail()
		return 0
	}
	var u uint64
	for i := range 8 {
		u |= uint64(r.s[i]) << (8 * i)
	}
	r.s = r.s[8:]
	return math.Float64frombits(u)
}

// Time takes a time, UTC.
func (r *Reader) Time() time.Time {
	v := r.Int()
	if v == math.MinInt64 || r.err != nil {
		return time.Time{}
	}
	return time.UnixMicro(v).UTC()
}

// String reads a text.
func (r *Reader) String() string {
	n := r.Uint()
	if n > uint64(len(r.s)) {
		r.fail()
		return ""
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s
}
