package clickhouse_test

import (
	"fmt"
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

// Without WEIR_TEST_LONG each topic is proven on the server or on two shards: the SQL is the same,
// and what depends on where rows are needs the shards. DuckDB is asked everything each time.
var (
	onServer = []string{"Traits", "Identity", "Export", "Money", "Discovery of many", "Bounds of statements"}
	onShards = []string{"Forget", "Erase", "Delete", "Delete, failing", "Insight", "URL rules", "Visit sources", "Referrer spam", "Arrival", "Statements", "Hostile statements"}
)

func TestServer(t *testing.T) {
	t.Parallel()
	server := clickhousetest.Start(t)
	database := databases()
	coldtest.RunPart(t, coldtest.Part{Zones: 1, Of: 8, Leave: onShards}, func(t *testing.T, dir string) cold.Store {
		return openAt(t, server.URL(database(dir)))
	})
}

func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := clickhousetest.StartCluster(t, 2, 1)
	database := databases()
	coldtest.RunPart(t, coldtest.Part{Zones: 1, Of: 16, Leave: onServer}, func(t *testing.T, dir string) cold.Store {
		return openAt(t, cluster.URL(database(dir))+"?cluster=weir")
	})
}
