package dump_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/dump"
)

var update = flag.Bool("update", false, "write the golden files anew")

// tables are files of testdata.
func tables(names ...string) []dump.Table {
	var out []dump.Table
	for _, name := range names {
		out = append(out, dump.Table{Name: filepath.Base(name), Open: func() (io.ReadCloser, error) { return os.Open(name) }})
	}
	return out
}

// text is a table of its own.
func text(name, content string) dump.Table {
	return dump.Table{Name: name, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil }}
}

// golden is a record as the golden files have it.
type golden struct {
	Place  string
	Left   string          `json:",omitempty"`
	Error  string          `json:",omitempty"`
	Events []weir.Incoming `json:",omitempty"`
}

func readAll(t *testing.T, vendor string, o dump.Options, tables ...dump.Table) ([]golden, error) {
	t.Helper()
	var out []golden
	err := dump.Read(t.Context(), vendor, tables, o, func(r *dump.Record) error {
		g := golden{Place: fmt.Sprintf("%s:%d", r.Table, r.Line), Left: r.Left, Events: r.Events}
		if r.Line == 0 {
			g.Place = fmt.Sprintf("%s at byte %d", r.Table, r.Offset)
		}
		if r.Err != nil {
			g.Error = r.Err.Error()
		}
		out = append(out, g)
		return nil
	})
	return out, err
}

// render is JSON without what is empty.
func render(t *testing.T, records []golden) []byte {
	t.Helper()
	raw, err := json.Marshal(records)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(filled(v)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func filled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			x = filled(x)
			empty := x == nil || x == "" || x == false || x == json.Number("0") && k != "value" || x == "0001-01-01T00:00:00Z"
			if m, ok := x.(map[string]any); ok && len(m) == 0 {
				empty = true
			}
			if v[k] = x; empty {
				delete(v, k)
			}
		}
	case []any:
		for i := range v {
			v[i] = filled(v[i])
		}
	}
	return v
}

func TestExportsBecomeTheEventsOfTheGoldenFiles(t *testing.T) {
	for _, c := range []struct {
		vendor, name string
		files        []string
	}{
		{"posthog", "events", []string{"events.jsonl"}},
		{"posthog", "page", []string{"page.json"}},
		{"posthog", "csv", []string{"events.csv", "table.csv"}},
		{"openpanel", "events", []string{"events.jsonl"}},
		{"openpanel", "page", []string{"page.json"}},
		{"plausible", "events", []string{"events.jsonl"}},
		{"umami", "cloud", []string{"website_event.csv", "event_data.csv", "session_data.csv"}},
		{"umami", "postgresql", []string{"pg_website_event.jsonl", "pg_session.jsonl", "pg_event_data.jsonl"}},
		{"ga4", "events", []string{"events.jsonl"}},
		{"matomo", "visits", []string{"visits.json"}},
	} {
		t.Run(c.vendor+"/"+c.name, func(t *testing.T) {
			dir := filepath.Join("testdata", c.vendor)
			var files []string
			for _, f := range c.files {
				files = append(files, filepath.Join(dir, f))
			}
			records, err := readAll(t, c.vendor, dump.Options{}, tables(files...)...)
			if err != nil {
				t.Fatal(err)
			}
			path, got := filepath.Join(dir, c.name+".golden"), render(t, records)
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCSVOfClickHouseTellsWhatItsJSONTells(t *testing.T) {
	for _, vendor := range []string{"openpanel", "plausible"} {
		dir := filepath.Join("testdata", vendor)
		lines, err := readAll(t, vendor, dump.Options{}, tables(filepath.Join(dir, "events.jsonl"))...)
		if err != nil {
			t.Fatal(err)
		}
		rows, err := readAll(t, vendor, dump.Options{}, tables(filepath.Join(dir, "events.csv"))...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			rows[i].Place, lines[i].Place = "", ""
		}
		if diff := cmp.Diff(string(render(t, lines)), string(render(t, rows))); diff != "" {
			t.Errorf("%s (-JSON +CSV):\n%s", vendor, diff)
		}
	}
}
