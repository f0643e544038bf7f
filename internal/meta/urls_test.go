package meta_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestURLRulesAreAProjectsOwnAndLast(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, _ := newProject(t, f)
	rules := weir.URLRules{StripSlash: true, Rules: []weir.URLRule{{From: "/caf%c3%a9/*", To: "/'q' \"\\"}}}
	if err := f.SetURLRules(t.Context(), p.ID, rules); err != nil {
		t.Fatal(err)
	}
	rules.Rules[0].From = "/café/*"
	if d := cmp.Diff(rules, must(f.Project(t.Context(), p.ID))(t).URLRules); d != "" {
		t.Error(d)
	}
	if got := must(f.Project(t.Context(), other.ID))(t).URLRules; !got.Empty() {
		t.Errorf("another project has %+v", got)
	}
	wantCode(t, f.SetURLRules(t.Context(), p.ID, weir.URLRules{Rules: []weir.URLRule{{From: "***", To: "/"}}}), weir.EINVALID)
	wantCode(t, f.SetURLRules(t.Context(), "nothing", rules), weir.ENOTFOUND)
	if d := cmp.Diff(rules, must(f.Project(t.Context(), p.ID))(t).URLRules); d != "" {
		t.Error(d)
	}
	if err := f.SetURLRules(t.Context(), p.ID, weir.URLRules{}); err != nil {
		t.Fatal(err)
	}
	if got := must(f.Project(t.Context(), p.ID))(t).URLRules; !got.Empty() {
		t.Errorf("taken away: %+v", got)
	}
}
