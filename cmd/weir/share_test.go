package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSharedLinksAreMadeChangedAndEndedOnTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	r := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", r.url)
	shop := field(t, weirs(t, "project", "create", "Shop").out, "project")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("a long password\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := strings.TrimSpace(weirs(t, "share", "create", shop, "overview", "--origin", "blog.example", "--days", "30", "--password-file", file).out)
	if !strings.HasPrefix(link, r.url+"/share/wl_") {
		t.Fatalf("link %q", link)
	}
	var list struct {
		Shares []struct {
			ID, URL  string
			Password bool
			Origins  []string
			EndsAt   string `json:"ends_at"`
		}
	}
	read := func() {
		t.Helper()
		list.Shares = nil
		if err := json.Unmarshal([]byte(weirs(t, "share", "list", shop, "--json").out), &list); err != nil || len(list.Shares) != 1 {
			t.Fatalf("%v %+v", err, list)
		}
	}
	read()
	x := list.Shares[0]
	if x.URL != link || !x.Password || x.EndsAt == "" || len(x.Origins) != 1 {
		t.Errorf("%+v", x)
	}
	if text := weirs(t, "share", "list", shop).out; !strings.Contains(text, link) || !strings.Contains(text, "blog.example") {
		t.Error(text)
	}
	weirs(t, "share", "set", shop, x.ID, "--no-password", "--no-end", "--no-origins")
	read()
	if y := list.Shares[0]; y.URL != link || y.Password || y.EndsAt != "" || len(y.Origins) != 0 {
		t.Errorf("changed: %+v", y)
	}
	for _, args := range [][]string{
		{"share", "set", shop, x.ID},
		{"share", "set", shop, x.ID, "--no-end", "--days", "3"},
		{"share", "create", shop, "events"},
		{"share", "create", shop, "live", "--origin", "*"},
		{"share", "end", shop, "nothing"},
	} {
		if got := weirs(t, args...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("%v: %+v", args, got)
		}
	}
	weirs(t, "share", "end", shop, x.ID)
	if text := weirs(t, "share", "list", shop).out; strings.Contains(text, link) {
		t.Error("it is listed after its end")
	}
}
