package meta_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestAddressFiltersAreAProjectsOwnAndLast(t *testing.T) {
	f := open(t)
	p, key := newProject(t, f)
	other, _ := newProject(t, f)
	is := func(want ...string) {
		t.Helper()
		for name, got := range map[string]*weir.Project{
			"by its id": must(f.Project(t.Context(), p.ID))(t), "by its key": must(f.ProjectByKey(t.Context(), key))(t), "after a start": must(reopen(t, f).Project(t.Context(), p.ID))(t),
		} {
			if d := cmp.Diff(append([]string{}, want...), got.AddressFilters.Strings()); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
	is()
	filters, err := weir.ParseAddressFilters([]string{"2001:db8::/48", "::ffff:203.0.113.5", "10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetAddressFilters(t.Context(), p.ID, filters); err != nil {
		t.Fatal(err)
	}
	is("10.0.0.0/8", "203.0.113.5", "2001:db8::/48")
	if got := must(f.Project(t.Context(), other.ID))(t).AddressFilters; len(got) > 0 {
		t.Errorf("another project has %v", got)
	}
	wantCode(t, f.SetAddressFilters(t.Context(), "nothing", filters), weir.ENOTFOUND)
	if err := f.SetAddressFilters(t.Context(), p.ID, nil); err != nil {
		t.Fatal(err)
	}
	is()
}

func TestBotRulesAreAProjectsOwnAndLast(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, _ := newProject(t, f)
	is := func(want weir.BotRules) {
		t.Helper()
		if d := cmp.Diff(want, must(reopen(t, f).Project(t.Context(), p.ID))(t).BotRules); d != "" {
			t.Error(d)
		}
		if d := cmp.Diff(want, must(f.Project(t.Context(), p.ID))(t).BotRules); d != "" {
			t.Error(d)
		}
	}
	is(weir.BotRules{})
	change := func(id string, with func(*weir.BotRules)) error {
		_, err := f.ChangeBotRules(t.Context(), id, with)
		return err
	}
	if err := change(p.ID, func(r *weir.BotRules) { r.Agents = []string{"ShopWarmer", `'q' "\`} }); err != nil {
		t.Fatal(err)
	}
	want := weir.BotRules{Agents: []string{`'q' "\`, "shopwarmer"}}
	is(want)
	if err := change(p.ID, func(r *weir.BotRules) { r.Drop, r.NotAgents = true, []string{"acme-uptime"} }); err != nil {
		t.Fatal(err)
	}
	want.Drop, want.NotAgents = true, []string{"acme-uptime"}
	is(want)
	wantCode(t, change(p.ID, func(r *weir.BotRules) { r.Agents = []string{"x"} }), weir.EINVALID)
	wantCode(t, change("nothing", func(*weir.BotRules) {}), weir.ENOTFOUND)
	is(want)
	if got := must(f.Project(t.Context(), other.ID))(t).BotRules; got.Drop || len(got.Agents) > 0 {
		t.Errorf("another project has %+v", got)
	}
}
