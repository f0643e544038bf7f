package duckdb_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// The test binary runs itself again as one of these, with a file as argument.
const childEnv = "WEIR_DUCKDB_CHILD"

var children = map[string]func(path string) error{
	"write": writeForever,
	"hold":  holdOpen,
	"full":  fillDisk,
	"merge": fillCheckpoint,
}

func TestMain(m *testing.M) {
	if f := children[os.Getenv(childEnv)]; f != nil {
		if err := f(os.Args[len(os.Args)-1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child starts the test binary as one of the children.
func child(t *testing.T, name, path string) (*exec.Cmd, *bufio.Scanner, io.WriteCloser) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	cmd.Stderr = logWriter{t}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewScanner(out), in
}

// logWriter shows what a child complains about when the test fails.
type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// batch makes a batch of n events with a visit, a link and a dead letter, all
// bearing its number.
func batch(number, n int) *cold.Batch {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(number) * time.Second)
	id := fmt.Sprintf("log-0-%d", number)
	b := &cold.Batch{Token: id, First: uint64(number*n + 1), Last: uint64(number*n + n), Now: now}
	for i := range n {
		b.Events = append(b.Events, weir.EventRow{Seq: b.First + uint64(i), Event: weir.Event{
			ID: fmt.Sprintf("%s-%d", id, i), ProjectID: "p", Name: id, DeviceID: "device-0123456789", Time: now, ReceivedAt: now,
			Path: strings.Repeat("/path", 10),
		}})
	}
	b.Visits = []weir.VisitRow{{ProjectID: "p", SessionID: id, Sign: 1, Version: 1, Start: now, End: now}}
	b.Links = []weir.Link{{ProjectID: "p", DeviceID: id, ProfileID: "u", At: now}}
	b.Dead = []weir.DeadLetter{{ProjectID: "p", Reason: id, At: now}}
	return b
}

// writeForever writes batches and says so after each.
func writeForever(path string) error {
	s, err := duckdb.Open(path, duckdb.Options{Threads: 2})
	if err != nil {
		return err
	}
	start := 0
	if err := scan(s, "SELECT count(*) FROM batches", &start); err != nil {
		return err
	}
	for i := start; ; i++ {
		if err := s.Write(context.Background(), batch(i, 3000)); err != nil {
			return err
		}
		fmt.Println(i)
	}
}

func holdOpen(path string) error {
	s, err := duckdb.Open(path, duckdb.Options{Threads: 1})
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent closes it
	return s.Close()
}

// fillDisk writes under a limit on file sizes, which is as good as a full disk,
// then lifts it: the log of writes does not fit.
func fillDisk(path string) error {
	return writeIntoLimit(path, 4<<20, func(*duckdb.Store) error { return nil })
}

// fillCheckpoint does the same where the merge of the log into the file does
// not fit, which is when DuckDB gives up on the open file.
func fillCheckpoint(path string) error {
	return writeIntoLimit(path, 0, func(s *duckdb.Store) error {
		rows, err := s.Query(context.Background(), "SET GLOBAL wal_autocheckpoint = '1MB'")
		if err != nil {
			return err
		}
		return rows.Close()
	})
}

// writeIntoLimit writes ten batches, sets the limit, or that of the file's size
// when it is 0, writes until that fails, lifts the limit and writes on without a
// restart. It prints how many batches there must be and how many events there are.
func writeIntoLimit(path string, limit uint64, prepare func(*duckdb.Store) error) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := duckdb.Open(path, duckdb.Options{Threads: 1, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	if err := prepare(s); err != nil {
		return err
	}
	done := 0
	for ; limit == 0 && done < 8; done++ {
		if err := s.Write(context.Background(), batch(done, 3000)); err != nil {
			return err
		}
	}
	if limit == 0 {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		limit = uint64(info.Size()) + 1<<10
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: limit, Max: was.Max}); err != nil {
		return err
	}
	for ; ; done++ {
		err := s.Write(context.Background(), batch(done, 3000))
		var refused *cold.RowError
		if errors.As(err, &refused) || done == 1000 {
			return fmt.Errorf("batch %d: %w", done, err)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "refused:", err)
			break
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		return err
	}
	for i := range 3 { // the first is the one that was refused
		if err := s.Write(context.Background(), batch(done+i, 3000)); err != nil {
			return fmt.Errorf("after there was room again: %w", err)
		}
	}
	var events int
	if err := scan(s, "SELECT count(*) FROM events", &events); err != nil {
		return fmt.Errorf("query after there was room again: %w", err)
	}
	fmt.Println(done+3, events)
	return s.Close()
}

// scan reads the one row of a query.
func scan(s *duckdb.Store, query string, dest ...any) error {
	rows, err := s.Query(context.Background(), query)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		return errors.Join(rows.Err(), errors.New("no row"))
	}
	return rows.Scan(dest...)
}

func TestAKilledProcessLeavesWholeBatches(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	r := rand.New(rand.NewPCG(1, 0))
	acknowledged := -1
	for range 6 {
		cmd, out, _ := child(t, "write", path)
		// Some batches, then a while at random into the next ones.
		for i := 0; i < 1+r.IntN(4) && out.Scan(); i++ {
			if _, err := fmt.Sscan(out.Text(), &acknowledged); err != nil {
				t.Fatal(err)
			}
		}
		timer := time.AfterFunc(time.Duration(r.IntN(60))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for out.Scan() {
			if _, err := fmt.Sscan(out.Text(), &acknowledged); err != nil {
				t.Fatal(err)
			}
		}
		timer.Stop()
		_ = cmd.Wait()
		checkWhole(t, path, acknowledged)
	}
}

// checkWhole tests that each batch is there with all its rows or not at all,
// and that all acknowledged ones are.
func checkWhole(t *testing.T, path string, acknowledged int) {
	t.Helper()
	s, err := duckdb.Open(path, duckdb.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var batches, broken int
	err = scan(s, `SELECT count(*), count(*) FILTER (e.n IS DISTINCT FROM 3000 OR v.n IS DISTINCT FROM 1 OR l.n IS DISTINCT FROM 1 OR d.n IS DISTINCT FROM 1)
FROM (SELECT name AS token, count(*) AS n FROM events GROUP BY 1) e
FULL JOIN (SELECT session_id AS token, count(*) AS n FROM visits GROUP BY 1) v USING (token)
FULL JOIN (SELECT device_id AS token, count(*) AS n FROM identities GROUP BY 1) l USING (token)
FULL JOIN (SELECT reason AS token, count(*) AS n FROM dead_letters GROUP BY 1) d USING (token)
FULL JOIN batches b USING (token)`, &batches, &broken)
	if err != nil {
		t.Fatal(err)
	}
	if broken > 0 {
		t.Errorf("%d of %d batches are there in part", broken, batches)
	}
	if batches < acknowledged+1 || batches > acknowledged+2 {
		t.Errorf("%d batches, of which %d were acknowledged", batches, acknowledged+1)
	}
}

func TestASecondProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	cmd, out, in := child(t, "hold", path)
	if !out.Scan() {
		t.Fatal("the other process did not start")
	}
	s, err := duckdb.Open(path, duckdb.Options{})
	if !errors.Is(err, duckdb.ErrBusy) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want ErrBusy naming the file", err)
	}
	if err == nil {
		s.Close()
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if s, err = duckdb.Open(path, duckdb.Options{}); err != nil {
		t.Fatalf("after the other one ended: %v", err)
	}
	s.Close()
}

func TestAFullDiskLosesNothingAndNeedsNoRestart(t *testing.T) {
	for when, name := range map[string]string{"at a commit": "full", "at a checkpoint": "merge"} {
		t.Run(when, func(t *testing.T) {
			cmd, out, _ := child(t, name, filepath.Join(t.TempDir(), "weir.duckdb"))
			var batches, events int
			for out.Scan() {
				if _, err := fmt.Sscan(out.Text(), &batches, &events); err != nil {
					t.Fatal(err)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			if events != batches*3000 || batches == 0 {
				t.Errorf("%d events of %d batches, want %d", events, batches, batches*3000)
			}
		})
	}
}
