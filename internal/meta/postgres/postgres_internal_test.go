package postgres

import (
	"database/sql/driver"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

func TestPlaceholdersAreNumberedOutsideOfTextsAndComments(t *testing.T) {
	for query, want := range map[string]string{
		`SELECT 1`:                         `SELECT 1`,
		`SELECT ? WHERE a = ? AND b IN(?)`: `SELECT $1 WHERE a = $2 AND b IN($3)`,
		`SELECT '?', ?`:                    `SELECT '?', $1`,
		`SELECT 'it''s ?', "a?", ?`:        `SELECT 'it''s ?', "a?", $1`,
		"SELECT ? -- it's ?\n, ?":          "SELECT $1 -- it's ?\n, $2",
		`SELECT a - -? FROM b`:             `SELECT a - -$1 FROM b`,
		`'?`:                               `'?`,
	} {
		if got := rebind(query); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func FuzzRebind(f *testing.F) {
	f.Add("SELECT '?', ? -- ?")
	f.Fuzz(func(t *testing.T, query string) {
		got := rebind(query)
		// What is taken away and put in is placeholders alone.
		n := strings.Count(query, "?") - strings.Count(got, "?")
		if n < 0 || strings.Count(got, "$")-strings.Count(query, "$") != n {
			t.Errorf("%q became %q", query, got)
		}
	})
}

func TestColumnsOfTextsCompareBytes(t *testing.T) {
	got := DDL("CREATE TABLE t (text TEXT PRIMARY KEY, n INTEGER NOT NULL, TEXTS BIGINT)")
	if want := `CREATE TABLE t (text TEXT COLLATE "C" PRIMARY KEY, n BIGINT NOT NULL, TEXTS BIGINT)`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestValuesAreThoseThatBothDatabasesStoreAlike(t *testing.T) {
	type name string
	for _, c := range []struct{ in, want any }{
		{true, int64(1)}, {false, int64(0)}, {7, int64(7)}, {name("x"), "x"}, {nil, nil}, {"ä", "ä"}, {1.5, 1.5},
	} {
		v := driver.NamedValue{Value: c.in}
		if err := new(conn).CheckNamedValue(&v); err != nil || v.Value != c.want {
			t.Errorf("%v: %v, %v", c.in, v.Value, err)
		}
	}
	for _, bad := range []string{"a\x00", "\xff"} {
		if err := new(conn).CheckNamedValue(&driver.NamedValue{Value: bad}); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, bad := range []any{[]byte("x"), time.Now()} {
		if err := new(conn).CheckNamedValue(&driver.NamedValue{Value: bad}); err == nil {
			t.Errorf("%T is stored", bad)
		}
	}
}

func TestAURLIsReadAndItsPasswordShownNowhere(t *testing.T) {
	const password = "0123456789abcdef"
	for url, want := range map[string]string{
		"postgres://u:" + password + "@h/d":                                  "postgres://u@h:5432/d",
		"postgresql://u:" + password + "@h1:1,h2:2/d?pool=2&sslmode=require": "postgres://u@h1:1/d",
	} {
		c, err := Parse(url)
		if err != nil || c.Address() != want || strings.Contains(c.Address(), password) {
			t.Errorf("%s: %s, %v", url, c.Address(), err)
		}
		if _, has := c.conn.RuntimeParams["pool"]; has {
			t.Error("pool is sent to the server")
		}
	}
	for url, want := range map[string]string{
		"postgres://u:" + password + "@h/d?pool=1":            "pool=1: want a number of connections from 2 to 100",
		"postgres://u:" + password + "@h/d?sslmode=no":        "sslmode",
		"postgres://u:" + password + "%zz@h/d":                "want postgres://",
		"postgres://u:" + password + "@h:port/d":              "",
		"postgres://u:" + password + "@h/d?sslrootcert=/none": "",
		"mysql://u:" + password + "@h/d":                      "want postgres://",
	} {
		if _, err := Parse(url); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestAConnectionIsEncryptedOrLocal(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://u@127.0.0.1/d":               true,
		"postgres://u@db/d?sslmode=require":      true,
		"postgres://u@db/d":                      false, // libpq's prefer: it goes on without
		"postgres://u@db/d?sslmode=disable":      false,
		"postgres://u@db,127.0.0.1/d":            false,
		"postgres:///d?host=/var/run/postgresql": true,
	} {
		c, err := Parse(url)
		if err != nil || c.Encrypted() != want {
			t.Errorf("%s: %v, %v", url, c.Encrypted(), err)
		}
	}
}
