package httpd_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/httpd"
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
