package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/redistest"
)

// A folder whose stores are of different moments is refused: it would answer with
// fewer events than it holds, or take batches for written that are not.
func TestAFolderOfDifferentMomentsIsRefused(t *testing.T) {
	t.Parallel()
	onlyOn(t, "pebble", "duckdb")
	data := t.TempDir()
	s := start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	p := s.project("UTC")
	stopped := func(events string) (kept string) {
		s.send(p, events)
		s.stop()
		kept = filepath.Join(t.TempDir(), "kept")
		copyDir(t, kept, data)
		return kept
	}
	old := stopped(`[{"name":"a"},{"name":"b"}]`)
	s = start(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", data)
	now := stopped(`[{"name":"c"},{"name":"d"},{"name":"e"}]`)

	for what, mix := range map[string]func(dir string){
		"hot of an earlier moment":   func(dir string) { copyDir(t, filepath.Join(dir, "hot"), filepath.Join(old, "hot")) },
		"cold of an earlier moment":  func(dir string) { replaceFile(t, dir, old, "cold.duckdb") },
		"no cold tier":               func(dir string) { removeFile(t, dir, "cold.duckdb") },
		"nothing that is wrong":      func(string) {},
		"all of it, an earlier copy": func(dir string) { copyDir(t, dir, old) },
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			copyDir(t, dir, now)
			mix(dir)
			s := launch(t, binary(t, ""), "--listen", "127.0.0.1:0", "--data", dir)
			right := strings.HasPrefix(what, "nothing") || strings.HasPrefix(what, "all")
			if right {
				s.waitReady()
				s.stop()
				return
			}
			refused := false
			until(t, "the start is refused, or it serves", func() bool {
				select {
				case <-s.done:
					refused = true
					return true
				default:
					_, ok := askTrend(s.url+"/api/v1/projects/"+p.ID+"/query", []byte(`{"kind":"trend","from":"-1d","interval":"day","series":[{"math":"total"}]}`))
					return ok
				}
			})
			if !refused {
				t.Fatalf("it serves %d of 5 events", s.total(p))
			}
			if out := s.log.String() + s.out.String(); !strings.Contains(out, "cold") || !strings.Contains(out, "hot") {
				t.Errorf("it does not say what is wrong: %s", out)
			}
		})
	}
}

// Redis is restored from an earlier backup, ClickHouse is not: the start is refused.
func TestARedisOfAnEarlierMomentThanItsClickHouseIsRefused(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "clickhouse")
	r := redistest.Start(t, "--appendonly", "no")
	args := []string{
		"--listen", "127.0.0.1:0", "--data", t.TempDir(), "--hot", r.URL(), "--cold", clickhousetest.Start(t).URL("weir"), "--log-level", "error",
	}
	const dump = "dump.rdb"
	early := t.TempDir()
	s := start(t, binary(t, ""), args...)
	p := s.project("UTC")
	s.send(p, `[{"name":"a","device_id":"d"},{"name":"b","device_id":"d"}]`)
	s.stop()
	r.Do("SAVE")
	replaceFile(t, early, r.Dir, dump)

	s = start(t, binary(t, ""), args...)
	s.send(p, `[{"name":"c","device_id":"d"},{"name":"d","device_id":"d"}]`)
	s.stop()

	r.Kill()
	replaceFile(t, r.Dir, early, dump)
	r.Restart()
	s = launch(t, binary(t, ""), args...)
	until(t, "the start is refused", func() bool {
		select {
		case <-s.done:
			return true
		default:
			return false
		}
	})
	if out := s.log.String() + s.out.String(); !strings.Contains(out, "the hot tier is older than the cold tier") {
		t.Errorf("it does not say what is wrong: %s", out)
	}
}

func replaceFile(t *testing.T, dir, from, name string) {
	t.Helper()
	removeFile(t, dir, name)
	raw, err := os.ReadFile(filepath.Join(from, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// removeFile removes a DuckDB file and what stands beside it.
func removeFile(t *testing.T, dir, name string) {
	t.Helper()
	for _, n := range []string{name, name + ".wal"} {
		if err := os.RemoveAll(filepath.Join(dir, n)); err != nil {
			t.Fatal(err)
		}
	}
}
