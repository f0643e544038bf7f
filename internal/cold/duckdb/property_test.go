package duckdb_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// FuzzProperties: what Write accepts, DuckDB's JSON functions read, and a
// property comes out as Go's decoder has it.
func FuzzProperties(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"a":"x"}`, `{"a":"\ud83d\ude00"}`, `{"a":"\ud800"}`, `{"a":"\udc00\ud800"}`, `{"a":"\\ud800"}`,
		`{"a":null}`, `{"a":1e999}`, `{"a":-0}`, `{"a":123456789012345678901234567890}`, `{"a":"\u0000"}`, `{"":""}`,
		`{"a":NaN}`, `{"a":1,}`, `{"a":{"b":[[[[1]]]]}}`, " {}", "[]", `{"a":"` + "\xff" + `"}`, `{"a":1}{"a":2}`, `{"a":'x'}`,
	} {
		f.Add([]byte(s), "a")
	}
	f.Add([]byte(`{"a/b":"1","~":"2","~1":"3","$":"4","0":"5","-":"6","ü":"7","\"":"8"}`), "a/b")
	for _, name := range []string{"~", "~1", "$", "0", "-", "ü", `"`, "\x00", ".", "*", "a b"} {
		b, err := json.Marshal(map[string]string{name: "value of " + name})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, name)
	}
	s := openFile(f, filepath.Join(f.TempDir(), "weir.duckdb"))
	n := 0
	f.Fuzz(func(t *testing.T, properties []byte, name string) {
		n++
		b := batch(n, 1)
		b.Events[0].Properties = properties
		err := s.Write(t.Context(), b)
		if _, refused := errors.AsType[*cold.RowError](err); refused {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if !utf8.ValidString(name) {
			return
		}
		expr, arg := duckdb.Dialect{}.PropertyText("properties", name)
		rows, err := s.Query(t.Context(), "SELECT "+expr+" FROM events WHERE name = ?", arg, b.Token)
		if err != nil {
			t.Fatalf("%s: %v", properties, err)
		}
		defer rows.Close()
		var got *string
		if !rows.Next() {
			t.Fatalf("%s: %v", properties, rows.Err())
		}
		if err := rows.Scan(&got); err != nil {
			t.Fatal(err)
		}
		if len(properties) == 0 {
			if got != nil {
				t.Errorf("no properties: got %q", *got)
			}
			return
		}
		if duplicates(properties) {
			return // which of them counts differs
		}
		var want map[string]any
		if err := json.Unmarshal(properties, &want); err != nil {
			return // a number too large for Go
		}
		switch v, ok := want[name]; v := v.(type) {
		case string:
			if got == nil || *got != v {
				t.Errorf("%s: %q is %v, want %q", properties, name, got, v)
			}
		case nil:
			if got != nil {
				t.Errorf("%s: %q is %q, want none (%v)", properties, name, *got, ok)
			}
		default:
			if got == nil {
				t.Errorf("%s: %q is none, want %v", properties, name, v)
			}
		}
	})
}

// duplicates says whether an object of JSON names a member twice.
func duplicates(object []byte) bool {
	d := json.NewDecoder(bytes.NewReader(object))
	seen := make(map[string]bool)
	depth, key := 0, false
	for {
		tok, err := d.Token()
		if err != nil {
			return false
		}
		switch tok := tok.(type) {
		case json.Delim:
			if tok == '{' || tok == '[' {
				depth++
				key = depth == 1
				continue
			}
			depth--
			key = depth == 1
		case string:
			if depth == 1 && key {
				if seen[tok] {
					return true
				}
				seen[tok] = true
				key = false
				continue
			}
			key = depth == 1
		default:
			key = depth == 1
		}
	}
}

// FuzzNumber: text is a number exactly when it is one in JSON, and finite.
func FuzzNumber(f *testing.F) {
	for _, s := range []string{
		"0", "-0", "1", "-1.5", "1e3", "1E+3", "1e-3", "01", "+1", ".5", "5.", "1_000", " 1", "1 ", "1\n", "inf", "-inf", "nan", "NaN",
		"0x1F", "1e999", "-1e999", "1e-999", "1e308", "true", "", "١", "12345678901234567890123", "4.9e-324", "0.1", "123456789.123456789",
	} {
		f.Add(s)
	}
	s := openFile(f, filepath.Join(f.TempDir(), "weir.duckdb"))
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		rows, err := s.Query(t.Context(), "SELECT "+duckdb.Dialect{}.Number("?::VARCHAR"), text)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		var got *float64
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		if err := rows.Scan(&got); err != nil {
			t.Fatal(err)
		}
		want, ok := jsonNumber(text)
		if ok != (got != nil) {
			t.Fatalf("%q: got %v, want %v, %v", text, got, want, ok)
		}
		if ok && *got != want {
			t.Errorf("%q: got %v, want %v", text, *got, want)
		}
	})
}

func jsonNumber(s string) (float64, bool) {
	var n json.Number
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') || s[len(s)-1] < '0' || s[len(s)-1] > '9' {
		return 0, false
	}
	if err := json.Unmarshal([]byte(s), &n); err != nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0)
}
