package clickhouse_test

import (
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// typeNames are ClickHouse's types.
var typeNames = map[schema.Type]string{
	schema.Text: "String", schema.Word: "String", schema.JSON: "String", schema.Bytes: "String", schema.Bool: "Bool", schema.Time: "DateTime64(6, 'UTC')", schema.Float: "Float64",
	schema.Int8: "Int8", schema.Int32: "Int32", schema.Int64: "Int64", schema.Uint32: "UInt32", schema.Uint64: "UInt64",
}

// aggregate is a type whose rows ClickHouse adds up. They are written as plain values.
var aggregate = regexp.MustCompile(`^SimpleAggregateFunction\(\w+, (.*)\)$`)

func TestTablesAreAsTheSchemaSays(t *testing.T) {
	s := openAt(t, clickhousetest.Start(t).URL("weir"))
	got := map[string][]string{}
	rows, err := s.Query(t.Context(), "SELECT table, name, type FROM system.columns WHERE database = 'weir' AND table <> 'schema_version' ORDER BY table, name")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table, name, kind string
		if err := rows.Scan(&table, &name, &kind); err != nil {
			t.Fatal(err)
		}
		got[table] = append(got[table], name+" "+aggregate.ReplaceAllString(kind, "$1"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{}
	for _, table := range schema.All() {
		for _, c := range slices.Concat(table.Columns, table.Origin) {
			kind := typeNames[c.Type]
			if c.Null {
				kind = "Nullable(" + kind + ")"
			}
			if c.Type == schema.Word {
				kind = "LowCardinality(" + kind + ")"
			}
			want[table.Name] = append(want[table.Name], c.Name+" "+kind)
		}
		slices.Sort(want[table.Name])
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the migrations differ from the schema (-schema +tables):\n%s", d)
	}
}
