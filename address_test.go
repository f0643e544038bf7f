package weir_test

import (
	"net/netip"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestAnAddressHasOneForm(t *testing.T) {
	for want, spellings := range map[string][]string{
		"203.0.113.5": {
			"203.0.113.5", "203.0.113.5:4001", "203.0.113.5:", " 203.0.113.5\t", `"203.0.113.5:80"`, "::ffff:203.0.113.5", "::FFFF:203.0.113.5", "::ffff:cb00:7105",
			"[::ffff:203.0.113.5]", "[::ffff:203.0.113.5]:443", "203.0.113.5, 10.0.0.1", "203.0.113.5,10.0.0.1:80", "10.0.0.1, 203.0.113.5", "unknown, 203.0.113.5",
			", 203.0.113.5 ,", "203.0.113.5:4001, 70.41.3.18", "::ffff:203.0.113.5, ::1", "[203.0.113.5]:80",
		},
		"2001:db8::5": {
			"2001:db8::5", "2001:DB8:0:0:0:0:0:5", "2001:0db8:0000:0000:0000:0000:0000:0005", "[2001:db8::5]", "[2001:db8::5]:443", "2001:db8::5%eth0", "[2001:db8::5%25eth0]:443",
			`"[2001:db8::5]:4711"`, " [2001:DB8::5] ", "2001:db8::5, 192.168.1.1", "fd00::1, 2001:db8::5",
		},
		"10.1.2.3": {"10.1.2.3", "10.1.2.3, 10.0.0.1", "10.1.2.3:80, unknown"},
		"fe80::1":  {"fe80::1%en0", "[fe80::1%25en0]"},
	} {
		for _, s := range spellings {
			if got := weir.Address(s); got != want {
				t.Errorf("%q: %q, want %q", s, got, want)
			}
		}
	}
	for _, s := range []string{"", "-", "unknown", "host.example", "host.example:80", "203.0.113.5:http", "203.0.113.5:123456", "[2001:db8::5", "[2001:db8::5]x", "1.2.3", "a, b", strings.Repeat("1.1.1.1,", 200)} {
		if a, ok := weir.ParseAddress(s); ok {
			t.Errorf("%q: %s, want none", s, a)
		}
		if got := weir.Address(s); got != s {
			t.Errorf("%q: %q, want it as it is", s, got)
		}
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("[2001:DB8::5%eth0]:80, 10.0.0.1")
	f.Add("::ffff:203.0.113.5")
	f.Fuzz(func(t *testing.T, s string) {
		a, ok := weir.ParseAddress(s)
		if !ok {
			return
		}
		if b, err := netip.ParseAddr(a.String()); err != nil || a != b || a.Is4In6() || a.Zone() != "" {
			t.Errorf("%q: %s is not the one form of an address", s, a)
		}
		if weir.Address(a.String()) != a.String() {
			t.Errorf("%q: %s changes when it is read again", s, a)
		}
	})
}
