package weir_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestAnAddressFilterHasOneForm(t *testing.T) {
	for want, spellings := range map[string][]string{
		"203.0.113.5":    {"203.0.113.5", "203.0.113.5/32", "::ffff:203.0.113.5", "::FFFF:cb00:7105", "::ffff:203.0.113.5/128", "[::ffff:203.0.113.5]", " 203.0.113.5 "},
		"203.0.113.0/24": {"203.0.113.0/24", "203.0.113.77/24", "::ffff:203.0.113.0/120", "::ffff:cb00:7105/120"},
		"2001:db8::5":    {"2001:db8::5", "2001:DB8:0:0:0:0:0:5", "[2001:db8::5]", "2001:db8::5/128", "2001:db8::5%eth0"},
		"2001:db8::/48":  {"2001:db8::/48", "2001:DB8:0:1::5/48"},
		"fe80::/10":      {"fe80::1/10"},
	} {
		for _, s := range spellings {
			f, err := weir.ParseAddressFilters([]string{s})
			if err != nil || !slices.Equal(f.Strings(), []string{want}) {
				t.Errorf("%q: %v, %v; want %s", s, f.Strings(), err, want)
			}
		}
	}
	f, err := weir.ParseAddressFilters([]string{"2001:db8::/48", "::ffff:203.0.113.5", "10.0.0.0/8", "203.0.113.5/32"})
	if d := cmp.Diff([]string{"10.0.0.0/8", "203.0.113.5", "2001:db8::/48"}, f.Strings()); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	for _, s := range []string{
		"", "-", "office", "203.0.113.0/33", "203.0.113.0/-1", "203.0.113.0/", "/24", "203.0.113/24", "203.0.113.*", "2001:db8::/129", "fe80::1%eth0/64",
		"203.0.113.5, 203.0.113.6", "::ffff:0.0.0.0/90", "0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96", strings.Repeat(" 1", 60),
	} {
		if f, err := weir.ParseAddressFilters([]string{"10.0.0.1", s}); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%q: %v, %v; want it refused", s, f.Strings(), err)
		}
	}
	many := make([]string, weir.MaxAddressFilters+1)
	for i := range many {
		many[i] = fmt.Sprintf("10.0.%d.%d", i/256, i%256)
	}
	if _, err := weir.ParseAddressFilters(many[1:]); err != nil {
		t.Error(err)
	}
	if _, err := weir.ParseAddressFilters(many); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("%d filters: %v", len(many), err)
	}
}

func TestAnAddressFilterMatchesEachSpellingOfItsAddresses(t *testing.T) {
	f, err := weir.ParseAddressFilters([]string{"203.0.113.0/28", "::ffff:198.51.100.7", "2001:db8:5::/48"})
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[string]bool{
		"203.0.113.0": true, "203.0.113.15": true, "203.0.113.16": false, "203.0.112.255": false, "::ffff:203.0.113.5": true, "[::ffff:cb00:7105]:443": true,
		"203.0.113.5:4001": true, "203.0.113.5, 10.0.0.1": true, "10.0.0.1, 203.0.113.5": true, "198.51.100.7": true, "198.51.100.8": false,
		"2001:DB8:5:0:0:0:0:1": true, "[2001:db8:5:ffff::1%eth0]:80": true, "2001:db8:6::1": false, "::203.0.113.5": false,
	} {
		a, ok := weir.ParseAddress(s)
		if !ok || f.Match(a) != want {
			t.Errorf("%s: %v, want %v", s, f.Match(a), want)
		}
	}
}
