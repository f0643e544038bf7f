package httpd_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weir-analytics/weir/internal/httpd"
)

// at asks under a host, as a page on it would.
func (f *fixture) at(host, method, path, body string, more ...string) answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Host = host
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(text)}
}

// What is for pages of any site, and for operators' machines, has any host. All else
// is the server's own.
func TestAnotherHostSeesNothingButWhatIsForAll(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.LiveFor = 1
		c.UI = fstest.MapFS{"index.html": {Data: []byte("<html>")}, "weir.js": {}, "assets/a.js": {}}
	})
	path := strings.NewReplacer("{id}", f.shop.ID, "{$}", "", "{key}", "nothing", "{date}", "2026-03-09", "{alert}", "nothing", "{token}", "made-up", "{profile}", "p")
	for _, rule := range httpd.Rules() {
		body := bodies[rule.Method+" "+rule.Path]
		a := f.at("rebound.example:8080", rule.Method, path.Replace(rule.Path), body, "Authorization", "Bearer "+f.admin)
		forAll := rule.Need == httpd.Public || rule.Need == httpd.Scraper || rule.Need == httpd.WriteKey || rule.Need == httpd.Sender
		if (a.status == 421) == forAll {
			t.Errorf("%s %s: %d %s", rule.Method, rule.Path, a.status, a.body)
		}
	}
	for _, file := range []string{"/", "/setup", "/assets/a.js"} {
		wantError(t, f.at("rebound.example:8080", "GET", file, ""), 421, "misdirected")
		wantStatus(t, f.do("GET", file, ""), 200)
	}
	a := f.at("rebound.example", "POST", "/api/v1/setup", setup, "Origin", "http://rebound.example")
	if a.status != 421 || !strings.Contains(a.body, "--public-url") || !strings.Contains(a.body, "rebound.example") {
		t.Errorf("the refusal does not say what to do: %d %s", a.status, a.body)
	}
}

func TestHostsOfTheServer(t *testing.T) {
	public, err := url.Parse("https://weir.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*httpd.Config)
		takes  []string
		not    []string
	}{
		"on loopback": {
			func(*httpd.Config) {},
			[]string{"localhost", "LOCALHOST:8080", "weir.localhost", "localhost.", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "[::1]", "[::ffff:127.0.0.1]:1"},
			[]string{"weir.example.com", "localhost.example.com", "notlocalhost", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0", "[::]", "[2001:db8::1]:80", "", ":80", "example.com."},
		},
		"at a public address": {
			func(c *httpd.Config) { c.PublicURL = public },
			[]string{"weir.example.com", "Weir.Example.com:443", "weir.example.com.", "localhost:8080", "127.0.0.1"},
			[]string{"example.com", "x.weir.example.com", "weir.example.com.evil.example", "192.0.2.1"},
		},
		"at any": {
			func(c *httpd.Config) { c.AnyHost = true },
			[]string{"weir.example.com", "anything", "192.0.2.1:80"},
			nil,
		},
	} {
		f := start(t, c.change)
		for _, host := range c.takes {
			if a := f.at(host, "GET", "/api/v1/session", ""); a.status != 200 {
				t.Errorf("%s: %q is refused: %d %s", name, host, a.status, a.body)
			}
		}
		for _, host := range c.not {
			if host == "" {
				continue // the client would send the address
			}
			if a := f.at(host, "GET", "/api/v1/session", "", "X-Forwarded-Host", "localhost"); a.status != 421 {
				t.Errorf("%s: %q is taken: %d %s", name, host, a.status, a.body)
			}
		}
	}
}

// A proxy that does not pass the Host on, and a browser that says its origin only.
func TestTheOriginOfThePublicAddressIsTheServersOwn(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.PublicURL = &url.URL{Scheme: "https", Host: "weir.example.com:8443"} })
	login := `{"email":"none@example.org","password":"correct horse"}`
	wantStatus(t, f.at("127.0.0.1:8080", "POST", "/api/v1/login", login, "Origin", "https://weir.example.com:8443"), 401)
	for _, origin := range []string{"https://weir.example.com", "http://weir.example.com:8443", "https://evil.example"} {
		wantStatus(t, f.at("127.0.0.1:8080", "POST", "/api/v1/login", login, "Origin", origin), 403)
	}
}
