package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestPeopleAreInvitedResetAndDeactivatedFromTheCommandLine(t *testing.T) {
	asAdmin(t, adminToken)
	r := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", r.url)
	project, _ := r.shop()
	post := func(path, body string, want int) {
		t.Helper()
		if got := posts(t, r.url+path, body); got != want {
			t.Fatalf("%s: %d, want %d", path, got, want)
		}
	}
	ok := func(args ...string) string {
		t.Helper()
		got := weirs(t, append([]string{"user"}, args...)...)
		if got.status != 0 {
			t.Fatalf("user %v: %+v", args, got)
		}
		return got.out
	}
	secret := func(out, kind string) string {
		t.Helper()
		_, s, found := strings.Cut(field(t, out, "link"), "#"+kind+"=")
		if !found {
			t.Fatalf("no link: %s", out)
		}
		return s
	}
	invitation := secret(ok("invite", "ada@example.org", "--project", project, "--role", "editor"), "invitation")
	post("/api/v1/invitation/accept", `{"token":"`+invitation+`","name":"Ada","password":"correct horse"}`, http.StatusOK)
	var i struct {
		URL   string
		Admin bool
	}
	if err := json.Unmarshal([]byte(ok("invite", "root@example.org", "--admin", "--json")), &i); err != nil || !i.Admin || i.URL == "" {
		t.Fatalf("%+v, %v", i, err)
	}
	reset := secret(ok("reset", "ADA@example.org"), "reset")
	post("/api/v1/password/reset", `{"token":"`+reset+`","password":"battery staple"}`, http.StatusNoContent)
	login := `{"email":"ada@example.org","password":"battery staple"}`
	post("/api/v1/login", login, http.StatusOK)
	if out := ok("deactivate", "ada@example.org"); !strings.Contains(out, "deactivated") {
		t.Error(out)
	}
	post("/api/v1/login", login, http.StatusUnauthorized)
	if out := ok("list"); !strings.Contains(out, "ada@example.org") || !strings.Contains(out, "deactivated") {
		t.Error(out)
	}
	ok("activate", "ada@example.org")
	post("/api/v1/login", login, http.StatusOK)
	ok("sign-out", "ada@example.org")
	ok("reset-totp", "ada@example.org")
	for _, args := range [][]string{
		{"reset", "nobody@example.org"},
		{"reset", "nothing"},
		{"invite", "x@example.org"},
		{"invite", "x@example.org", "--admin", "--project", "p"},
		{"invite", "no address", "--admin"},
		{"invite", "x@example.org", "--project", "nothing"},
		{"invite", "x@example.org", "--project", project, "--role", "owner"},
	} {
		if got := weirs(t, append([]string{"user"}, args...)...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("user %v: %+v", args, got)
		}
	}
}
