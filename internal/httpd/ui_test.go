package httpd_test

import (
	"strings"
	"testing"
	"testing/fstest"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

const page = `<!doctype html><script src="/assets/app-1.js"></script>`

func built() fstest.MapFS {
	return fstest.MapFS{
		"index.html":           {Data: []byte(page)},
		"favicon.svg":          {Data: []byte("<svg/>")},
		"assets/app-1.js":      {Data: []byte("plain")},
		"assets/app-1.js.zst":  {Data: []byte("zstd")},
		"assets/app-1.js.gz":   {Data: []byte("gzip")},
		"assets/style-1.css":   {Data: []byte("a{}")},
		"assets/chunks/c-1.js": {Data: []byte("chunk")},
	}
}

func withUI(c *httpd.Config) { c.UI = built() }

func TestTheDashboardsOwnRoutesGetItsPage(t *testing.T) {
	f := start(t, withUI)
	for _, path := range []string{"/", "/index.html", "/login", "/setup", "/invitation", "/reset", "/p/abc", "/p/abc/", "/settings/account", "/p/abc/settings/members", "/second-factor"} {
		a := f.do("GET", path, "")
		wantStatus(t, a, 200)
		if a.body != page || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %q of type %q", path, a.body, a.header.Get("Content-Type"))
		}
		csp := a.header.Get("Content-Security-Policy")
		if !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy = %q", path, csp)
		}
		if a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: Cache-Control = %q", path, a.header.Get("Cache-Control"))
		}
		if again := f.do("GET", path, "", "If-None-Match", a.header.Get("ETag")); again.status != 304 {
			t.Errorf("%s: asked again = %d", path, again.status)
		}
		if head := f.do("HEAD", path, ""); head.status != 200 || head.body != "" {
			t.Errorf("%s: HEAD = %d %q", path, head.status, head.body)
		}
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	f := start(t, withUI)
	for path, want := range map[string][2]string{
		"/assets/app-1.js":      {"plain", "text/javascript"},
		"/assets/style-1.css":   {"a{}", "text/css"},
		"/assets/chunks/c-1.js": {"chunk", "text/javascript"},
	} {
		a := f.do("GET", path, "", "Accept-Encoding", "identity")
		wantStatus(t, a, 200)
		if a.body != want[0] || !strings.HasPrefix(a.header.Get("Content-Type"), want[1]) {
			t.Errorf("%s: %q of type %q", path, a.body, a.header.Get("Content-Type"))
		}
		if !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: Cache-Control = %q", path, a.header.Get("Cache-Control"))
		}
	}
	a := f.do("GET", "/favicon.svg", "")
	if a.body != "<svg/>" || a.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("favicon: %q, %q", a.body, a.header.Get("Cache-Control"))
	}
}

func TestAnAssetIsSentCompressedToWhoReadsThat(t *testing.T) {
	f := start(t, withUI)
	for accept, want := range map[string][2]string{
		"gzip, zstd":          {"zstd", "zstd"},
		"gzip, br":            {"gzip", "gzip"},
		"zstd;q=0, gzip;q=.5": {"gzip", "gzip"},
		"br":                  {"plain", ""},
	} {
		a := f.do("GET", "/assets/app-1.js", "", "Accept-Encoding", accept)
		if a.body != want[0] || a.header.Get("Content-Encoding") != want[1] || a.header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %q, %v", accept, a.body, a.header)
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/javascript") {
			t.Errorf("%s: type %q", accept, a.header.Get("Content-Type"))
		}
	}
}

func TestAMissingFileIsNotThePage(t *testing.T) {
	f := start(t, withUI)
	for _, path := range []string{"/assets/app-0.js", "/assets/nothing", "/assets/", "/assets-of-mine", "/robots.txt", "/wp-login.php"} {
		wantError(t, f.do("GET", path, ""), 404, weir.ENOTFOUND)
	}
}

func TestWithoutADashboardAPageSaysHowToBuildIt(t *testing.T) {
	for name, ui := range map[string]fstest.MapFS{"no files": nil, "no index": {"placeholder": {}}} {
		f := start(t, func(c *httpd.Config) {
			if ui != nil {
				c.UI = ui
			}
		})
		a := f.do("GET", "/", "")
		wantStatus(t, a, 200)
		if !strings.Contains(a.body, "make build") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}
