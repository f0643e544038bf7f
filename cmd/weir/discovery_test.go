package main

import (
	"strings"
	"testing"
)

func TestEventsAndColumnsAreListedAndDescribedFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	made := weirs(t, "project", "create", "Shop").out
	shop, key := field(t, made, "project"), field(t, made, "write key")
	if status := posts(t, server.url+"/v1/events?key="+key, `[{"name":"signup/new","properties":{"plan":"pro"}},{"name":"noise"}]`); status != 200 {
		t.Fatalf("send: %d", status)
	}

	if list := weirs(t, "project", "names", shop); list.status != 0 || !strings.Contains(list.out, `"signup/new"`) || !strings.Contains(list.out, `"noise"`) {
		t.Errorf("names: %+v", list)
	}
	if got := weirs(t, "project", "describe", shop, "event", "signup/new", "--text", "made an account"); got.status != 0 || !strings.Contains(got.out, "made an account") {
		t.Errorf("describe: %+v", got)
	}
	if got := weirs(t, "project", "describe", shop, "event", "noise", "--hide"); got.status != 0 {
		t.Errorf("hide: %+v", got)
	}
	if list := weirs(t, "project", "names", shop); strings.Contains(list.out, "noise") || !strings.Contains(list.out, "made an account") {
		t.Errorf("names: %+v", list)
	}
	if list := weirs(t, "project", "names", shop, "--hidden"); !strings.Contains(list.out, "(hidden)") {
		t.Errorf("all names: %+v", list)
	}
	if list := weirs(t, "project", "columns", shop, "--event", "signup/new", "--q", "properties."); !strings.Contains(list.out, `"properties.plan"`) || !strings.Contains(list.out, "text") {
		t.Errorf("columns: %+v", list)
	}
	for _, args := range [][]string{{"event", "x"}, {"event", "x", "--hide", "--show"}, {"page", "x", "--hide"}, {"column", "nothing", "--hide"}} {
		if got := weirs(t, append([]string{"project", "describe", shop}, args...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("describe %v: %+v", args, got)
		}
	}
}

func TestAServerAnswersAboutActionsAndGroups(t *testing.T) {
	const secret = "the administrator's own secret"
	asAdmin(t, secret)
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	made := weirs(t, "project", "create", "Shop").out
	shop, key := "/api/v1/projects/"+field(t, made, "project"), field(t, made, "write key")
	if status := posts(t, server.url+"/v1/events?key="+key, `[
		{"name":"screen_view","device_id":"d","path":"/blog/a"},
		{"name":"buy","device_id":"d","revenue":2.5,"currency":"EUR","properties":{"$groups":{"company":"acme"}}},
		{"name":"screen_view","device_id":"e","path":"/blog/b"}]`); status != 200 {
		t.Fatalf("send: %d", status)
	}
	admin := remote{URL: server.url, Token: secret}
	ask := func(path string, in, out any) {
		t.Helper()
		if err := admin.call(t.Context(), "POST", shop+path, in, out); err != nil {
			t.Fatal(err)
		}
	}
	var action struct{ ID string }
	ask("/actions", map[string]any{"name": "order", "any": []any{map[string]any{"event": "buy"}}, "revenue": map[string]any{}}, &action)
	var pages struct {
		Totals struct {
			Goal struct {
				Conversions, Visits, Converters int
				Rate                            float64
				Revenue                         map[string]float64
			}
		}
	}
	ask("/query", map[string]any{"kind": "pages", "from": "yesterday", "to": "today", "goal": action.ID}, &pages)
	if g := pages.Totals.Goal; g.Conversions != 1 || g.Visits != 1 || g.Converters != 1 || g.Rate != 0.5 || g.Revenue["EUR"] != 2.5 {
		t.Errorf("the goal: %+v", g)
	}
	var columns struct {
		Columns []struct {
			Name string
			Uses []string
		}
	}
	if err := admin.call(t.Context(), "GET", shop+"/columns?q=action", nil, &columns); err != nil || len(columns.Columns) != 1 || columns.Columns[0].Name != "action" || strings.Join(columns.Columns[0].Uses, " ") != "filter" {
		t.Errorf("columns: %+v, %v", columns, err)
	}
	var trend struct{ Series []struct{ Total float64 } }
	ask("/query", map[string]any{"kind": "trend", "from": "yesterday", "to": "today", "series": []any{
		map[string]any{"action": action.ID, "math": "total"}, map[string]any{"math": "unique", "of": "groups.company"},
	}}, &trend)
	if len(trend.Series) != 2 || trend.Series[0].Total != 1 || trend.Series[1].Total != 1 {
		t.Errorf("the trend: %+v", trend)
	}
}
