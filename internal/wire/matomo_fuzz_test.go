package wire_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

// checkMended checks properties that were put together: compact JSON, an object, no key
// twice at its top.
func checkMended(t *testing.T, p json.RawMessage) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, p); err != nil || !bytes.Equal(compact.Bytes(), p) || !utf8.Valid(p) {
		t.Fatalf("properties %q are not compact JSON: %v", p, err)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(p, &top); err != nil || len(top) == 0 {
		t.Fatalf("properties %q: %v", p, err)
	}
	d := json.NewDecoder(bytes.NewReader(p))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for d.More() {
		var value json.RawMessage
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		seen++
	}
	if seen != len(top) {
		t.Errorf("properties %q have a key twice", p)
	}
}

func FuzzMatomo(f *testing.F) {
	files, err := filepath.Glob("testdata/matomo/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, g := range a.Files {
			if strings.HasSuffix(g.Name, ".want") {
				continue
			}
			r := request(f, wire.Matomo{}, g.Data)
			f.Add(r.UserAgent, r.Query.Encode(), r.Body)
		}
	}
	f.Fuzz(func(t *testing.T, agent, query string, body []byte) {
		p := wire.Matomo{}
		h := http.Header{"User-Agent": {agent}, "Content-Type": {"application/json"}}
		values, _ := url.ParseQuery(query) // what it cannot read, the server leaves out too
		r := &wire.Request{Route: p.Routes()[1], Header: h, Query: values, Body: body, IP: "203.0.113.7", UserAgent: agent, Now: now, Limits: small()}
		checkExchange(t, p, r)
	})
}
