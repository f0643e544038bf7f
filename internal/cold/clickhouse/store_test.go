package clickhouse_test

import (
	"fmt"
	"os"
	"strconv"
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

// zones is in how many timezones questions are asked: n, or WEIR_TEST_ZONES, at most
// 7. Where a bucket begins does not depend on the engine, and DuckDB is asked in all.
func zones(t *testing.T, n int) int {
	t.Helper()
	if s := os.Getenv("WEIR_TEST_ZONES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestServer(t *testing.T) {
	t.Parallel()
	server := clickhousetest.Start(t)
	database := databases()
	coldtest.RunSome(t, zones(t, 2), func(t *testing.T, dir string) cold.Store {
		return openAt(t, server.URL(database(dir)))
	})
}

func TestCluster(t *testing.T) {
	t.Parallel()
	cluster := clickhousetest.StartCluster(t, 2, 1)
	database := databases()
	coldtest.RunSome(t, zones(t, 1), func(t *testing.T, dir string) cold.Store {
		return openAt(t, cluster.URL(database(dir))+"?cluster=weir")
	})
}
