package clickhouse_test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// columns are the lines that all kinds have alike; server.sql shows them.
var columns = regexp.MustCompile(`(?m)^(    .*|--.*)?\n`)

// Each kind of ClickHouse has tables of its own; those of replicas cannot be made
// by the server of these tests, which serves no parts to others.
func TestTheTablesOfEachKind(t *testing.T) {
	for name, options := range map[string]string{
		"server":   "",
		"cluster":  "?cluster=main",
		"replicas": "?cluster=main&replicated=true",
		"tiered":   "?policy=tiered&cold_after=90&fsync=false",
	} {
		u, err := clickhouse.Parse("clickhouse://h/weir" + options)
		if err != nil {
			t.Fatal(err)
		}
		statements, err := clickhouse.Render(u, []string{"merge_selector_base = 10"})
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(statements, "\n;\n") + "\n"
		if name != "server" {
			got = columns.ReplaceAllString(got, "")
		}
		file := filepath.Join("testdata", name+".sql")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-file +got):\n%s", file, diff)
		}
	}
}

func TestManyNodesMigrateAtOnce(t *testing.T) {
	server := clickhousetest.Start(t)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			u, err := clickhouse.Parse(server.URL("weir"))
			if err != nil {
				t.Error(err)
				return
			}
			s, err := clickhouse.Open(t.Context(), u, clickhouse.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			_ = s.Close()
		})
	}
	wg.Wait()
	if n := count(t, openAt(t, server.URL("weir")), "SELECT COUNT(*) FROM events"); n != 0 {
		t.Errorf("%d events", n)
	}
}

// next is the store's migrations and one more.
func next(t *testing.T, more string) fs.FS {
	t.Helper()
	steps := fstest.MapFS{}
	err := fs.WalkDir(clickhouse.Steps(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(clickhouse.Steps(), path)
		steps[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	steps[fmt.Sprintf("migrations/%04d_more.sql", len(steps)+1)] = &fstest.MapFile{Data: []byte(more)}
	return steps
}

// A column more, while a server of the version before goes on writing.
func TestAMigrationRunsWhileTheVersionBeforeWrites(t *testing.T) {
	for name, url := range map[string]func(t *testing.T) string{
		"server":  func(t *testing.T) string { return clickhousetest.Start(t).URL("weir") },
		"cluster": func(t *testing.T) string { return clickhousetest.StartCluster(t, 2, 1).URL("weir") + "?cluster=weir" },
	} {
		t.Run(name, func(t *testing.T) {
			address := url(t)
			old, newer := openAt(t, address), openAt(t, address)
			begun, stop := make(chan struct{}), make(chan struct{})
			wrote := make(chan uint64)
			go func() {
				seq := uint64(1)
				defer func() { wrote <- seq - 1 }()
				for {
					b := batchOf(seq, 50)
					b.Visits, b.Links, b.Dead = nil, nil, nil
					if err := old.Write(t.Context(), b); err != nil {
						t.Error(err)
						return
					}
					seq += 50
					select {
					case <-stop:
						return
					case begun <- struct{}{}:
					default:
					}
				}
			}()
			<-begun
			local := `{{local "events"}}`
			steps := next(t, "ALTER TABLE "+local+" ADD COLUMN IF NOT EXISTS more String DEFAULT 'none'\n;\n")
			if err := newer.Migrate(t.Context(), steps); err != nil {
				t.Fatal(err)
			}
			<-begun
			<-begun
			close(stop)
			if n := <-wrote; uint64(count(t, old, "SELECT COUNT(*) FROM events")) != n {
				t.Errorf("%d events, want %d", count(t, old, "SELECT COUNT(*) FROM events"), n)
			}
			// The version before refuses to start on what is newer.
			u, err := clickhouse.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := clickhouse.Open(t.Context(), u, clickhouse.Options{}); !errors.Is(err, cold.ErrNewer) {
				t.Errorf("the version before: %v, want ErrNewer", err)
			}
		})
	}
}

func TestOldEventsGoToTheColdVolume(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir")+"?policy=tiered&cold_after=30")
	b := batchOf(1, 20) // of 2026-03 and 2026-04
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	fresh := batchOf(21, 2)
	for i := range fresh.Events {
		fresh.Events[i].Time = fresh.Events[i].Time.AddDate(50, 0, 0)
	}
	fresh.Visits, fresh.Links, fresh.Dead = nil, nil, nil
	if err := s.Write(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	server.Do("OPTIMIZE TABLE weir.events FINAL")
	disks := server.Do("SELECT disk_name, toInt64(SUM(rows)) FROM system.parts WHERE active AND database = 'weir' AND table = 'events' GROUP BY disk_name ORDER BY disk_name FORMAT TSV")
	if got := strings.Fields(disks); cmp.Diff([]string{"cold", "20", "hot", "2"}, got) != "" {
		t.Errorf("disks %q, want 20 rows on cold and 2 on hot", got)
	}
}

func TestWhoWasIdentifiedBeforeThereWereAliasesIsMergedIntoNobody(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (url string, do []func(string) string, local string){
		"server": func(t *testing.T) (string, []func(string) string, string) {
			server := clickhousetest.Start(t)
			return server.URL("weir"), []func(string) string{server.Do}, ""
		},
		"cluster": func(t *testing.T) (string, []func(string) string, string) {
			cluster := clickhousetest.StartCluster(t, 2, 1)
			var do []func(string) string
			for _, server := range cluster.Servers {
				do = append(do, server.Do)
			}
			return cluster.URL("weir") + "?cluster=weir", do, "_local"
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, servers, local := start(t)
			coldtest.Upgrade(t, openAt(t, url), func(s cold.Store) cold.Store {
				for _, do := range servers {
					do("TRUNCATE TABLE weir.identities" + local)
					do("DROP TABLE IF EXISTS weir.aliases")
					do("DROP TABLE IF EXISTS weir.aliases_local")
					do("ALTER TABLE weir.schema_version DELETE WHERE version >= 3 SETTINGS mutations_sync = 2")
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				return openAt(t, url)
			})
		})
	}
}
