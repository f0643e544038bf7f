package meta_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestAStoreHasOneHotTierUntilItIsReplaced(t *testing.T) {
	f := open(t)
	for _, c := range []struct {
		tier    string
		replace bool
		before  string
		code    string
	}{
		{"a", false, "", ""},
		{"a", false, "a", ""},
		{"b", false, "a", weir.ECONFLICT},
		{"a", false, "a", ""},
		{"b", true, "a", ""},
		{"b", false, "b", ""},
		{"a", false, "b", weir.ECONFLICT},
	} {
		before, err := reopen(t, f).BindHot(t.Context(), c.tier, c.replace)
		wantCode(t, err, c.code)
		if before != c.before {
			t.Errorf("%+v: before %q", c, before)
		}
	}
}
