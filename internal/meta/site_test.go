package meta_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func TestASiteHasOneFormAndFindsItsProject(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	if err := f.SetSites(t.Context(), p.ID, []string{" Shop.Example ", "www.blog.example", "shop.example", "4FB7FA4C-5b46-438d-94b3-3a8fb9bc2e8b", "7"}); err != nil {
		t.Fatal(err)
	}
	want := []string{"4fb7fa4c-5b46-438d-94b3-3a8fb9bc2e8b", "7", "blog.example", "shop.example"}
	if d := cmp.Diff(want, must(f.Sites(t.Context(), p.ID))(t)); d != "" {
		t.Error(d)
	}
	if got := must(f.Project(t.Context(), p.ID))(t).Sites; cmp.Diff(want, got) != "" {
		t.Errorf("the project has the sites %v, want %v", got, want)
	}
	for _, name := range []string{"shop.example", "SHOP.example", " www.shop.example", "www.blog.example", "blog.example", "7"} {
		if got := must(f.ProjectBySite(t.Context(), name))(t); got.ID != p.ID {
			t.Errorf("%q is %+v", name, got)
		}
	}
	for _, name := range []string{"", "example", "shop.example.", "x.shop.example", p.ID, strings.Repeat("a", 256)} {
		_, err := f.ProjectBySite(t.Context(), name)
		wantCode(t, err, weir.ENOTFOUND)
	}
}

func TestASiteIsRefusedForABadName(t *testing.T) {
	f := open(t)
	p, key := newProject(t, f)
	if err := f.SetSites(t.Context(), p.ID, []string{"shop.example"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "  ", "www.", "a b", "a,b", "a\tb", "a\x00b", "a\x07b", "a\xffb", "https://shop.example", key, "wk_x", "WK_x", strings.Repeat("a", 256)} {
		if err := f.SetSites(t.Context(), p.ID, []string{"good.example", name}); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v, want EINVALID", name, err)
		}
	}
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint(i, ".example")
	}
	wantCode(t, f.SetSites(t.Context(), p.ID, many), weir.EINVALID)
	if got := must(f.Sites(t.Context(), p.ID))(t); len(got) != 1 || got[0] != "shop.example" {
		t.Errorf("sites = %v after refusals", got)
	}
	if err := f.SetSites(t.Context(), p.ID, append(many[:100], many[0])); err != nil {
		t.Errorf("100 sites, one of them twice: %v", err)
	}
}

func TestASiteIsOneProjectsOnly(t *testing.T) {
	f := open(t)
	a, _ := newProject(t, f)
	b, _ := newProject(t, f)
	if err := f.SetSites(t.Context(), a.ID, []string{"a.example", "both.example"}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetSites(t.Context(), b.ID, []string{"b.example"}); err != nil {
		t.Fatal(err)
	}
	err := f.SetSites(t.Context(), b.ID, []string{"c.example", "Both.example"})
	wantCode(t, err, weir.ECONFLICT)
	if strings.Contains(weir.ErrorMessage(err), a.ID) {
		t.Errorf("the message names the other project: %v", err)
	}
	for id, want := range map[string][]string{a.ID: {"a.example", "both.example"}, b.ID: {"b.example"}} {
		if d := cmp.Diff(want, must(f.Sites(t.Context(), id))(t)); d != "" {
			t.Error(d)
		}
	}
	if err := f.SetSites(t.Context(), a.ID, nil); err != nil { // it may pass on
		t.Fatal(err)
	}
	if err := f.SetSites(t.Context(), b.ID, []string{"both.example"}); err != nil {
		t.Fatal(err)
	}
	wantCode(t, f.SetSites(t.Context(), "nothing", []string{"x.example"}), weir.ENOTFOUND)
	if got := must(f.Sites(t.Context(), "nothing"))(t); got == nil || len(got) != 0 {
		t.Errorf("sites of no project: %v", got)
	}
}

func TestAChangeOfSitesIsSeenAtOnceAndElsewhereWithinAMinute(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	elsewhere := reopen(t, f)
	isProject := func(s *meta.Store, site string, want bool) {
		t.Helper()
		got, err := s.ProjectBySite(t.Context(), site)
		if want && (err != nil || got.ID != p.ID) || !want && weir.ErrorCode(err) != weir.ENOTFOUND {
			t.Errorf("%s: %+v, %v; want the project: %v", site, got, err, want)
		}
	}
	isProject(f.Store, "a.example", false)
	isProject(elsewhere, "a.example", false)
	if err := f.SetSites(t.Context(), p.ID, []string{"a.example"}); err != nil {
		t.Fatal(err)
	}
	isProject(f.Store, "a.example", true)
	f.watch.add(6 * time.Second)
	isProject(elsewhere, "a.example", true)
	if err := f.SetSites(t.Context(), p.ID, []string{"b.example"}); err != nil {
		t.Fatal(err)
	}
	isProject(f.Store, "a.example", false)
	isProject(f.Store, "b.example", true)
	isProject(elsewhere, "a.example", true) // it was asked a moment ago
	f.watch.add(61 * time.Second)
	isProject(elsewhere, "a.example", false)
	isProject(elsewhere, "b.example", true)
}
