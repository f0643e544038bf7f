package httpd_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/httpd"
)

// Segment has too many routes to write down each.
var _ = func() bool {
	const call = `{"type":"track","event":"paid","userId":"u1","messageId":"m1"}`
	for _, prefix := range []string{"/v1/", "/api/s/", "/api/s/s2s/"} {
		for _, name := range []string{"track", "identify", "page", "screen", "group", "alias", "t", "i", "p", "s", "g", "a"} {
			if prefix == "/v1/" || len(name) > 1 {
				vendorCalls["POST "+prefix+name] = vendorCall{
					headers: []string{"Authorization", "Basic BASIC"}, body: `{"event":"paid","userId":"u1","previousId":"u0","groupId":"g1","messageId":"m1"}`,
				}
			}
		}
		for _, name := range []string{"batch", "b", "import"} {
			if prefix == "/v1/" || name == "batch" {
				vendorCalls["POST "+prefix+name] = vendorCall{body: `{"batch":[` + call + `],"writeKey":"NAME"}`}
			}
		}
	}
	vendorCalls["POST /beacon/v1/batch"] = vendorCall{path: "?writeKey=NAME", body: `{"batch":[` + call + `]}`}
	quietRoutes["POST /v1/m"] = true
	for _, path := range []string{"/v1/projects/{token}/settings", "/sourceConfig", "/cluster-info", "/analytics.js/v1/{token}/analytics.min.js", "/analytics-next/bundles/{file}"} {
		quietRoutes["GET "+path] = true
	}
	return true
}()

func TestAnalyticsNextIsToldToDeliverToWeirOnly(t *testing.T) {
	f := start(t)
	a := f.do("GET", "/v1/projects/wk_any/settings", "", "Origin", "https://shop.example")
	var settings struct {
		Integrations map[string]struct{ APIKey, APIHost, Protocol string }
	}
	if err := json.Unmarshal([]byte(a.body), &settings); err != nil || a.status != 200 {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	s := settings.Integrations["Segment.io"]
	if len(settings.Integrations) != 1 || s.APIKey != "wk_any" || !strings.HasSuffix(s.APIHost, "/v1") || s.APIHost == "/v1" || s.Protocol != "http" {
		t.Errorf("%s", a.body)
	}
	if a.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("%v", a.header)
	}
	a = f.do("GET", "/v1/projects/wk_any/settings", "", "X-Forwarded-Proto", "https")
	if !strings.Contains(a.body, `"protocol":"https"`) {
		t.Errorf("behind a proxy: %s", a.body)
	}
}

func TestSegmentsSnippetFindsItsScript(t *testing.T) {
	f := start(t)
	for path, word := range map[string]string{
		"/analytics.js/v1/wk_any/analytics.min.js":                             "/analytics-next/bundles/",
		"/analytics-next/bundles/auto-track.bundle.f131ce01a05e3a33a8c1.js":    "webpackChunk",
		"/analytics-next/bundles/queryString.bundle.34b193ada8fe288d1bd1.js":   "ajs_uid",
		"/analytics-next/bundles/ajs-destination.bundle.40628baed746e9904e.js": "",
		"/analytics-next/bundles/..%2fstandalone.js":                           "",
	} {
		a := f.do("GET", path, "", "Origin", "https://shop.example")
		if word == "" {
			if a.status != 404 || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %v", path, a.status, a.header)
			}
			continue
		}
		if a.status != 200 || !strings.Contains(a.body, word) || !strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") ||
			!strings.HasPrefix(a.header.Get("Cache-Control"), "public") || a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %d %v %.80s", path, a.status, a.header, a.body)
		}
		if a := f.do("GET", path, "", "If-None-Match", a.header.Get("ETag")); a.status != 304 || a.body != "" {
			t.Errorf("%s, known: %d", path, a.status)
		}
		if a := f.do("GET", path, "", "Accept-Encoding", "gzip"); a.status != 200 || a.header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(a.body, "\x1f\x8b") {
			t.Errorf("%s in gzip: %d %v", path, a.status, a.header)
		}
	}
}

func TestRudderStacksSDKGetsSettingsOfASourceWithoutDestinations(t *testing.T) {
	f := start(t)
	a := f.do("GET", "/sourceConfig/?p=npm&v=3.34.1&build=modern&writeKey=wk_any", "", "Origin", "https://shop.example", "Authorization", "Basic d2tfYW55Og==")
	var settings struct {
		Source struct {
			ID, Name, WorkspaceID string
			Enabled               bool
			Config                map[string]any
			Destinations          []any
		}
	}
	err := json.Unmarshal([]byte(a.body), &settings)
	if s := settings.Source; err != nil || a.status != 200 || s.ID == "" || !s.Enabled || s.Config == nil || s.Destinations == nil || len(s.Destinations) > 0 {
		t.Errorf("%d %s: %v", a.status, a.body, err)
	}
	if a.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Errorf("%v", a.header)
	}
	if a := f.do("GET", "/cluster-info", ""); a.status != 200 || a.body != `{"nodeCount":1}` {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestSegmentsErrorsSayWhatIsWrong(t *testing.T) {
	f := start(t)
	for _, c := range []struct {
		body, want string
		status     int
	}{
		{`{"batch":`, `"code":"invalid"`, 400},
		{`{"batch":{}}`, `batch: want an array of calls`, 400},
		{`[]`, `"success":false`, 400},
		{``, `"success":false`, 400},
		{`{"batch":[],"writeKey":"wk_nobody"}`, `"code":"unauthorized"`, 401},
	} {
		if a := f.do("POST", "/v1/batch", c.body); a.status != c.status || !strings.Contains(a.body, c.want) || !json.Valid([]byte(a.body)) {
			t.Errorf("%s: %d %s", c.body, a.status, a.body)
		}
	}
}

func TestABodyOverTheServersLimitIsTooLargeRatherThanWrong(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.MaxIngestBody = 10 })
	for _, path := range []string{"/v1/batch", "/mp/collect"} {
		if a := f.do("POST", path, `{"batch":[],"events":[]}`); a.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
