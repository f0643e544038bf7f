package codec_test

import (
	"math"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/codec"
	"pgregory.net/rapid"
)

func TestValuesComeBackInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "s")
		u := rapid.Uint64().Draw(t, "u")
		i := rapid.Int64().Draw(t, "i")
		f := rapid.Float64().Draw(t, "f")
		at := time.UnixMicro(rapid.Int64Range(-1<<50, 1<<50).Draw(t, "at")).UTC()
		b := codec.AppendString(nil, s)
		b = codec.AppendUint(b, u)
		b = codec.AppendInt(b, i)
		b = codec.AppendFloat(b, f)
		b = codec.AppendTime(b, at)
		b = codec.AppendTime(b, time.Time{})
		r := codec.NewReader(b)
		if got := r.String(); got != s {
			t.Fatalf("string: %q, want %q", got, s)
		}
		if got := r.Uint(); got != u {
			t.Fatalf("uint: %d, want %d", got, u)
		}
		if got := r.Int(); got != i {
			t.Fatalf("int: %d, want %d", got, i)
		}
		if got := r.Float(); math.Float64bits(got) != math.Float64bits(f) {
			t.Fatalf("float: %v, want %v", got, f)
		}
		if got := r.Time(); !got.Equal(at) {
			t.Fatalf("time: %v, want %v", got, at)
		}
		if got := r.Time(); !got.IsZero() {
			t.Fatalf("zero time: %v", got)
		}
		if err := r.Done(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestACutValueIsCorrupt(t *testing.T) {
	b := codec.AppendFloat(codec.AppendString(nil, "weir"), 1)
	for n := range b {
		r := codec.NewReader(b[:n])
		_, _ = r.String(), r.Float()
		if r.Err() == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(b))
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte{1, 2, 3}, []byte("sui"))
	f.Fuzz(func(t *testing.T, b, ops []byte) {
		r := codec.NewReader(b)
		for _, op := range ops {
			switch op % 5 {
			case 0:
				if s := r.String(); len(s) > len(b) {
					t.Fatal("string longer than the input")
				}
			case 1:
				r.Uint()
			case 2:
				r.Float()
			case 3:
				r.Time()
			case 4:
				r.Byte()
			}
		}
		_ = r.Done()
	})
}
