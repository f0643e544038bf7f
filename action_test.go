package weir_test

import (
	"regexp"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func TestAStarOfAPathIsAnyTextWithoutASlash(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"/blog/*", "/blog/a", true},
		{"/blog/*", "/blog/", true},
		{"/blog/*", "/blog/a/b", false},
		{"/blog/*", "/x/blog/a", false},
		{"/blog/**", "/blog/a/b", true},
		{"/blog/**", "/blog/a\nb", true},
		{"/*/edit", "/7/edit", true},
		{"/*/edit", "/7/8/edit", false},
		{"**.pdf", "/a/b.pdf", true},
		{"/a.b*", "/axb", false},
		{"/(a|b)*", "/(a|b)c", true},
		{"/***", "/a/b", true},
	} {
		pattern, ok := weir.ActionEvent{Path: c.pattern}.PathPattern()
		if got := regexp.MustCompile(pattern).MatchString(c.path); !ok || got != c.want {
			t.Errorf("%s of %q: %t, want %t (%s)", c.pattern, c.path, got, c.want, pattern)
		}
	}
	if _, ok := (weir.ActionEvent{Path: "/pricing"}).PathPattern(); ok {
		t.Error("a path without a star is a pattern")
	}
}

func TestAnActionIsRefusedForWhatIsWrongWithIt(t *testing.T) {
	good := []weir.ActionEvent{{Event: "purchase"}, {Path: "/thanks"}, {Filter: weir.Filter{{Column: "bot", Op: "=", Values: []string{"true"}}}}}
	for name, spec := range map[string]weir.ActionSpec{
		"no name":                 {Any: good},
		"a long name":             {Name: strings.Repeat("ä", 101), Any: good},
		"no events":               {Name: "x"},
		"too many":                {Name: "x", Any: make([]weir.ActionEvent, 11)},
		"an empty one":            {Name: "x", Any: []weir.ActionEvent{{}}},
		"a path without a slash":  {Name: "x", Any: []weir.ActionEvent{{Path: "blog"}}},
		"an action in an action":  {Name: "x", Any: []weir.ActionEvent{{Filter: weir.Filter{{Column: "action", Op: "=", Values: []string{"y"}}}}}},
		"a filter without values": {Name: "x", Any: []weir.ActionEvent{{Filter: weir.Filter{{Column: "path", Op: "="}}}}},
		"a currency alone":        {Name: "x", Any: good, Revenue: &weir.ActionRevenue{Currency: "EUR"}},
		"a value alone":           {Name: "x", Any: good, Revenue: &weir.ActionRevenue{Value: new(1.0)}},
		"a value below 0":         {Name: "x", Any: good, Revenue: &weir.ActionRevenue{Value: new(-1.0), Currency: "EUR"}},
	} {
		if _, err := spec.Normal(); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v, want EINVALID", name, err)
		}
	}
	for _, revenue := range []*weir.ActionRevenue{nil, {}, {Value: new(0.0), Currency: "EUR"}} {
		if s, err := (weir.ActionSpec{Name: " x ", Any: good, Revenue: revenue}).Normal(); err != nil || s.Name != "x" {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
