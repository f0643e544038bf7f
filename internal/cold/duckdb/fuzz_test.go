package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/weir-analytics/weir/internal/cold/coldtest"
)

func FuzzStatement(f *testing.F) {
	coldtest.FuzzStatements(f, openFile(f, filepath.Join(f.TempDir(), "weir.duckdb")))
}
