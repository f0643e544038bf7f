package duckdb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNoStatementReadsFilesOrLoadsExtensions(t *testing.T) {
	dir := t.TempDir()
	s := openFile(t, filepath.Join(dir, "weir.duckdb"))
	other := filepath.Join(dir, "other.csv")
	if err := os.WriteFile(other, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		"SELECT * FROM read_csv('" + other + "')", "SELECT * FROM read_text('" + other + "')", "SELECT * FROM '" + other + "'", "SELECT * FROM glob('" + dir + "/*')",
		"COPY (SELECT 1) TO '" + other + "'", "ATTACH '" + filepath.Join(dir, "new.duckdb") + "' AS other", "INSTALL httpfs", "LOAD httpfs", "SET GLOBAL enable_external_access = true",
	} {
		rows, err := s.Query(t.Context(), q)
		if err == nil {
			err = rows.Err()
			_ = rows.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "isabled") && !strings.Contains(err.Error(), "annot") {
			t.Errorf("%s: error %v", q, err)
		}
	}
}
