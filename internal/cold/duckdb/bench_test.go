package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

func BenchmarkStore(b *testing.B) {
	coldtest.Bench(b, func(b *testing.B, dir string) cold.Store {
		s, err := duckdb.Open(filepath.Join(dir, "weir.duckdb"), duckdb.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	})
}

func BenchmarkTraits(b *testing.B) {
	coldtest.BenchTraits(b, func(b *testing.B, dir string) cold.Store {
		s, err := duckdb.Open(filepath.Join(dir, "weir.duckdb"), duckdb.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	})
}

func BenchmarkDiscovery(b *testing.B) {
	coldtest.BenchDiscovery(b, func(b *testing.B, dir string) cold.Store {
		s, err := duckdb.Open(filepath.Join(dir, "weir.duckdb"), duckdb.Options{})
		if err != nil {
			b.Fatal(err)
		}
		return s
	})
}
