package enrich_test

import (
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
)

func TestPathHasOneSpellingOfItsEscapes(t *testing.T) {
	e := open(t, enrich.Options{})
	for want, spellings := range map[string][]string{
		"/م":         {"/%D9%85", "/%d9%85", "/%D9%85", "/م"},
		"/café":      {"/caf%C3%A9", "/caf%c3%a9", "/café"},
		"/~user":     {"/%7Euser", "/%7euser", "/~user", "/~%75se%72"},
		"/a%2Fb":     {"/a%2fb", "/a%2Fb"},         // no separator
		"/a%20b%3F":  {"/a%20b%3f", "/%61%20b%3F"}, // reserved characters stay escaped
		"/100%25":    {"/100%25", "/%3100%25"},     // and so does the percent sign
		"/%FF%C3":    {"/%ff%c3", "/%FF%C3"},       // no UTF-8
		"/%C3é":      {"/%c3%c3%a9", "/%C3é"},      // partly UTF-8
		"/%0A%C2%85": {"/%0a%c2%85"},               // control characters
		"/%E2%80%A8": {"/%e2%80%a8"},               // a space
		"/%ED%A0%80": {"/%ed%a0%80", "/%ED%A0%80"}, // half of a surrogate pair
		"/%zz%":      {"/%zz%"},                    // no escapes
		"/😀":         {"/%F0%9F%98%80", "/%f0%9f%98%80", "/😀"},
	} {
		for _, s := range spellings {
			for what, in := range map[string]*weir.Incoming{
				"path":       {Event: weir.Event{Path: s}},
				"url":        {Source: weir.Source{URL: "https://example.com" + s + "?q=%7e"}},
				"bare url":   {Source: weir.Source{URL: s}},
				"url inside": {Event: weir.Event{Path: "https://example.com" + s}},
			} {
				if e.Apply(in, nil); in.Event.Path != want {
					t.Errorf("%s %q: path %q, want %q", what, s, in.Event.Path, want)
				}
			}
			call := &weir.Incoming{Event: weir.Event{Path: s, Call: &weir.Call{Route: s}}}
			if e.Apply(call, nil); call.Event.Call.Route != want {
				t.Errorf("route %q: %q, want %q", s, call.Event.Call.Route, want)
			}
		}
	}
}

func FuzzPathHasOneSpelling(f *testing.F) {
	for _, s := range []string{"/%D9%85", "/%7euser", "/%%341", "/%%34%31", "/%4%31", "/a%2fb", "/%c3%c3%a9", "%", "%f0%9f%98", "/%E2%80%A8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := weir.NormalPath(s)
		if twice := weir.NormalPath(once); twice != once {
			t.Errorf("%q is %q, and that is %q", s, once, twice)
		}
	})
}
