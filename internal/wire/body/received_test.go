package body_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// stalled gives a body, and then calls wait for more of it in vain.
type stalled struct {
	text string
	wait func()
}

func (s *stalled) Read(p []byte) (int, error) {
	if s.text == "" {
		s.wait()
		return 0, errors.New("no more comes")
	}
	n := copy(p, s.text)
	s.text = s.text[n:]
	return n, nil
}

// Or a few that send a byte each and wait keep all others out.
func TestABodyThatIsComingHoldsNoMoreThanAFewTimesWhatHasCome(t *testing.T) {
	text := wiretest.Repeat(1, `{"event":"a","distinct_id":"ada","properties":{"plan":"free"}},`)
	for name, x := range map[string]struct{ body, encoding string }{
		"plain":        {text, ""},
		"gzip":         {wiretest.Gzipped(t, noise(1<<18)), "gzip"},
		"gzip, silent": {wiretest.Gzipped(t, noise(1<<18)), ""},
		"zstd":         {wiretest.Zstded(t, noise(1<<18)), "zstd"},
		"deflate":      {wiretest.Deflated(t, noise(1<<18)), "deflate"},
		"brotli":       {wiretest.Brotlied(t, noise(1<<18)), "br"},
	} {
		for _, n := range []int{0, 1, 4, 5, 4 << 10, 5 << 10, 16 << 10, 17 << 10, 64 << 10, 65 << 10, 200 << 10} {
			for _, known := range []bool{false, true} {
				b := wire.NewBudget(32 << 20)
				h := b.Open(t.Context())
				if known {
					h.SetKnown()
				}
				l := wire.DefaultLimits()
				l.Memory = h
				held := int64(-1)
				_, err := body.Read(&stalled{x.body[:n], func() { held = b.Held() }}, x.encoding, l)
				if most := int64(4*n + 4<<10); err == nil || held < 0 || held > most || n == 0 && held > 0 {
					t.Errorf("%s: %d bytes are held when %d have come: %v", name, held, n, err)
				}
				h.Close()
			}
		}
	}
}

// noise is text that does not compress.
func noise(n int) string {
	b := make([]byte, n)
	x := uint64(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return string(b)
}

func TestBodiesOfAllSizesComeAsTheyWereSent(t *testing.T) {
	text := noise(300 << 10)
	for _, n := range []int{1, 3, 4, 5, 4095, 4096, 4097, 16383, 16384, 16385, 65535, 65536, 65537, 131072, 300 << 10} {
		for _, encoding := range []string{"", "gzip"} {
			b := wire.NewBudget(32 << 20)
			h := b.Open(t.Context())
			l := wire.DefaultLimits()
			l.Memory = h
			sent := text[:n]
			if encoding != "" {
				sent = wiretest.Gzipped(t, sent)
			}
			// The least that a reader may give at once.
			got, err := body.Read(io.MultiReader(strings.NewReader(sent[:1]), strings.NewReader(sent[1:])), encoding, l)
			if err != nil {
				t.Fatalf("%d bytes, %q: %v", n, encoding, err)
			}
			if string(got.Bytes()) != text[:n] {
				t.Errorf("%d bytes, %q: others came", n, encoding)
			}
			got.Release()
			h.Close()
			if b.Held() != 0 {
				t.Errorf("%d bytes, %q: %d are held for ever", n, encoding, b.Held())
			}
		}
	}
}
