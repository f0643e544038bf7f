package httpd_test

import (
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weir-analytics/weir/internal/httpd"
)

func TestEverythingIsServedBelowThePublicPathToo(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.PublicURL = &url.URL{Scheme: "https", Host: "example.com", Path: "/tools/weir/"}
		c.UI = fstest.MapFS{"index.html": {Data: []byte("<html><head><title>Weir</title></head>")}, "assets/a.js": {Data: []byte("a")}}
	})
	for _, base := range []string{"/tools/weir", ""} {
		for path, want := range map[string]string{
			"/healthz": `"ok"`, "/assets/a.js": "a", "/": `<head><base href="/tools/weir/">`, "/p/x": `<head><base href="/tools/weir/">`,
			"/api/v1/session": `"setup_required"`, "/openapi.json": `"openapi"`,
		} {
			if a := f.do("GET", base+path, ""); a.status != 200 || !strings.Contains(a.body, want) {
				t.Errorf("%s%s: %d %.200s", base, path, a.status, a.body)
			}
		}
		wantStatus(t, f.do("POST", base+"/v1/events?key="+f.key, `{"name":"x"}`), 200)
		a := f.do("GET", base+"/api/v1/projects/"+f.shop.ID+"/columns/a%2Fb/values", "", "Authorization", "Bearer "+f.admin)
		if a.status != 200 {
			t.Errorf("an escaped part below %q: %d %s", base, a.status, a.body)
		}
	}
	for _, path := range []string{"/tools/weird/healthz", "/tools", "/tools/healthz", "/tools/weir/tools/weir/healthz", "/x/tools/weir/healthz"} {
		wantStatus(t, f.do("GET", path, ""), 404)
	}
	wantStatus(t, f.do("GET", "/tools/weir", ""), 200)
}

func TestMetricsTakeAnAdministratorUnlessTheyAreOpen(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.OpenMetrics = false })
	wantStatus(t, f.do("GET", "/metrics", ""), 401)
	wantStatus(t, f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.key), 403)
	wantStatus(t, f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin), 200)
	wantStatus(t, f.at("prometheus.example", "GET", "/metrics", "", "Authorization", "Bearer "+f.admin), 200)
	open := start(t, func(c *httpd.Config) { c.OpenMetrics = true })
	wantStatus(t, open.do("GET", "/metrics", ""), 200)
}

// What is somebody's own is kept by no cache on the way, whatever its handler says.
func TestPrivateAnswersAreNotStored(t *testing.T) {
	f := start(t)
	path := strings.NewReplacer("{id}", f.shop.ID, "{$}", "", "{key}", "nothing", "{date}", "2026-03-09", "{alert}", "nothing", "{token}", "made-up", "{profile}", "p")
	for _, rule := range httpd.Rules() {
		if rule.Need == httpd.Public || rule.Need == httpd.Scraper || rule.Need == httpd.WriteKey || rule.Need == httpd.Sender || strings.HasSuffix(rule.Path, "/live") {
			continue
		}
		a := f.do(rule.Method, path.Replace(rule.Path), bodies[rule.Method+" "+rule.Path], "Authorization", "Bearer "+f.admin)
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s %s (%d): Cache-Control %q", rule.Method, rule.Path, a.status, got)
		}
	}
}
