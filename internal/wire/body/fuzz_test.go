package body_test

import (
	"bytes"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// FuzzReadBody checks that no body crashes the decompressors or gets past the
// limits, and that one that is not compressed comes back as it was.
func FuzzReadBody(f *testing.F) {
	for _, text := range []string{"", `{"name":"a"}`, strings.Repeat("x", 3000)} {
		for _, body := range []string{text, wiretest.Gzipped(f, text), wiretest.Zstded(f, text), wiretest.Gzipped(f, wiretest.Zstded(f, text)), wiretest.Deflated(f, text), wiretest.DeflatedRaw(f, text), wiretest.Brotlied(f, text)} {
			for _, encoding := range []string{"", "gzip", "zstd", "gzip,zstd", "br", "deflate", "br, deflate", "compress"} {
				f.Add([]byte(body), encoding)
			}
		}
	}
	l := wire.DefaultLimits()
	l.Body, l.Decoded = 1000, 2000
	f.Fuzz(func(t *testing.T, sent []byte, encoding string) {
		defer wiretest.Bounded(t)()
		b, err := body.Read(bytes.NewReader(sent), encoding, l)
		if err != nil {
			switch code := weir.ErrorCode(err); code {
			case weir.EINVALID, weir.ETOOLARGE, weir.EUNSUPPORTED:
			default:
				t.Errorf("code %q: %v", code, err)
			}
			return
		}
		defer b.Release()
		if len(sent) > 1000 || len(b.Bytes()) > 2000 {
			t.Errorf("%d bytes to %d", len(sent), len(b.Bytes()))
		}
		magic := bytes.HasPrefix(sent, []byte{0x1f, 0x8b}) || bytes.HasPrefix(sent, []byte{0x28, 0xb5, 0x2f, 0xfd})
		if strings.Trim(encoding, " ,") == "" && !magic && !bytes.Equal(b.Bytes(), sent) {
			t.Errorf("%q became %q", sent, b.Bytes())
		}
	})
}
