package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// ok answers 404 where a path says so.
var ok = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "missing") {
		w.WriteHeader(http.StatusNotFound)
	}
})

func TestACallBelowAPatternThatEndsInASlashHasAFormOfTheRest(t *testing.T) {
	inner := http.NewServeMux()
	inner.Handle("GET /users/{id}", ok)
	inner.Handle("/exact", ok)
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", inner))
	mux.Handle("GET /tenants/{tenant}/", ok)
	mux.Handle("/files/{path...}", ok)
	mux.Handle("/{$}", ok)
	mux.Handle("example.com/", ok)
	mux.Handle("/café/", ok)
	mux.Handle("/a%2Fb/", ok)
	mux.Handle("/nested/", inner)
	inner.Handle("/nested/users/{id}", ok)
	f := &fake{}
	c := to(t, f, nil)
	h := c.Record(mux)
	for path, want := range map[string]string{
		"/api/users/42":               "/api/users/{id} 200",
		"/api/exact":                  "/api/exact 200",
		"/api/missing":                "/api/* 404",
		"/api":                        "/api/ 307",
		"/tenants/7/":                 "/tenants/{tenant}/ 200",
		"/tenants/7/orders/9":         "/tenants/{tenant}/orders/{id} 200",
		"/tenants/a%2Fb/orders/9":     "/tenants/{tenant}/orders/{id} 200",
		"/tenants/7/a/b/c/d/e/f/g/h":  "/tenants/{tenant}/a/b/c/d/e/f/* 200",
		"/files/2024/report.pdf":      "/files/{path...} 200",
		"/":                           "/{$} 200",
		"http://example.com/":         "example.com/ 200",
		"http://example.com/users/42": "example.com/users/{id} 200",
		"http://example.com/missing":  "example.com/* 404",
		"/caf%C3%A9/menu":             "/café/menu 200",
		"/a%2Fb/42":                   "/a%2Fb/{id} 200",
		"/nested/users/7":             "/nested/users/{id} 200",
		"/nested/users":               "other 404",
		"/nowhere":                    "other 404",
	} {
		r := httptest.NewRequest("GET", path, nil)
		if !strings.HasPrefix(path, "http:") {
			r.Host = "elsewhere"
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
		if err := c.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := f.all()
		if last := all[len(all)-1].Call; fmt.Sprintf("%s %d", last.Route, last.Status) != want {
			t.Errorf("%s is %s %d, want %s", path, last.Route, last.Status, want)
		}
	}
}

func TestACallOfARouterThatIsMountedAtTheRootHasAForm(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", ok)
	s := record(t, mux)
	for _, path := range []string{"/", "/users/42", "/missing"} {
		s.get(path)
	}
	s.want("GET / 200", "GET /users/{id} 200", "GET other 404")
}

func TestACallRecordedBehindStripPrefixHasThePatternAndTheRest(t *testing.T) {
	f := &fake{}
	c := to(t, f, nil)
	mux := http.NewServeMux()
	mux.Handle("/api/", http.StripPrefix("/api", c.Record(ok)))
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/api/users/42", nil))
	shut(t, c)
	if all := f.all(); len(all) != 1 || all[0].Call.Route != "/api/users/{id}" {
		t.Errorf("recorded %+v", all)
	}
}

func TestFormsBelowPatternsAreBounded(t *testing.T) {
	f := &fake{}
	c := to(t, f, nil)
	mux := http.NewServeMux()
	mux.Handle("/api/", ok)
	mux.Handle("/v1/", ok)
	h := c.Record(mux)
	ask := func(path string) { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)) }
	word := func(i int) string { return strings.Repeat("x", i%30) + fmt.Sprintf("%c", 'a'+i/30) }
	for i := range 500 {
		ask("/api/missing/" + word(i))
	}
	ask("/v1/users")
	for i := range 500 {
		ask("/api/real/" + word(i))
	}
	ask("/api/real/" + word(0))
	ask("/v1/users")
	ask("/v1/orders")
	shut(t, c)
	routes := map[string]int{}
	for _, e := range f.all() {
		routes[e.Call.Route]++
	}
	if len(routes) != 202 || routes["/api/*"] != 500+301 || routes["/v1/users"] != 2 || routes["/v1/*"] != 1 || routes["/api/real/"+word(0)] != 2 {
		t.Errorf("%d routes, %d /api/*, %d /v1/*", len(routes), routes["/api/*"], routes["/v1/*"])
	}
}
