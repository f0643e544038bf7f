package httpd_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
)

var update = flag.Bool("update", false, "write the document that the server serves to web/openapi.json")

// The dashboard's types and its mock server follow from this file.
func TestTheDashboardIsBuiltFromTheDocumentThatTheServerServes(t *testing.T) {
	const file = "../../web/openapi.json"
	f := start(t, func(c *httpd.Config) { c.Version = "dev" })
	var served bytes.Buffer
	if err := json.Indent(&served, []byte(f.do("GET", "/openapi.json", "").body), "", "  "); err != nil {
		t.Fatal(err)
	}
	served.WriteByte('\n')
	if *update {
		if err := os.WriteFile(file, served.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(kept), served.String()); d != "" {
		t.Errorf("%s is out of date, write it with: go test ./internal/httpd -run Document -update\n%s", file, d)
	}
}

// document finds an operation of the server by a request for it.
type document struct {
	api    *huma.OpenAPI
	routes *http.ServeMux
	found  map[string]*huma.Operation // by pattern
}

func documentOf(s *httpd.Server) *document {
	d := &document{httpd.Document(s), http.NewServeMux(), map[string]*huma.Operation{}}
	for path, item := range d.api.Paths {
		for method, op := range map[string]*huma.Operation{"GET": item.Get, "POST": item.Post, "PUT": item.Put, "PATCH": item.Patch, "DELETE": item.Delete} {
			if op == nil {
				continue
			}
			d.found[method+" "+path] = op
			d.routes.Handle(method+" "+path, http.NotFoundHandler())
			for _, r := range op.Responses {
				for _, m := range r.Content {
					m.Schema.PrecomputeMessages()
				}
			}
		}
	}
	return d
}

// faults are how an answer is not as the document describes it. What the document
// does not have has none.
func (d *document) faults(method, path string, a answer) []error {
	u, err := url.Parse(path)
	if err != nil {
		return []error{err}
	}
	_, pattern := d.routes.Handler(&http.Request{Method: method, URL: u})
	op := d.found[pattern]
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if op == nil || kind != "application/json" || a.body == "" {
		return nil
	}
	response := op.Responses[strconv.Itoa(a.status)]
	if response == nil {
		response = op.Responses["default"]
	}
	var body any
	if err := json.Unmarshal([]byte(a.body), &body); err != nil {
		return nil // one that was cut off
	}
	res := &huma.ValidateResult{}
	huma.Validate(d.api.Components.Schemas, response.Content[kind].Schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, body, res)
	return res.Errors
}

func TestAnAnswerThatIsNotAsDescribedIsFound(t *testing.T) {
	d := documentOf(start(t).served)
	json := http.Header{"Content-Type": {"application/json"}}
	for name, c := range map[string]struct {
		method, path string
		answer       answer
		faulty       bool
	}{
		"as described":         {"GET", "/api/v1/session", answer{200, json, `{"user":null,"setup_required":true}`}, false},
		"a member is missing":  {"GET", "/api/v1/session", answer{200, json, `{"user":null}`}, true},
		"one member more":      {"GET", "/api/v1/session", answer{200, json, `{"user":null,"setup_required":true,"x":1}`}, true},
		"another type":         {"GET", "/api/v1/session", answer{200, json, `{"user":null,"setup_required":1}`}, true},
		"null":                 {"GET", "/api/v1/projects", answer{200, json, `{"projects":null}`}, true},
		"no error's body":      {"GET", "/api/v1/projects/p/alerts/a", answer{404, json, `{"message":"gone"}`}, true},
		"an unknown code":      {"GET", "/api/v1/projects", answer{400, json, `{"error":{"code":"odd","message":"x"}}`}, true},
		"no kind's answer":     {"POST", "/api/v1/projects/p/query", answer{200, json, `{"as_of":"2026-03-10T12:00:00Z","cached":false,"elapsed_ms":1}`}, true},
		"not in the document":  {"GET", "/api/v1/other", answer{200, json, `{}`}, false},
		"properties, a string": {"GET", "/api/v1/projects/p/events", answer{200, json, `{"as_of":"2026-03-10T12:00:00Z","cached":false,"elapsed_ms":1,"events":[{"id":"a","name":"b","ts":"2026-03-10T12:00:00Z","received_at":"2026-03-10T12:00:00Z","properties":"x"}]}`}, true},
	} {
		if got := d.faults(c.method, c.path, c.answer); (len(got) > 0) != c.faulty {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnExportHasThePartsThatAreDescribed(t *testing.T) {
	schemas, answers := described(t, start(t))
	if want := "#/components/schemas/InsightProfileExport"; answers["export-profile"].Ref != want {
		t.Errorf("export-profile: %+v", answers["export-profile"])
	}
	want := []string{"changes", "dead_letters", "devices", "events", "profile", "visits"}
	if d := cmp.Diff(want, keys(schemas["InsightProfileExport"].Properties)); d != "" {
		t.Error(d)
	}
	raw, err := json.Marshal(insight.ProfileExport{})
	if err != nil {
		t.Fatal(err)
	}
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, keys(members)); d != "" {
		t.Error(d)
	}
}
