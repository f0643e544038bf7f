package main

import (
	"net/http"
	"strings"
	"testing"
)

func TestMembersAndAdministratorsAreManagedFromTheCommandLine(t *testing.T) {
	const secret = "the administrator's own secret"
	asAdmin(t, secret)
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	res, err := http.Post(server.url+"/api/v1/setup", "application/json", strings.NewReader(`{"code":"`+secret+`","email":"ada@example.org","name":"Ada","password":"correct horse battery"}`))
	if err != nil || res.StatusCode != http.StatusCreated {
		t.Fatalf("set up: %v %v", res, err)
	}
	_ = res.Body.Close()
	shop := field(t, weirs(t, "project", "create", "Shop").out, "project")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"member", "add", shop, "ada@example.org", "--role", "viewer"}, "viewer"},
		{[]string{"member", "set", shop, "Ada@example.org", "--role", "editor", "--json"}, `"role":"editor"`},
		{[]string{"member", "list", shop}, "ada@example.org  Ada   editor"},
		{[]string{"member", "list", shop, "--json"}, `{"members":[{`},
		{[]string{"member", "remove", shop, "ada@example.org"}, ""},
		{[]string{"token", "create", "CI", "--project", shop, "--scope", "read", "--scope", "ingest", "--days", "30"}, "wt_"},
		{[]string{"token", "list", "--project", shop}, "read,ingest"},
		{[]string{"token", "list", "--project", shop, "--json"}, `"expires_at"`},
		{[]string{"audit", shop, "--act", "token"}, "token.create"},
		{[]string{"audit", "--limit", "1"}, "more: --cursor "},
		{[]string{"audit", "--act", "member.remove", "--json"}, `"via":"cli"`},
		{[]string{"project", "set", shop, "--name", "Boutique"}, shop},
		{[]string{"project", "list"}, "Boutique"},
		{[]string{"key", "rotate", shop, keyID(t, shop), "--overlap", "72h"}, "wk_"},
		{[]string{"key", "list", shop}, "ends "},
		{[]string{"admin", "list"}, "owner"},
		{[]string{"admin", "add", "ada@example.org"}, "ada@example.org"},
		{[]string{"admin", "hand-over", "ada@example.org"}, ""},
	} {
		if got := weirs(t, c.args...); got.status != 0 || !strings.Contains(got.out, c.want) {
			t.Errorf("%v: %+v, want %q", c.args, got, c.want)
		}
	}
	for _, args := range [][]string{
		{"member", "add", shop, "nobody@example.org", "--role", "viewer"},
		{"member", "add", shop, "ada@example.org", "--role", "owner"},
		{"token", "list"},
		{"token", "list", "--own"},
		{"token", "create", "x", "--scope", "read"},
		{"token", "create", "x", "--project", shop, "--scope", "all"},
		{"token", "revoke", "nothing", "--project", shop},
		{"audit", "nothing"},
		{"member", "set", shop, "ada@example.org", "--role", "viewer"},
		{"admin", "remove", "ada@example.org"},
	} {
		if got := weirs(t, args...); got.status == 0 || !oneLine(got.stderr) {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// keyID returns the id of a project's only key.
func keyID(t *testing.T, project string) string {
	t.Helper()
	lines := strings.Split(weirs(t, "key", "list", project).out, "\n")
	return strings.Fields(lines[1])[0]
}
