package wire_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"golang.org/x/tools/txtar"
)

// FuzzEvents checks what holds for any body: the events are within the limits,
// each item is an event or a rejection, and the body is taken or refused as
// encoding/json finds it valid or not.
func FuzzEvents(f *testing.F) {
	files, err := filepath.Glob("testdata/native/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	for _, seed := range []string{
		"", "[]", "{}", "\ufeff[]", "null", `{"events":null}`, `{"events":[],"events":[]}`, "{}\r\n{}", "x\n{}", "{}\n[", "[[[[{",
		`{"name":"\ud800\u0000\/"}`, `{"name":"a","ts":-1e400}`, `{"name":"a","ts":1e18,"id":-0.0e-0}`, "{\"name\":\"\xff\"}",
		`{"name":"a","properties":{"a":{"b":[{"c":{"d":[]}}]},"a":1}}`, `{"call":{"status":2e2,"latency_ms":1e-400}}`,
	} {
		f.Add([]byte(seed))
	}
	l := wire.DefaultLimits()
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 300, 10, 12, 20, 30, 5, 4
	f.Fuzz(func(t *testing.T, body []byte) {
		defer bounded(t)()
		budget := wire.NewBudget(8 << 20) // no small body takes more
		l.Memory = budget.Open(t.Context())
		defer l.Memory.Close()
		l.Memory.SetKnown()
		in, rejected, err := wire.Events(body, now, l)
		if l.Memory.Err() != nil {
			t.Fatalf("%d bytes take more than %d: %v", len(body), budget.Size(), l.Memory.Err())
		}
		checkBody(t, body, in, rejected, err)
		if err != nil {
			return
		}
		var indexes []int
		for _, i := range in {
			indexes = append(indexes, i.Index)
			checkEvent(t, &i, l)
		}
		for _, r := range rejected {
			indexes = append(indexes, r.Index)
			if !slices.Contains(wire.Reasons(), r.Reason) {
				t.Errorf("reason %q is not listed", r.Reason)
			}
		}
		slices.Sort(indexes)
		for i, index := range indexes {
			if i != index {
				t.Fatalf("indexes %v", indexes)
			}
		}
		if len(indexes) > l.Events {
			t.Errorf("%d items", len(indexes))
		}
	})
}

// checkBody compares what became of a body with what encoding/json says of it.
func checkBody(t *testing.T, body []byte, in []weir.Incoming, rejected []weir.Rejection, err error) {
	text := bytes.TrimPrefix(body, []byte("\ufeff"))
	valid := json.Valid(text)
	bracket := bytes.TrimLeft(text, " \t\r\n")
	form := valid && (bracket[0] == '[' || bracket[0] == '{')
	if err != nil {
		if len(in)+len(rejected) != 0 {
			t.Error("events with an error")
		}
		switch code := weir.ErrorCode(err); {
		case code == weir.ETOOLARGE:
		case code != weir.EINVALID:
			t.Errorf("code %q", code)
		case form && bracket[0] == '[':
			t.Errorf("a valid array is refused: %v", err)
		case form:
			var top map[string]json.RawMessage
			if json.Unmarshal(text, &top) != nil || top["events"] == nil {
				t.Errorf("a valid object is refused: %v", err)
			}
		}
		return
	}
	if valid {
		if !form {
			t.Error("a scalar is taken")
		}
		for _, r := range rejected {
			if r.Reason == wire.ReasonMalformed {
				t.Errorf("a valid body has a malformed item: %+v", r)
			}
		}
		if bracket[0] == '[' {
			var items []json.RawMessage
			if err := json.Unmarshal(text, &items); err != nil || len(items) != len(in)+len(rejected) {
				t.Errorf("%d items, %v; %d events, %d rejections", len(items), err, len(in), len(rejected))
			}
		}
		return
	}
	// Then it is NDJSON: each line by itself is valid, or rejected as malformed.
	index := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if len(bytes.Trim(line, " \t\r")) == 0 {
			continue
		}
		refused := slices.ContainsFunc(rejected, func(r weir.Rejection) bool {
			return r.Index == index && r.Reason == wire.ReasonMalformed
		})
		if json.Valid(line) == refused {
			t.Errorf("line %d: valid %v, malformed %v", index, !refused, refused)
		}
		index++
	}
	if index != len(in)+len(rejected) {
		t.Errorf("%d lines, %d events, %d rejections", index, len(in), len(rejected))
	}
}

func checkEvent(t *testing.T, in *weir.Incoming, l wire.Limits) {
	e := &in.Event
	checkText(t, e.Name, l.Name)
	if e.Name == "" {
		t.Error("no name")
	}
	for _, s := range []string{e.ID, e.ProfileID, e.DeviceID, e.SessionID} {
		checkText(t, s, l.ID)
	}
	for _, s := range []string{e.Path, e.Title, e.Language, e.Library, e.Currency, in.Source.IP, in.Source.UserAgent} {
		checkText(t, s, l.String)
	}
	checkText(t, in.Source.URL, l.URL)
	checkText(t, in.Source.Referrer, l.URL)
	if (e.Call != nil) != (e.Name == weir.NameCall) {
		t.Errorf("name %q, call %v", e.Name, e.Call)
	}
	if c := e.Call; c != nil {
		for _, s := range []string{c.Method, c.Route, c.Consumer} {
			checkText(t, s, l.String)
		}
		if c.Status != 0 && (c.Status < 100 || c.Status > 599) || c.LatencyMS < 0 {
			t.Errorf("call %+v", c)
		}
	}
	if e.Time.Before(l.Oldest) || e.Time.After(now.Add(l.Future)) || e.Time.Nanosecond()%1000 != 0 {
		t.Errorf("time %v", e.Time)
	}
	if e.ProjectID != "" || !e.ReceivedAt.IsZero() {
		t.Error("set what is not the parser's")
	}
	if e.Properties != nil {
		checkProperties(t, e.Properties, l)
	}
}

func checkText(t *testing.T, s string, limit int) {
	if len(s) > limit || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		t.Errorf("text %q, limit %d", s, limit)
	}
}

// checkProperties decodes them with a reader that wants every number to fit.
func checkProperties(t *testing.T, p json.RawMessage, l wire.Limits) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, p); err != nil || !bytes.Equal(compact.Bytes(), p) {
		t.Fatalf("properties %q are not compact JSON: %v", p, err)
	}
	if !utf8.Valid(p) || bytes.Contains(bytes.ReplaceAll(p, []byte(`\\`), nil), []byte(`\u0000`)) {
		t.Errorf("properties %q", p)
	}
	var top map[string]any
	if err := json.Unmarshal(p, &top); err != nil {
		t.Fatalf("properties %q: %v", p, err)
	}
	if len(top) == 0 || len(top) > l.Properties {
		t.Errorf("%d properties", len(top))
	}
	entries, depth := 0, 0 // as sent: a duplicate key would be counted twice
	d := json.NewDecoder(bytes.NewReader(p))
	var wide func(v any) int
	wide = func(v any) (n int) {
		switch v := v.(type) {
		case map[string]any:
			n = len(v)
			for _, x := range v {
				n += wide(x)
			}
		case []any:
			for _, x := range v {
				n += wide(x)
			}
		}
		return n
	}
	type level struct{ object, key bool }
	var open []level
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		if n := len(open); n > 0 && open[n-1].object && token != json.Delim('}') {
			if open[n-1].key {
				entries++
				open[n-1].key = false
				continue
			}
			open[n-1].key = true
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open = append(open, level{token == json.Delim('{'), true})
			depth = max(depth, len(open))
		case json.Delim('}'), json.Delim(']'):
			open = open[:len(open)-1]
		}
	}
	if depth > l.Depth {
		t.Errorf("properties %q are %d deep", p, depth)
	}
	if n := wide(top); n != entries {
		t.Errorf("properties %q have %d keys, %d distinct", p, entries, n)
	}
}

// FuzzReadBody checks that no body crashes the decompressors or gets past the
// limits, and that one that is not compressed comes back as it was.
func FuzzReadBody(f *testing.F) {
	for _, text := range []string{"", `{"name":"a"}`, strings.Repeat("x", 3000)} {
		for _, body := range []string{text, gzipped(f, text), zstded(f, text), gzipped(f, zstded(f, text)), deflated(f, text), deflatedRaw(f, text), brotlied(f, text)} {
			for _, encoding := range []string{"", "gzip", "zstd", "gzip,zstd", "br", "deflate", "br, deflate", "compress"} {
				f.Add([]byte(body), encoding)
			}
		}
	}
	l := wire.DefaultLimits()
	l.Body, l.Decoded = 1000, 2000
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		defer bounded(t)()
		b, err := wire.ReadBody(bytes.NewReader(body), encoding, l)
		if err != nil {
			switch code := weir.ErrorCode(err); code {
			case weir.EINVALID, weir.ETOOLARGE, weir.EUNSUPPORTED:
			default:
				t.Errorf("code %q: %v", code, err)
			}
			return
		}
		defer b.Release()
		if len(body) > 1000 || len(b.Bytes()) > 2000 {
			t.Errorf("%d bytes to %d", len(body), len(b.Bytes()))
		}
		magic := bytes.HasPrefix(body, []byte{0x1f, 0x8b}) || bytes.HasPrefix(body, []byte{0x28, 0xb5, 0x2f, 0xfd})
		if strings.Trim(encoding, " ,") == "" && !magic && !bytes.Equal(b.Bytes(), body) {
			t.Errorf("%q became %q", body, b.Bytes())
		}
	})
}

// bounded fails the test if it has allocated more than 64 MiB when what it returns is
// called.
func bounded(t testing.TB) func() {
	before := everAllocated()
	return func() {
		if n := everAllocated() - before; n > 64<<20 {
			t.Errorf("%d MiB were allocated", n>>20)
		}
	}
}

// everAllocated is all that this process has allocated so far, in bytes.
func everAllocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
