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
