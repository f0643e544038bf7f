package httpd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestUnknownPathIsNotFound(t *testing.T) {
	f := start(t, withUI)
	for _, path := range []string{
		"/j/collect", "/collect?v=1&t=pageview", "/analytics.js", "/gtag/js", "/ingest/e/", "/proxy/api/event", "/foo", "/assets-of-mine",
		"/projects/abc/live", "/p", "/p/", "/p/abc/more", "/login/more", "/script.js", "/batch.php", "/index.htm", "/api", "/v1/nothing",
	} {
		for _, method := range []string{"GET", "POST", "PUT"} {
			a := f.do(method, path, "")
			wantError(t, a, 404, weir.ENOTFOUND)
			if strings.Contains(a.body, "<html") || strings.Contains(a.body, "<!doctype") {
				t.Errorf("%s %s: answered with a page", method, path)
			}
		}
	}
}

func TestTrackerAtAnUnknownPathIsCountedAndLoggedOnce(t *testing.T) {
	f := start(t, withUI)
	for _, call := range []string{
		"POST /ingest/batch/", "GET /ingest/e/?data=x", "POST /proxy/api/event", "POST " + strings.Repeat("/p", 2000) + "/batch",
		"POST /j/collect", "GET /stats/collect?v=2", "OPTIONS /j/collect",
		"POST /somewhere",
		"GET /wp-login.php", "GET /favicon.png", "POST /api/v1/projects/x/events/y", // no tracker's
	} {
		method, path, _ := strings.Cut(call, " ")
		a := f.do(method, path, "", "Origin", "https://shop.example")
		wantStatus(t, a, 404)
		tracker := !strings.Contains(path, "wp-login") && !strings.Contains(path, "favicon") && !strings.HasPrefix(path, "/api/v1")
		if got := a.header.Get("Access-Control-Allow-Origin") != ""; got != tracker {
			t.Errorf("%s: a page sees the status = %v, want %v", call, got, tracker)
		}
	}
	metrics := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for kind, want := range map[string]string{"prefixed": "4", "named": "3", "post": "1"} {
		if line := `weir_http_stray_requests_total{kind="` + kind + `"} ` + want + "\n"; !strings.Contains(metrics, line) {
			t.Errorf("no %s", line)
		}
		if n := strings.Count(f.log.String(), `"kind":"`+kind+`"`); n != 1 {
			t.Errorf("%d log lines of kind %s, want 1", n, kind)
		}
	}
}

func TestServerKnowsEachRouteOfTheDashboard(t *testing.T) {
	parents := map[string]string{"root": "", "app": "", "settings": "/settings", "projectSettings": "/p/abc/settings"}
	var found [][][]byte
	for _, file := range []string{"../../web/src/router.tsx", "../../web/src/settings/routes.ts"} {
		routes, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, regexp.MustCompile(`getParentRoute: \(\) => (\w+),\s+path: '([^']+)'`).FindAllSubmatch(routes, -1)...)
	}
	if len(found) < 20 {
		t.Fatalf("the router has %d paths", len(found))
	}
	for _, m := range found {
		parent, ok := parents[string(m[1])]
		if !ok {
			t.Fatalf("unknown parent %s of %s", m[1], m[2])
		}
		path := parent + regexp.MustCompile(`\$\w+`).ReplaceAllString(string(m[2]), "abc")
		if !httpd.IsDashboardRoute(path) {
			t.Errorf("%s is a route of the dashboard and answers 404: add it to pages or projectPages", path)
		}
	}
}
