package wire_test

import (
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
)

func TestReasonsAreListedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range wire.Reasons() {
		if r == "" || seen[r] || strings.ToLower(r) != r || strings.ContainsAny(r, " -") {
			t.Errorf("reason %q", r)
		}
		seen[r] = true
	}
}
