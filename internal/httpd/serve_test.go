package httpd_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestWhatIsNotThereIsAJSONError(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/api", "/api/", "/api/v1/nothing", "/api/v2/projects", "/v1/nothing", "/v1", "/v1/events/x"} {
		wantError(t, f.do("GET", path, ""), 404, weir.ENOTFOUND)
		wantError(t, f.do("POST", path, ""), 404, weir.ENOTFOUND)
	}
}

func TestAMethodThatIsNotForThePathIsNamed(t *testing.T) {
	f := start(t)
	for _, c := range []struct{ method, path, allow string }{
		{"PUT", "/api/v1/projects", "GET, HEAD, POST"},
		{"GET", "/v1/events", "OPTIONS, POST"},
		{"DELETE", "/healthz", "GET, HEAD"},
		{"POST", "/login", "GET, HEAD"},
		{"GET", "/api/v1/login", "POST"},
	} {
		a := f.do(c.method, c.path, "")
		wantError(t, a, 405, "method_not_allowed")
		if got := a.header.Get("Allow"); got != c.allow {
			t.Errorf("%s %s: Allow = %q, want %q", c.method, c.path, got, c.allow)
		}
	}
}

func TestAPanicIsA500AndItsStackIsLogged(t *testing.T) {
	f := start(t)
	f.panics = "boom at 7"
	for _, a := range []answer{
		f.as(f.admin, "GET", f.path("/stats/overview"), ""),
		f.as(f.key, "POST", "/v1/events", `{}`),
	} {
		wantError(t, a, 500, weir.EINTERNAL)
		if strings.Contains(a.body, "boom") {
			t.Errorf("the answer tells of the inside: %s", a.body)
		}
		id := a.header.Get("X-Request-Id")
		logged := false
		for line := range strings.Lines(f.log.String()) {
			var l struct {
				Panic     string
				Stack     string
				RequestID string `json:"request_id"`
			}
			if json.Unmarshal([]byte(line), &l) == nil && l.RequestID == id && l.Panic == "boom at 7" && strings.Contains(l.Stack, "asked") {
				logged = true
			}
		}
		if !logged {
			t.Error("the panic and its stack are not logged")
		}
	}
	f.panics = nil
	wantStatus(t, f.as(f.admin, "GET", f.path("/stats/overview"), ""), 200)
}

func TestAnAbortingHandlerCutsTheConnection(t *testing.T) {
	f := start(t)
	f.panics = http.ErrAbortHandler
	req, err := http.NewRequestWithContext(t.Context(), "GET", f.server.URL+f.path("/stats/overview"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.admin)
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = res.Body.Close()
		t.Fatalf("answer = %d", res.StatusCode)
	}
}

func TestAnswerDoesNotContainTheCauseOfAnError(t *testing.T) {
	f := start(t)
	f.err = errors.New("disk on fire")
	a := f.as(f.admin, "GET", f.path("/stats/overview"), "")
	wantError(t, a, 500, weir.EINTERNAL)
	if strings.Contains(a.body, "fire") {
		t.Errorf("the answer tells of the inside: %s", a.body)
	}
	if log := f.log.String(); !strings.Contains(log, "disk on fire") || !strings.Contains(log, a.header.Get("X-Request-Id")) {
		t.Errorf("log = %s", log)
	}
}

func TestErrorsMayCarryDetails(t *testing.T) {
	f := start(t)
	e := weir.Errorf(weir.EINVALID, "bad")
	e.Details = map[string]int{"at": 3}
	f.err = e
	a := f.as(f.admin, "GET", f.path("/stats/overview"), "")
	if a.body != `{"error":{"code":"invalid","message":"bad","details":{"at":3}}}`+"\n" {
		t.Fatalf("answer = %s", a.body)
	}
}

func TestEachRequestHasAnID(t *testing.T) {
	f := start(t)
	first, second := f.do("GET", "/healthz", ""), f.do("GET", "/healthz", "")
	a, b := first.header.Get("X-Request-Id"), second.header.Get("X-Request-Id")
	if a == "" || a == b {
		t.Errorf("ids = %q, %q", a, b)
	}
	if got := f.do("GET", "/healthz", "", "X-Request-Id", "abc-1.2_3").header.Get("X-Request-Id"); got != "abc-1.2_3" {
		t.Errorf("a given id became %q", got)
	}
	for _, bad := range []string{"a b", "<script>", strings.Repeat("a", 65), "ä"} {
		if got := f.do("GET", "/healthz", "", "X-Request-Id", bad).header.Get("X-Request-Id"); got == bad || got == "" {
			t.Errorf("the id %q became %q", bad, got)
		}
	}
}

func TestTheLogHoldsNoSecrets(t *testing.T) {
	f := start(t)
	f.do("POST", "/v1/events?key="+f.key, `{}`)
	f.do("GET", "/api/v1/projects?token="+f.admin, "")
	f.as(f.admin, "GET", "/api/v1/projects", "")
	f.err = weir.Errorf(weir.EUNAVAILABLE, "down")
	f.do("POST", "/v1/events?key="+f.key, `{}`)
	log := f.log.String()
	if !strings.Contains(log, "/v1/events") {
		t.Fatal("requests are not logged")
	}
	for _, secret := range []string{f.key, f.admin} {
		if strings.Contains(log, secret) {
			t.Error("a secret is logged")
		}
	}
}

func TestAnswersForbidGuessingAtTheirType(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/", "/healthz", "/api/v1/nothing", "/openapi.json"} {
		h := f.do("GET", path, "").header
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s: headers = %v", path, h)
		}
	}
}

func TestRequestsAreMeasuredByRoute(t *testing.T) {
	f := start(t)
	f.as(f.admin, "GET", f.path("/stats/overview"), "")
	f.do("GET", f.path("/stats/overview"), "")
	f.do("GET", "/api/v1/wat/1", "")
	f.do("GET", "/api/v1/wat/2", "")
	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for _, line := range []string{
		`weir_http_requests_total{route="GET /api/v1/projects/{id}/stats/overview",status="200"} 1`,
		`weir_http_requests_total{route="GET /api/v1/projects/{id}/stats/overview",status="401"} 1`,
		`weir_http_requests_total{route="none",status="404"} 2`,
	} {
		if !strings.Contains(m, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

func TestTheOpenAPIDocumentNamesEveryRouteAndWhatItTakes(t *testing.T) {
	f := start(t)
	a := f.do("GET", "/openapi.json", "")
	wantStatus(t, a, 200)
	doc := decode[struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			Security   []map[string][]string
			Parameters []struct{ Name, In string }
			Responses  map[string]any
		}
		Components struct{ Schemas map[string]json.RawMessage }
	}](t, a)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("version = %q", doc.OpenAPI)
	}
	for _, rule := range httpd.Rules() {
		if rule.Method == "OPTIONS" || rule.Need == httpd.Sender || strings.HasSuffix(rule.Path, "{$}") || rule.Path == "/openapi.json" || strings.HasPrefix(rule.Path, "/opentelemetry.proto.") { // gRPC has .proto files
			continue
		}
		op, ok := doc.Paths[rule.Path][strings.ToLower(rule.Method)]
		if !ok {
			t.Errorf("%s %s is not documented", rule.Method, rule.Path)
			continue
		}
		open := rule.Need == httpd.Public || rule.Need == httpd.Session
		if open != (len(op.Security) == 0) {
			t.Errorf("%s %s: security = %v", rule.Method, rule.Path, op.Security)
		}
		if strings.Contains(rule.Path, "{id}") {
			named := false
			for _, p := range op.Parameters {
				named = named || p.Name == "id" && p.In == "path"
			}
			if !named {
				t.Errorf("%s %s does not document id", rule.Method, rule.Path)
			}
		}
	}
	e := string(doc.Components.Schemas["Error"])
	if !strings.Contains(e, `"error"`) {
		t.Errorf("schema of errors = %s", e)
	}
}
