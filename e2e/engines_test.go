package e2e_test

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// Every cold tier gives the same answers about the same events: WEIR_SAME_EVENTS of
// them, 1,500 if that is not set. WEIR_TEST_LONG asks more, about 20,000, and one server of ClickHouse too:
// its SQL is that of the shards.
func TestEveryColdTierGivesTheSameAnswers(t *testing.T) {
	t.Parallel()
	n := longer(1500, 20_000)
	if s := os.Getenv("WEIR_SAME_EVENTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	file, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	engines := []coldtest.Engine{
		{Name: "DuckDB", Store: file},
		{Name: "two shards of ClickHouse", Store: openClickHouse(t, clickhousetest.StartCluster(t, 2, 1).URL("weir")+"?cluster=weir")},
	}
	if longer(0, 1) == 1 {
		engines = append(engines, coldtest.Engine{Name: "ClickHouse", Store: openClickHouse(t, clickhousetest.Start(t).URL("weir"))})
	}
	coldtest.Same(t, n, engines...)
}

func openClickHouse(t *testing.T, url string) cold.Store {
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
