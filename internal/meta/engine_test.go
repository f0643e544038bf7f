package meta_test

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/meta/postgres"
	"github.com/weir-analytics/weir/internal/postgrestest"
)

// server is the PostgreSQL that the tests run against; nil while they run against SQLite.
var server *postgrestest.Server

// TestMain runs all tests twice: on SQLite, and on PostgreSQL where that is installed.
// WEIR_TEST_META=sqlite or postgres is for one of them.
func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	only := os.Getenv("WEIR_TEST_META")
	if only != "postgres" {
		if code = m.Run(); code != 0 || only == "sqlite" || flag.Lookup("test.list").Value.String() != "" {
			return code
		}
	}
	var err error
	server, err = postgrestest.Launch(context.Background())
	if errors.Is(err, postgrestest.ErrMissing) && os.Getenv("WEIR_TEST_STRICT") == "" {
		fmt.Fprintln(os.Stderr, "skip: the tests on PostgreSQL:", err)
		return code
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Close()
	fmt.Fprintln(os.Stderr, "the tests on PostgreSQL:")
	return m.Run()
}

// newPlace returns where a store that does not exist yet can be opened.
func newPlace(t *testing.T) string {
	t.Helper()
	if server != nil {
		return server.Schema(t)
	}
	return filepath.Join(t.TempDir(), "a dir", "meta #1?.db")
}

// used are URLs of stores of tests that have ended.
var used []string

// place returns where an empty store can be opened: on PostgreSQL one of an earlier test, with
// its rows deleted, since to make the tables takes longer than a test.
func place(t *testing.T) string {
	t.Helper()
	if server == nil {
		return newPlace(t)
	}
	var url string
	if n := len(used); n > 0 {
		url, used = used[n-1], used[:n-1]
		// Before the test rather than after it: now all its stores are closed.
		raw(t, url).exec(t, `DO $$ DECLARE name TEXT; BEGIN
			FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'schema_version' LOOP
				EXECUTE 'ALTER TABLE ' || name || ' DISABLE TRIGGER ALL';
				EXECUTE 'DELETE FROM ' || name;
				EXECUTE 'ALTER TABLE ' || name || ' ENABLE TRIGGER ALL';
			END LOOP; END $$`)
	} else {
		url = newPlace(t)
	}
	t.Cleanup(func() { used = append(used, url) })
	return url
}

// database is a store's database, past all checks.
type database struct{ write, read *sql.DB }

// raw opens a store's database beside it.
func raw(t *testing.T, place string) database {
	t.Helper()
	var db database
	if server != nil {
		c, err := postgres.Parse(place)
		if err != nil {
			t.Fatal(err)
		}
		db.write, db.read = c.Open()
	} else {
		if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
			t.Fatal(err)
		}
		file, err := sql.Open("sqlite", "file:"+(&url.URL{Path: place}).EscapedPath()+"?_pragma=busy_timeout(5000)")
		if err != nil {
			t.Fatal(err)
		}
		db.write, db.read = file, file
	}
	t.Cleanup(func() { _, _ = db.write.Close(), db.read.Close() })
	return db
}

// exec executes a statement.
func (db database) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := db.write.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// number returns what a query returns.
func (db database) number(t *testing.T, query string, args ...any) (n int) {
	t.Helper()
	if err := db.read.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// stored returns all that is in the database's files. PostgreSQL's log is not looked at: it
// keeps what was deleted for as long as its operator set.
func stored(t *testing.T, f fixture) string {
	t.Helper()
	pattern := filepath.Join(filepath.Dir(f.path), "*")
	if server != nil {
		if err := server.Exec(t.Context(), "postgres", "CHECKPOINT"); err != nil {
			t.Fatal(err)
		}
		oid := raw(t, f.path).number(t, "SELECT oid FROM pg_database WHERE datname = current_database()")
		pattern = filepath.Join(server.Dir, "data", "base", fmt.Sprint(oid), "*")
	}
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}
