package httpd_test

import (
	"strings"
	"testing"
	"testing/fstest"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func withSnippet(c *httpd.Config) {
	files := built()
	files["weir.js"] = &fstest.MapFile{Data: []byte("plain")}
	files["weir.js.gz"] = &fstest.MapFile{Data: []byte("gzip")}
	files["weir.js.br"] = &fstest.MapFile{Data: []byte("br")}
	c.UI = files
}

func TestAnySiteLoadsTheSnippet(t *testing.T) {
	f := start(t, withSnippet)
	for accept, want := range map[string][2]string{
		"identity":           {"plain", ""},
		"gzip":               {"gzip", "gzip"},
		"gzip, deflate, br":  {"br", "br"},
		"br;q=0, gzip;q=0.5": {"gzip", "gzip"},
	} {
		a := f.do("GET", "/weir.js", "", "Accept-Encoding", accept, "Origin", "https://shop.example")
		wantStatus(t, a, 200)
		h := a.header
		if a.body != want[0] || h.Get("Content-Encoding") != want[1] || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %q, %v", accept, a.body, h)
		}
		if !strings.HasPrefix(h.Get("Content-Type"), "text/javascript") || h.Get("Access-Control-Allow-Origin") != "*" ||
			h.Get("Cross-Origin-Resource-Policy") != "cross-origin" || !strings.Contains(h.Get("Cache-Control"), "public, max-age=3600") {
			t.Errorf("%s: %v", accept, h)
		}
		again := f.do("GET", "/weir.js", "", "Accept-Encoding", accept, "If-None-Match", h.Get("ETag"))
		if again.status != 304 || again.body != "" {
			t.Errorf("%s, asked again: %d %q", accept, again.status, again.body)
		}
		if head := f.do("HEAD", "/weir.js", "", "Accept-Encoding", accept); head.status != 200 || head.body != "" {
			t.Errorf("%s: HEAD = %d %q", accept, head.status, head.body)
		}
	}
}

func TestEachFormOfTheSnippetHasAnETagOfItsOwn(t *testing.T) {
	f := start(t, withSnippet)
	plain := f.do("GET", "/weir.js", "", "Accept-Encoding", "identity").header.Get("ETag")
	if a := f.do("GET", "/weir.js", "", "Accept-Encoding", "gzip", "If-None-Match", plain); a.status != 200 || a.body != "gzip" {
		t.Errorf("who has it plain asks for gzip: %d %q", a.status, a.body)
	}
}

func TestABuildWithoutTheSnippetSaysSo(t *testing.T) {
	f := start(t)
	a := f.do("GET", "/weir.js", "")
	wantError(t, a, 404, weir.ENOTFOUND)
	if !strings.Contains(a.body, "make build") {
		t.Error(a.body)
	}
}
