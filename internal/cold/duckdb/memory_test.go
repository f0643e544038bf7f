package duckdb_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// tight opens a store with the least memory.
func tight(t *testing.T, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(path, duckdb.Options{Memory: duckdb.LeastMemory})
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

func number(t *testing.T, s *duckdb.Store, query string) (n int64) {
	t.Helper()
	rows, err := s.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestFullBatchesAreWrittenAndMergedWithTheLeastMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	s := tight(t, path)
	const batches, size = 6, 10_000
	for n := range batches {
		b := batch(n+1, size)
		for i := range b.Events {
			b.Events[i].Properties = fmt.Appendf(nil, `{"n":%d,"text":%q}`, i, strings.Repeat(fmt.Sprint(n, i, " "), 100))
		}
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatalf("batch %d: %v", n, err)
		}
		u, err := s.Usage(t.Context())
		if err != nil || u.Memory > duckdb.LeastMemory {
			t.Fatalf("after batch %d: %+v, %v; the limit is %d", n, u, err, duckdb.LeastMemory)
		}
	}
	statement(t, s, "CHECKPOINT")
	if got := number(t, s, "SELECT count(*) FROM events"); got != batches*size {
		t.Errorf("%d events, want %d", got, batches*size)
	}
}

func TestALogOfRecentWritesIsReadBackWithTheLeastMemory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	s := openFile(t, path)
	statement(t, s, "SET GLOBAL wal_autocheckpoint = '1GB'")
	statement(t, s, "SET GLOBAL debug_checkpoint_abort = 'before_header'")
	for n := range 4 {
		b := batch(n+1, 10_000)
		for i := range b.Events {
			b.Events[i].Properties = fmt.Appendf(nil, `{"n":%d,"text":%q}`, i, strings.Repeat(fmt.Sprint(n, i, " "), 100))
		}
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	_ = s.Close() // cannot merge its log, as if the process had been killed
	again := tight(t, path)
	if got := number(t, again, "SELECT count(*) FROM events"); got != 40_000 {
		t.Errorf("%d events, want 40000", got)
	}
}

func TestAQuestionThatNeedsMoreMemoryThanThereIsIsRefusedAsThat(t *testing.T) {
	s := tight(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	_, err := s.Query(t.Context(), "SELECT len(list(range)) FROM range(50_000_000)") // a list is never spilled
	if weir.ErrorCode(err) != weir.EUNAVAILABLE || !strings.Contains(weir.ErrorMessage(err), "memory") {
		t.Fatalf("error %v, want EUNAVAILABLE that says memory", err)
	}
	if err := s.Write(t.Context(), batch(1, 1000)); err != nil {
		t.Errorf("a write after it: %v", err)
	}
	if got := number(t, s, "SELECT count(*) FROM events"); got != 1000 {
		t.Errorf("%d events, want 1000", got)
	}
}

func TestQuestionsThatFitAloneAreAllAnsweredWhenTheyComeTogether(t *testing.T) {
	s, err := duckdb.Open(filepath.Join(t.TempDir(), "weir.duckdb"), duckdb.Options{Threads: 2, Memory: 2 * duckdb.LeastMemory})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	// Some 60 MB, which are never spilled: two at once do not fit.
	const question = "SELECT len(list(range)) FROM range(4_000_000)"
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			rows, err := s.Query(t.Context(), question)
			if err != nil {
				t.Errorf("together with others: %v", err)
				return
			}
			if err := rows.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestWhatMoreThanTheMemoryIsSortedGoesToDisk(t *testing.T) {
	dir := t.TempDir()
	s := tight(t, filepath.Join(dir, "weir.duckdb"))
	got := number(t, s, "SELECT count(*) FROM (SELECT DISTINCT md5(CAST(range AS TEXT)) FROM range(2_000_000))")
	if got != 2_000_000 {
		t.Errorf("%d, want 2000000", got)
	}
	if u, err := s.Usage(t.Context()); err != nil || u.Memory > duckdb.LeastMemory {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestAChangeOfRowsWaitsForQuestionsOnceMemoryIsOut(t *testing.T) {
	turns := duckdb.NewTurns(2)
	asked, end := make(chan struct{}), make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		_ = turns.Take(t.Context(), func() error { close(asked); <-end; return nil })
	})
	<-asked
	var tries int
	err := turns.Aside(t.Context(), func() error {
		if tries++; tries == 1 {
			go close(end) // it can only go on when the question has ended
			return errors.New("Out of Memory Error: failed to pin block")
		}
		select {
		case <-end:
		default:
			t.Error("it ran beside the question")
		}
		return nil
	})
	asking.Wait()
	if err != nil || tries != 2 {
		t.Errorf("%d tries, %v; want 2 and none", tries, err)
	}
}
