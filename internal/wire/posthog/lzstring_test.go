package posthog_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// lzVectors are texts and what npm's lz-string 1.5.0 makes of them.
func lzVectors(t testing.TB) (vectors []struct{ Text, Packed string }) {
	t.Helper()
	b, err := os.ReadFile("testdata/lzstring.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) == 0 {
		t.Fatal(len(vectors), err)
	}
	return vectors
}

func TestLZStringIsReadAsItsLibraryWritesIt(t *testing.T) {
	for _, v := range lzVectors(t) {
		for _, packed := range []string{v.Packed, strings.ReplaceAll(v.Packed, "+", " "), strings.TrimRight(v.Packed, "=")} {
			got, err := posthog.LZBase64([]byte(packed), wire.Limits{Body: 1 << 20})
			if string(got) != v.Text || err != nil {
				t.Errorf("%.40q: %.60q %v", v.Text, got, err)
			}
		}
	}
}

func TestLZStringThatIsBrokenIsRefused(t *testing.T) {
	whole := lzVectors(t)[3].Packed
	for _, c := range []struct{ name, packed, code string }{
		{"nothing", "", weir.EINVALID},
		{"no end", whole[:len(whole)/2], weir.EINVALID},
		{"a code that is not there yet", "////", weir.EINVALID},
		{"no base64 at all", "!!!!", weir.EINVALID},
		{"too long", lzVectors(t)[2].Packed, weir.ETOOLARGE},
	} {
		if got, err := posthog.LZBase64([]byte(c.packed), wire.Limits{Body: 40}); weir.ErrorCode(err) != c.code {
			t.Errorf("%s: %q %v", c.name, got, err)
		}
	}
}

func FuzzLZBase64(f *testing.F) {
	for _, v := range lzVectors(f) {
		f.Add([]byte(v.Packed))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		defer wiretest.Bounded(t)()
		got, err := posthog.LZBase64(packed, wire.Limits{Body: 1000})
		if err != nil {
			if code := weir.ErrorCode(err); code != weir.EINVALID && code != weir.ETOOLARGE {
				t.Errorf("code %q", code)
			}
			return
		}
		if len(got) > 1000 {
			t.Errorf("%d bytes", len(got))
		}
		if strings.ToValidUTF8(string(got), "") != string(got) {
			t.Errorf("%q is not UTF-8", got)
		}
	})
}
