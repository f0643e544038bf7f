package httpd_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/metricstest"
)

func loopback(a netip.Addr) bool { return a.IsLoopback() }

func TestTheClientIsTheLastHopThatIsNoTrustedProxy(t *testing.T) {
	for _, c := range []struct {
		peer, forwarded, want string
	}{
		{"127.0.0.1", "", "127.0.0.1"},
		{"127.0.0.1", "198.51.100.7", "198.51.100.7"},
		{"127.0.0.1", "10.0.0.1, 198.51.100.7", "198.51.100.7"}, // the first was the client's own word
		{"127.0.0.1", "198.51.100.7, 127.0.0.1, ::1", "198.51.100.7"},
		{"127.0.0.1", "198.51.100.7:4711", "198.51.100.7"},
		{"127.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"},
		{"127.0.0.1", "2001:db8::1", "2001:db8::1"},
		{"127.0.0.1", "fe80::1%eth0", "fe80::1"},
		{"127.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"},
		{"127.0.0.1", "198.51.100.7, unknown", "127.0.0.1"},
		{"127.0.0.1", "198.51.100.7, unknown, 127.0.0.2", "127.0.0.2"},
		{"127.0.0.1", ",", "127.0.0.1"},
	} {
		got := httpd.ForwardedFor([]string{c.forwarded}, netip.MustParseAddr(c.peer), loopback)
		if got.String() != c.want {
			t.Errorf("%s from %q: %v, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestForwardedHeadersOfAnUntrustedPeerAreIgnored(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	f.do("POST", "/v1/events", "x", "X-Weir-Key", f.key, "X-Forwarded-For", "198.51.100.7", "X-Forwarded-Proto", "https")
	if got := f.remotes[0].IP; got != "127.0.0.1" {
		t.Errorf("address = %q, want the peer's", got)
	}
	a := f.do("POST", "/api/v1/setup", setup, "X-Forwarded-Proto", "https")
	if strings.Contains(a.header.Get("Set-Cookie"), "Secure") {
		t.Error("a stranger's X-Forwarded-Proto counts")
	}
}

func TestAProxyThatIsNotTrustedIsCountedAndNamedOnce(t *testing.T) {
	var log bytes.Buffer
	reg := prometheus.NewRegistry()
	f := start(t, func(c *httpd.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		c.Logger, c.Metrics = slog.New(slog.NewTextHandler(&log, nil)), reg
	})
	for range 3 {
		f.do("POST", "/v1/events", "x", "X-Weir-Key", f.key, "X-Forwarded-For", "198.51.100.7")
	}
	f.do("POST", "/v1/events", "x", "X-Weir-Key", f.key)
	if n := metricstest.Gather(t, reg)["weir_http_untrusted_proxy_total"]; n != 3 {
		t.Errorf("%v requests are counted, want 3", n)
	}
	if n := strings.Count(log.String(), "name it in --trusted-proxies"); n != 1 || !strings.Contains(log.String(), "address=127.0.0.1") {
		t.Errorf("%d warnings in %s", n, log.String())
	}
}

func TestTheOriginMayBeTheHostThatATrustedProxySays(t *testing.T) {
	login := `{"email":"none@example.org","password":"correct horse"}`
	for _, c := range []struct {
		trusted, forwarded, origin, site string
		want                             int
	}{
		{"127.0.0.0/8", "weir.example.com", "http://weir.example.com", "", 401},
		{"127.0.0.0/8", "evil.example, weir.example.com:8443", "http://WEIR.example.com:8443", "", 401},
		{"127.0.0.0/8", "weir.example.com, proxy.example", "http://weir.example.com", "", 403},
		{"127.0.0.0/8", "weir.example.com", "https://evil.example", "", 403},
		{"127.0.0.0/8", "weir.example.com", "null", "", 403},
		{"127.0.0.0/8", "evil.example", "https://evil.example", "cross-site", 403},
		{"127.0.0.0/8", "", "http://weir.example.com", "", 403},
		{"10.0.0.0/8", "weir.example.com", "http://weir.example.com", "", 403},
	} {
		f := start(t, func(cfg *httpd.Config) { cfg.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(c.trusted)} })
		headers := []string{"Origin", c.origin}
		if c.forwarded != "" {
			headers = append(headers, "X-Forwarded-Host", c.forwarded)
		}
		if c.site != "" {
			headers = append(headers, "Sec-Fetch-Site", c.site)
		}
		if a := f.at("127.0.0.1:8080", "POST", "/api/v1/login", login, headers...); a.status != c.want {
			t.Errorf("%+v: status %d", c, a.status)
		}
	}
}

func FuzzForwardedFor(f *testing.F) {
	f.Add("198.51.100.7, 127.0.0.1")
	f.Add("[::1]:80,::ffff:127.0.0.1,x")
	f.Add(",,,")
	f.Fuzz(func(t *testing.T, s string) {
		peer := netip.MustParseAddr("127.0.0.1")
		got := httpd.ForwardedFor([]string{s}, peer, loopback)
		if !got.IsValid() || got.Zone() != "" || got.Is4In6() {
			t.Fatalf("%q: %v", s, got)
		}
		// What a client puts before a trusted hop changes nothing after an
		// untrusted one.
		got2 := httpd.ForwardedFor([]string{"203.0.113.1, " + s + ", 198.51.100.7"}, peer, loopback)
		if got2 != netip.MustParseAddr("198.51.100.7") {
			t.Fatalf("%q spoofs %v", s, got2)
		}
		// Several headers are one list.
		parts := strings.Split(s, ",")
		if got3 := httpd.ForwardedFor(slices.Clone(parts), peer, loopback); got3 != got {
			t.Fatalf("%q: %v in one header, %v in several", s, got, got3)
		}
	})
}
