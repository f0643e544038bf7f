package duckdb_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

func open(t *testing.T, dir string) cold.Store {
	t.Helper()
	return openFile(t, filepath.Join(dir, "weir.duckdb"))
}

func openFile(t testing.TB, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(path, duckdb.Options{Threads: 2, Memory: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// statement runs a statement that answers nothing.
func statement(t *testing.T, s *duckdb.Store, query string) {
	t.Helper()
	rows, err := s.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) { coldtest.Run(t, open) }

func TestANewFileHasTheFormsOfStorageOfTheVersionThatIsNamed(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	rows, err := s.Query(t.Context(), "SELECT count(*) FROM duckdb_databases() WHERE NOT internal AND tags['storage_version'] = 'v1.5.0+'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n int
	if !rows.Next() || rows.Scan(&n) != nil || n != 1 {
		t.Fatal("the file has another version of storage", n, rows.Err())
	}
}

// Out of order, each of a batch's rows would be copied once more: see newWriter.
func TestTheRowsOfABatchAreStoredInTheirOrder(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	b := &cold.Batch{Token: "t", Log: "log", First: 1, Last: 20_000, Now: now}
	for i := range b.Last {
		b.Events = append(b.Events, weir.EventRow{Event: weir.Event{ID: fmt.Sprint(i), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now}, Seq: i + 1})
	}
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Query(t.Context(), "SELECT count(*) FROM events WHERE seq = rowid + 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var n uint64
	if !rows.Next() || rows.Scan(&n) != nil || n != b.Last {
		t.Errorf("%d of %d rows are in order: %v", n, b.Last, rows.Err())
	}
}

func TestAFolderMayHaveAnyNameThatIsLegal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a #1 ä&b=c")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "weir.duckdb")
	for range 2 {
		s, err := duckdb.Open(path, duckdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestAFileOfANewerVersionIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	s := openFile(t, path)
	statement(t, s, "INSERT INTO schema_version VALUES (1000, now()::TIMESTAMP)")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := duckdb.Open(path, duckdb.Options{})
	if !errors.Is(err, cold.ErrNewer) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "version 1000") {
		t.Errorf("error %v, want ErrNewer naming file and version", err)
	}
}

func TestAFileThatIsNoDatabaseIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "weir.duckdb")
	if _, err := duckdb.Open(path, duckdb.Options{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want one naming the path", err)
	}
	if _, err := duckdb.Open("weir.duckdb?access_mode=read_only", duckdb.Options{}); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("a path with a question mark: error %v, want EINVALID", err)
	}
	if _, err := duckdb.Open(filepath.Join(t.TempDir(), "weir.duckdb"), duckdb.Options{Memory: duckdb.LeastMemory - 1}); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("less memory than the least: error %v, want EINVALID", err)
	}
}

func TestAnErrorInTheMiddleOfABatchLeavesNothing(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	statement(t, s, "ALTER TABLE dead_letters RENAME TO away") // written after events, visits and links
	err := s.Write(t.Context(), batch(1, 5000))
	var refused *cold.RowError
	if err == nil || errors.As(err, &refused) {
		t.Fatalf("error %v, want one that will pass", err)
	}
	for _, table := range []string{"events", "visits", "identities", "batches"} {
		var n int
		if err := scan(s, "SELECT count(*) FROM "+table, &n); err != nil {
			t.Fatal(err)
		}
		if n != 0 {
			t.Errorf("%d rows in %s, want none", n, table)
		}
	}
	statement(t, s, "ALTER TABLE away RENAME TO dead_letters")
	if err := s.Write(t.Context(), batch(1, 5000)); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestACancelledQueryStops(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	// Hours of work.
	rows, err := s.Query(ctx, "SELECT count(*) FROM range(10000000000) a, range(10000000000) b WHERE a.range * b.range = 7")
	if err == nil {
		rows.Close()
		t.Fatal("no error")
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want DeadlineExceeded", err)
	}
}

func TestACancelledWriteWritesNothing(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, batch(1, 5)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
	if err := s.Write(t.Context(), batch(1, 5)); err != nil {
		t.Errorf("later: %v", err)
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), batch(1, 5)); !errors.Is(err, duckdb.ErrClosed) {
		t.Errorf("write: error %v, want ErrClosed", err)
	}
	if _, err := s.Query(t.Context(), "SELECT 1"); !errors.Is(err, duckdb.ErrClosed) {
		t.Errorf("query: error %v, want ErrClosed", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestOldTokensAreDeletedExceptAShardsLast(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	// Shard 1 wrote once, long ago; shard 0 goes on for days after that.
	last := batch(0, 1)
	last.Token, last.Shard = "log-1-0", 1
	if err := s.Write(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	const n = 300
	for i := range n {
		b := batch(i, 1)
		b.Now = b.Now.Add(time.Duration(i) * 10 * time.Minute)
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	var tokens, ofShard1 int
	if err := scan(s, "SELECT count(*), count(*) FILTER (shard = 1) FROM batches", &tokens, &ofShard1); err != nil {
		t.Fatal(err)
	}
	if tokens >= n || tokens < 144 { // a day of them is kept
		t.Errorf("%d tokens of %d are left", tokens, n)
	}
	if ofShard1 != 1 {
		t.Error("the last token of a shard is gone")
	}
	last.Again = true
	if err := s.Write(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	var events int
	if err := scan(s, "SELECT count(*) FROM events", &events); err != nil || events != n+1 {
		t.Errorf("%d events after the last batch of a shard was written again, %v; want %d", events, err, n+1)
	}
}

func ExampleDialect() {
	fmt.Println(duckdb.Dialect{}.PropertyText("properties", "a/b~c"))
	// Output: json_extract_string(properties, ?::VARCHAR) /a~1b~0c
}
