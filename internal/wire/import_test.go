package wire_test

import (
	"net/http"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

func TestIDOfAnImportIsOfTheHeaderOrTheQuery(t *testing.T) {
	for _, c := range []struct{ header, query, want, code string }{
		{"", "", "", ""},
		{"spring-2026_1.a", "", "spring-2026_1.a", ""},
		{"", "import=b&x=1", "b", ""},
		{"a", "import=b", "a", ""},
		{strings.Repeat("a", 64), "", strings.Repeat("a", 64), ""},
		{strings.Repeat("a", 65), "", "", weir.EINVALID},
		{"a b", "", "", weir.EINVALID},
		{"", "import=%C3%BC", "", weir.EINVALID},
	} {
		r := &wire.Request{Header: http.Header{"X-Weir-Import": {c.header}}, RawQuery: c.query}
		if got, err := wire.ImportID(r); got != c.want || weir.ErrorCode(err) != c.code {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}
