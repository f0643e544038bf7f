package transfer_test

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/transfer"
)

// childEnv makes the test binary a copy, between the stores that its arguments name.
const childEnv = "WEIR_TRANSFER_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		if err := runChild(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runChild copies, with a line on standard output after each batch.
func runChild(source, destination string) error {
	from, err := duckdb.Open(source, duckdb.Options{Threads: 1})
	if err != nil {
		return err
	}
	var to cold.Store
	if clickhouse.IsURL(destination) {
		u, err := clickhouse.Parse(destination)
		if err != nil {
			return err
		}
		to, err = clickhouse.Open(context.Background(), u, clickhouse.Options{})
		if err != nil {
			return err
		}
	} else if to, err = duckdb.Open(destination, duckdb.Options{Threads: 1}); err != nil {
		return err
	}
	o := today()
	o.Progress = func(p transfer.Progress) { fmt.Fprintln(os.Stdout, p.Rows) }
	rep, err := transfer.Run(context.Background(), from, to, o)
	if err != nil {
		return fmt.Errorf("%w %v", err, rep.Differences)
	}
	return to.Close()
}

// target is a destination for copies that are killed.
type target struct {
	url    string
	open   func() cold.Reader
	revive func() bool // says whether it was dead
}

func TestACopyThatIsKilledAtAnyMomentGoesOn(t *testing.T) {
	for name, to := range map[string]func(t *testing.T) target{
		"into DuckDB": func(t *testing.T) target {
			path := filepath.Join(t.TempDir(), "to.duckdb")
			return target{path, func() cold.Reader { return openFile(t, path) }, func() bool { return false }}
		},
		"into ClickHouse": func(t *testing.T) target {
			server := clickhousetest.Start(t)
			url := server.URL("weir")
			return target{url, func() cold.Reader { return openServer(t, url) }, func() bool {
				// As a library it now and then aborts when a client is gone.
				if _, err := server.Try("SELECT 1"); err == nil {
					return false
				}
				server.Restart()
				return true
			}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := filepath.Join(t.TempDir(), "from.duckdb")
			from := openFile(t, source)
			fill(t, from)
			if err := from.Close(); err != nil {
				t.Fatal(err)
			}
			to := to(t)
			kills := 0
			for _, batches := range []int{3, 1, 8, 0, math.MaxInt} {
				done, err := child(t, source, to.url, batches)
				for err != nil && to.revive() {
					done, err = child(t, source, to.url, batches)
				}
				if err != nil {
					t.Fatal(err)
				}
				if done {
					break
				}
				kills++
				to.revive()
			}
			if kills < 4 {
				t.Errorf("killed %d times only", kills)
			}
			same(t, openFile(t, source), to.open())
		})
	}
}

// child runs a copy and kills it after some batches; done says that it came to its
// end before.
func child(t *testing.T, source, destination string, batches int) (done bool, err error) {
	t.Helper()
	cmd := exec.Command(os.Args[0], source, destination)
	cmd.Env = append(os.Environ(), childEnv+"=1")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	got := 0
	for got < batches && lines.Scan() {
		got++
	}
	killed := got == batches && cmd.Process.Kill() == nil
	for lines.Scan() { // to its end
	}
	err = cmd.Wait()
	if err != nil && killed && said.Len() == 0 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the copy ended with %w: %s", err, said.String())
	}
	return true, nil
}
