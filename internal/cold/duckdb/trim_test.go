package duckdb_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// logBytes is the size of a store's log of recent writes.
func logBytes(path string) int64 {
	f, err := os.Stat(path + ".wal")
	if err != nil {
		return 0
	}
	return f.Size()
}

func trim(t *testing.T, s *duckdb.Store) {
	t.Helper()
	if err := s.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func memoryOf(t *testing.T, s *duckdb.Store) int64 {
	t.Helper()
	u, err := s.Usage(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return u.Memory
}

func TestAStoreThatIdlesKeepsNeitherItsLogNorItsBlocksInMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	s, err := duckdb.Open(path, duckdb.Options{Memory: 4 * duckdb.LeastMemory})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const rows = 20_000
	for n := range 2 {
		if err := s.Write(t.Context(), batch(n+1, rows/2)); err != nil {
			t.Fatal(err)
		}
	}
	if n := logBytes(path); n < 1<<20 {
		t.Fatalf("the log has %d bytes: nothing to merge", n)
	}
	full := memoryOf(t, s)

	trim(t, s)
	if n := logBytes(path); n == 0 {
		t.Error("a small log was merged at the first look, when writes may go on")
	}
	trim(t, s)
	if n := logBytes(path); n != 0 {
		t.Errorf("a log of %d bytes is left where nothing was written meanwhile", n)
	}
	trim(t, s)
	idle := memoryOf(t, s)
	if idle > full/4 {
		t.Errorf("%d bytes in memory, of %d", idle, full)
	}

	// Whoever asks now and then keeps what it reads.
	const question = "SELECT count(*) FROM events WHERE path <> ''"
	want := number(t, s, question)
	asked := memoryOf(t, s)
	if asked <= idle {
		t.Fatalf("%d bytes after a question, %d before it: it read no block", asked, idle)
	}
	trim(t, s)
	if got := memoryOf(t, s); got < asked {
		t.Errorf("%d bytes of %d are left right after a question", got, asked)
	}
	trim(t, s)
	if got := memoryOf(t, s); got >= asked {
		t.Errorf("%d bytes are held though nobody asked since the last look", got)
	}

	// The limit is what it was, and all works on.
	if got := number(t, s, question); got != want {
		t.Errorf("%d rows, want %d", got, want)
	}
	if got := number(t, s, "SELECT len(list(range)) FROM range(4_000_000)"); got != 4_000_000 {
		t.Errorf("a question of some 60 MB: %d", got)
	}
	if err := s.Write(t.Context(), batch(3, rows/2)); err != nil {
		t.Fatal(err)
	}
	if got := number(t, s, "SELECT count(*) FROM events"); got != rows*3/2 {
		t.Errorf("%d events, want %d", got, rows*3/2)
	}
}

func TestALargeLogIsMergedWhileWritesGoOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	s, err := duckdb.Open(path, duckdb.Options{Memory: 2_000_000_000})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for n := 1; logBytes(path) < 16<<20; n++ {
		if err := s.Write(t.Context(), batch(n, 10_000)); err != nil {
			t.Fatal(err)
		}
	}
	trim(t, s)
	if n := logBytes(path); n != 0 {
		t.Errorf("a log of %d bytes is left", n)
	}
}

func TestAStoreThatIsClosedIsNotTrimmed(t *testing.T) {
	s, err := duckdb.Open(filepath.Join(t.TempDir(), "weir.duckdb"), duckdb.Options{Memory: duckdb.LeastMemory})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Trim(t.Context()); err == nil {
		t.Error("no error, want ErrClosed")
	}
}

func TestADiskThatFailsWhileAnIdleStoreMergesItsLogLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	s, err := duckdb.Open(path, duckdb.Options{Memory: 4 * duckdb.LeastMemory})
	if err != nil {
		t.Fatal(err)
	}
	const rows = 10_000
	if err := s.Write(t.Context(), batch(1, rows)); err != nil {
		t.Fatal(err)
	}
	trim(t, s) // the first look finds that there were writes
	statement(t, s, "SET GLOBAL debug_checkpoint_abort = 'before_header'")
	if err := s.Trim(t.Context()); err == nil {
		t.Fatal("no error: the merge did not fail, so this shows nothing")
	}
	// The setting is gone with the instance that DuckDB gave up.
	if got := number(t, s, "SELECT count(*) FROM events"); got != rows {
		t.Errorf("%d events after the failure, want %d", got, rows)
	}
	if err := s.Write(t.Context(), batch(2, rows)); err != nil {
		t.Errorf("a write after it: %v", err)
	}
	trim(t, s)
	trim(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := tight(t, path)
	if got := number(t, again, "SELECT count(*) FROM events"); got != 2*rows {
		t.Errorf("%d events after a restart, want %d", got, 2*rows)
	}
}
