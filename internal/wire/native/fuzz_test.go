package native_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
	"golang.org/x/tools/txtar"
)

// FuzzEvents checks what holds for any body: the events are within the limits,
// each item is an event or a rejection, and the body is taken or refused as
// encoding/json finds it valid or not.
func FuzzEvents(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
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
		`{"name":"a","properties":{"a":{"b":[{"c":{"d":[]}}]},"a":1}}`, `{"call":{"status":2e2,"latency_ms":1e-400}}`, `{"call":{"request_bytes":-0,"response_bytes":1e15,"error":"\u0000ä","trace_id":7}}`,
	} {
		f.Add([]byte(seed))
	}
	l := wire.DefaultLimits()
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 300, 10, 12, 20, 30, 5, 4
	f.Fuzz(func(t *testing.T, body []byte) {
		defer wiretest.Bounded(t)()
		budget := wire.NewBudget(8 << 20) // no small body takes more
		l.Memory = budget.Open(t.Context())
		defer l.Memory.Close()
		l.Memory.SetKnown()
		in, rejected, err := native.Decode(body, wiretest.Now, l)
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
			wiretest.CheckEvent(t, &i, l)
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
