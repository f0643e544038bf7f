package body_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func read(sent, encoding string, l wire.Limits) (string, error) {
	b, err := body.Read(strings.NewReader(sent), encoding, l)
	if err != nil {
		return "", err
	}
	defer b.Release()
	return string(b.Bytes()), nil
}

func TestBodyIsDecompressed(t *testing.T) {
	const text = `{"name":"a"}`
	for _, c := range []struct{ name, body, encoding string }{
		{"plain", text, ""},
		{"identity", text, "identity"},
		{"gzip", wiretest.Gzipped(t, text), "gzip"},
		{"x-gzip", wiretest.Gzipped(t, text), " X-GZip "},
		{"gzip unannounced", wiretest.Gzipped(t, text), ""},
		{"gzip as identity", wiretest.Gzipped(t, text), "identity"},
		{"gzip in members", wiretest.Gzipped(t, text[:5]) + wiretest.Gzipped(t, "") + wiretest.Gzipped(t, text[5:]), "gzip"},
		{"zstd", wiretest.Zstded(t, text), "zstd"},
		{"zstd unannounced", wiretest.Zstded(t, text), ""},
		{"zstd in frames", wiretest.Zstded(t, text[:5]) + wiretest.Zstded(t, text[5:]), "zstd"},
		{"zstd after a skippable frame", "\x50\x2a\x4d\x18\x02\x00\x00\x00xx" + wiretest.Zstded(t, text), "zstd"},
	} {
		if got, err := read(c.body, c.encoding, wire.DefaultLimits()); got != text || err != nil {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
	}
}

func TestEmptyBodyIsRead(t *testing.T) {
	for _, body := range []string{"", wiretest.Gzipped(t, ""), wiretest.Zstded(t, "")} {
		if got, err := read(body, "", wire.DefaultLimits()); got != "" || err != nil {
			t.Errorf("%q: %q %v", body, got, err)
		}
	}
}

func TestBadBodyIsRefused(t *testing.T) {
	text := strings.Repeat(`{"name":"a"}`+"\n", 5000)
	packed, zpacked := wiretest.Gzipped(t, text), wiretest.Zstded(t, text)
	broken := []byte(packed)
	broken[len(broken)-6] ^= 1 // in the checksum
	for _, c := range []struct{ name, body, encoding, code string }{
		{"a coding that nobody speaks", text, "compress", weir.EUNSUPPORTED},
		{"another in a list", text, "gzip, lz64", weir.EUNSUPPORTED},
		{"brotli that is not", text, "br", weir.EINVALID},
		{"deflate that is not", text, "deflate", weir.EINVALID},
		{"gzip that is not", text, "gzip", weir.EINVALID},
		{"zstd that is not", text, "zstd", weir.EINVALID},
		{"zstd announced as gzip", zpacked, "gzip", weir.EINVALID},
		{"nothing announced as gzip", "", "gzip", weir.EINVALID},
		{"gzip cut in its header", packed[:7], "", weir.EINVALID},
		{"gzip cut in its data", packed[:len(packed)/2], "", weir.EINVALID},
		{"gzip cut in its checksum", packed[:len(packed)-2], "", weir.EINVALID},
		{"gzip with a wrong checksum", string(broken), "", weir.EINVALID},
		{"gzip with garbage after", packed + "garbage", "", weir.EINVALID},
		{"zstd cut", zpacked[:len(zpacked)-3], "", weir.EINVALID},
		{"zstd with garbage after", zpacked + "garbage", "", weir.EINVALID},
		{"gzip in zstd", wiretest.Zstded(t, wiretest.Gzipped(t, text)), "gzip, zstd", weir.EINVALID},
		{"gzip in gzip, announced once", wiretest.Gzipped(t, wiretest.Gzipped(t, text)), "gzip", weir.EINVALID},
		{"zstd in gzip unannounced", wiretest.Gzipped(t, wiretest.Zstded(t, text)), "", weir.EINVALID},
		{"two layers announced", text, "br, gzip", weir.EINVALID},
		{"a second zstd frame with a larger window", "\x28\xb5\x2f\xfd\x00\x00\x09\x00\x00x" + "\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00x", "", weir.EINVALID},
		{"a window in a frame that is alone", "\x28\xb5\x2f\xfd\xa0\x00\x00\x00\x40\x09\x00\x00x", "", weir.EINVALID},
		// A frame that asks for a window of 1 GiB, for one byte.
		{"zstd window", "\x28\xb5\x2f\xfd\x00\xa0\x09\x00\x00x", "", weir.EINVALID},
	} {
		got, err := read(c.body, c.encoding, wire.DefaultLimits())
		if weir.ErrorCode(err) != c.code {
			t.Errorf("%s: %.20q %v, want %s", c.name, got, err, c.code)
		}
		if strings.Contains(weir.ErrorMessage(err), "internal") {
			t.Errorf("%s: no message for the sender: %v", c.name, err)
		}
	}
}

func TestZstdWindowOfHTTPIsAccepted(t *testing.T) {
	// Window descriptor 0x68: 2^(10+13) bytes, 8 MiB.
	if got, err := read("\x28\xb5\x2f\xfd\x00\x68\x09\x00\x00x", "", wire.DefaultLimits()); got != "x" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestBodyAtItsLimitIsReadAndOverItIsRefused(t *testing.T) {
	l := wire.DefaultLimits()
	l.Body, l.Decoded = 1000, 2000
	noise := func(n int) string { // no two alike, so that packing does not help
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, "%x", uint64(i+1)*0x9e3779b97f4a7c15)
		}
		return b.String()[:n]
	}
	for _, c := range []struct {
		name, body, code string
	}{
		{"1000 bytes", noise(1000), ""},
		{"1001 bytes", noise(1001), weir.ETOOLARGE},
		{"1001 bytes announced by magic", wiretest.Gzipped(t, noise(1900)) + strings.Repeat("x", 100), weir.ETOOLARGE},
		{"gzip to 2000", wiretest.Gzipped(t, strings.Repeat("x", 2000)), ""},
		{"gzip to 2001", wiretest.Gzipped(t, strings.Repeat("x", 2001)), weir.ETOOLARGE},
		{"zstd to 2000", wiretest.Zstded(t, strings.Repeat("x", 2000)), ""},
		{"zstd to 2001", wiretest.Zstded(t, strings.Repeat("x", 2001)), weir.ETOOLARGE},
		{"outer layer over", wiretest.Gzipped(t, strings.Repeat(wiretest.Gzipped(t, ""), 100)), weir.ETOOLARGE},
	} {
		if _, err := read(c.body, "", l); weir.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want %q", c.name, err, c.code)
		}
	}
}

func TestBombIsGivenUpWithinItsLimit(t *testing.T) {
	l := wire.DefaultLimits()
	l.Decoded = 1 << 20
	zeros := strings.Repeat("\x00", 48<<20)
	for name, bomb := range map[string]string{"gzip": wiretest.Gzipped(t, zeros), "zstd": wiretest.Zstded(t, zeros)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := read(bomb, "", l)
		runtime.ReadMemStats(&after)
		if weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("%s: %v", name, err)
		}
		// The zstd decoder holds its window of 8 MiB up to twice.
		if n := after.TotalAlloc - before.TotalAlloc; n > 24<<20 {
			t.Errorf("%s: %d bytes allocated for a limit of %d", name, n, l.Decoded)
		}
	}
}

func TestReadErrorIsKeptForOperators(t *testing.T) {
	gone := errors.New("connection reset")
	for _, begin := range []string{"", `{"name":`, wiretest.Gzipped(t, "x")[:12], wiretest.Zstded(t, "x")[:6]} {
		_, err := body.Read(io.MultiReader(strings.NewReader(begin), iotest.ErrReader(gone)), "", wire.DefaultLimits())
		if weir.ErrorCode(err) != weir.EINVALID || !errors.Is(err, gone) || strings.Contains(weir.ErrorMessage(err), "reset") {
			t.Errorf("after %q: %v", begin, err)
		}
	}
}

func TestReleaseMayBeCalledTwice(t *testing.T) {
	b, err := body.Read(strings.NewReader("x"), "", wire.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	b.Release()
	if b.Bytes() != nil {
		t.Error("bytes after Release")
	}
}

// Pooled buffers and decoders, used at once and after failures, do not mix
// bodies up. Meant for the race detector.
func TestBodiesAreReadAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		text := fmt.Sprintf(`[{"name":"n%d","properties":{"x":%d}}]`, g, g)
		bodies := []string{text, wiretest.Gzipped(t, text), wiretest.Zstded(t, text), wiretest.Brotlied(t, text)}
		bad := wiretest.Gzipped(t, strings.Repeat(text, 100))[:40]
		wg.Go(func() {
			for i := range 200 {
				if _, err := read(bad, "", wire.DefaultLimits()); err == nil {
					t.Error("a truncated body was read")
				}
				b, err := body.Read(strings.NewReader(bodies[i%len(bodies)]), []string{"", "", "", "br"}[i%len(bodies)], wire.DefaultLimits())
				if err != nil {
					t.Error(err)
					return
				}
				in, _, err := native.Decode(b.Bytes(), wiretest.Now, wire.DefaultLimits())
				b.Release()
				if err != nil || len(in) != 1 || in[0].Event.Name != fmt.Sprintf("n%d", g) {
					t.Errorf("%v %v", in, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestABodyInACodingThatOnlyItsHeaderTellsIsRead(t *testing.T) {
	text := strings.Repeat(`{"name":"a"}`, 5000)
	for range 2 { // once with what is pooled
		for _, c := range []struct{ body, encoding string }{
			{wiretest.Deflated(t, text), "deflate"},
			{wiretest.DeflatedRaw(t, text), "deflate"},
			{wiretest.Brotlied(t, text), "br"},
		} {
			if got, err := read(c.body, c.encoding, wire.DefaultLimits()); got != text || err != nil {
				t.Errorf("%s: %.20q %v", c.encoding, got, err)
			}
			l := wire.DefaultLimits()
			l.Decoded = 1000
			if _, err := read(c.body, c.encoding, l); weir.ErrorCode(err) != weir.ETOOLARGE {
				t.Errorf("%s over the limit: %v", c.encoding, err)
			}
			if _, err := read(c.body[:len(c.body)/2], c.encoding, wire.DefaultLimits()); weir.ErrorCode(err) != weir.EINVALID {
				t.Errorf("%s cut: %v", c.encoding, err)
			}
		}
	}
}

func TestCodingsThatAProtocolUndoesItselfAreLeftToIt(t *testing.T) {
	own := []string{"lz64", "base64"}
	for header, want := range map[string]string{"": "", "gzip": "gzip", "LZ64": "", "base64, gzip": " gzip", "br,lz64": "br"} {
		if got := body.WithoutCodings(header, own); got != want {
			t.Errorf("%q: %q", header, got)
		}
	}
}
