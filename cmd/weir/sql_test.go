package main

import (
	"strings"
	"testing"
)

func TestSQLIsAskedFromTheCommandLine(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	server := serves(t, t.TempDir())
	t.Setenv("WEIR_URL", server.url)
	made := weirs(t, "project", "create", "Shop").out
	shop, key := field(t, made, "project"), field(t, made, "write key")
	if status := posts(t, server.url+"/v1/events?key="+key, `[{"name":"signup","properties":{"plan":"pro"}},{"name":"=noise"},{"name":"signup"}]`); status != 200 {
		t.Fatalf("send: %d", status)
	}
	const statement = "SELECT name, count(*) AS n FROM events WHERE name <> $1 GROUP BY name ORDER BY n DESC"
	if got := weirs(t, "sql", shop, "--param", "x", statement); got.status != 0 || !strings.Contains(got.out, "signup  2") || !strings.Contains(got.out, "(2 rows)") {
		t.Errorf("table: %+v", got)
	}
	if got := weirs(t, "sql", shop, "--param", "x", "--csv", statement); got.out != "name,n\nsignup,2\n'=noise,1\n" {
		t.Errorf("CSV: %+v", got)
	}
	if got := weirs(t, "sql", shop, "--param", "x", "--json", statement); !strings.Contains(got.out, `"rows":[["signup",2],["=noise",1]]`) {
		t.Errorf("JSON: %+v", got)
	}
	if got := weirs(t, "sql", shop, "--limit", "1", "SELECT name FROM events"); !strings.Contains(got.out, "there are more") {
		t.Errorf("limit: %+v", got)
	}
	if got := weirs(t, "sql", shop, "SELECT nothing FROM events"); got.status == 0 || !strings.Contains(got.stderr, `line 1, column 8: there is no column "nothing" here`) || !oneLine(got.stderr) {
		t.Errorf("a wrong statement: %+v", got)
	}
}
