package clickhouse_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
)

// openAt opens a store by its URL.
func openAt(t testing.TB, url string) *clickhouse.Store {
	t.Helper()
	u, err := clickhouse.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := clickhouse.Open(t.Context(), u, clickhouse.Options{Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// databases gives each directory of the suite a database of its own.
func databases() func(dir string) string {
	names := map[string]string{}
	return func(dir string) string {
		if names[dir] == "" {
			names[dir] = fmt.Sprint("weir_", len(names))
		}
		return names[dir]
	}
}

// part is how much of the suite runs here, or all of it with WEIR_TEST_LONG. DuckDB is
// asked everything each time: what can differ here is the SQL, and each kind is asked.
func part(short coldtest.Part) coldtest.Part {
	if os.Getenv("WEIR_TEST_LONG") != "" {
		return coldtest.Part{Zones: 8, Of: 1}
	}
	return short
}

func TestServer(t *testing.T) {
	t.Parallel()
	server := clickhousetest.Start(t)
	database := databases()
	coldtest.RunPart(t, part(coldtest.Part{Zones: 1, Of: 8}), func(t *testing.T, dir string) cold.Store {
		return openAt(t, server.URL(database(dir)))
	})
}

func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := clickhousetest.StartCluster(t, 2, 1)
	database := databases()
	coldtest.RunPart(t, part(coldtest.Part{Zones: 1, Of: 16, Spread: true}), func(t *testing.T, dir string) cold.Store {
		return openAt(t, cluster.URL(database(dir))+"?cluster=weir")
	})
}
