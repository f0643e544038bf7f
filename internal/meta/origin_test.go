package meta_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestKeyIsHeldToOrigins(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	k, secret, err := f.CreateKey(t.Context(), p.ID, "https://Shop.example/", "*.shop.example", "shop.example")
	if err != nil {
		t.Fatal(err)
	}
	check := func(want ...string) {
		t.Helper()
		if d := cmp.Diff(want, must(f.ProjectByKey(t.Context(), secret))(t).KeyOrigins); d != "" {
			t.Errorf("the project's (-want +got)\n%s", d)
		}
		var got []string
		for _, each := range must(f.Keys(t.Context(), p.ID))(t) {
			got = append(got, each.Origins...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("the keys' (-want +got)\n%s", d)
		}
	}
	check("*.shop.example", "shop.example")
	if err := f.SetKeyOrigins(t.Context(), p.ID, k.ID, []string{"localhost:3000"}); err != nil {
		t.Fatal(err)
	}
	check("localhost:3000")
	if err := f.SetKeyOrigins(t.Context(), p.ID, k.ID, nil); err != nil {
		t.Fatal(err)
	}
	check()
	for _, bad := range []string{"", "a b", "a,b", "https://a/b", "*", "*.", "a.*.b", "m\u00fcnchen.example", strings.Repeat("a", 256)} {
		if err := f.SetKeyOrigins(t.Context(), p.ID, k.ID, []string{bad}); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := f.SetKeyOrigins(t.Context(), "other", k.ID, nil); weir.ErrorCode(err) != weir.ENOTFOUND {
		t.Errorf("another project: %v", err)
	}
}
