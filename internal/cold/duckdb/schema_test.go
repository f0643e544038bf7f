package duckdb_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// typeNames are DuckDB's types.
var typeNames = map[schema.Type]string{
	schema.Text: "VARCHAR", schema.Word: "VARCHAR", schema.JSON: "VARCHAR", schema.Bytes: "BLOB", schema.Bool: "BOOLEAN", schema.Time: "TIMESTAMP", schema.Float: "DOUBLE",
	schema.Int8: "TINYINT", schema.Int32: "INTEGER", schema.Int64: "BIGINT", schema.Uint32: "UINTEGER", schema.Uint64: "UBIGINT",
}

// The writer fills the columns in the order of the schema.
func TestTablesAreAsTheSchemaSays(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	defer s.Close()
	got := map[string][]string{}
	rows, err := s.Query(t.Context(), "SELECT table_name, column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN '' ELSE ' NULL' END"+
		" FROM information_schema.columns WHERE table_name <> 'schema_version' ORDER BY table_name, ordinal_position")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		got[table] = append(got[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, table := range schema.All() {
		for _, c := range table.Columns {
			column := c.Name + " " + typeNames[c.Type]
			if c.Null || c.Name == "beside" || c.Name == "formerly" { // NULL in rows of earlier versions
				column += " NULL"
			}
			want[table.Name] = append(want[table.Name], column)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the migrations differ from the schema (-schema +tables):\n%s", d)
	}
}
