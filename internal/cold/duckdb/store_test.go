package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

func open(t *testing.T, dir string) cold.Store {
	t.Helper()
	s, err := duckdb.Open(filepath.Join(dir, "weir.duckdb"), duckdb.Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) { coldtest.Run(t, open) }
