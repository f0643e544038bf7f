package weir_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	weir "github.com/weir-analytics/weir"
)

func TestURLRulesNameThePagesOfPaths(t *testing.T) {
	rules := func(pairs ...string) (out []weir.URLRule) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, weir.URLRule{From: pairs[i], To: pairs[i+1]})
		}
		return out
	}
	product := rules("/product/*", "/product/:id")
	for name, c := range map[string]struct {
		u    weir.URLRules
		want map[string]string // page by path
	}{
		"a segment": {weir.URLRules{Rules: product}, map[string]string{
			"/product/1": "/product/:id", "/product/ä%2F": "/product/:id", "/product/": "/product/", "/product/1/": "/product/1/", "/product/1/2": "/product/1/2", "/x/product/1": "/x/product/1", "/Product/1": "/Product/1",
		}},
		"slashes": {weir.URLRules{StripSlash: true, Rules: rules("/product/*", "/product/:id", "/list/", "/all/")}, map[string]string{
			"/product/1/": "/product/:id", "/product//": "/product", "/": "/", "///": "/", "": "", "/list": "/all/", "/list/": "/all/", "//a/": "//a",
		}},
		"capitals": {weir.URLRules{LowerCase: true, Rules: rules("/Product/*", "/Product/:ID")}, map[string]string{
			"/PRODUCT/X": "/Product/:ID", "/ÄÖ/A%2F": "/ÄÖ/a%2f", "/\u212a": "/\u212a",
		}},
		"the rest": {weir.URLRules{Rules: rules("/docs/**", "/docs/…", "/**/edit", "/edit", "/a*b/c", "/abc")}, map[string]string{
			"/docs/": "/docs/…", "/docs/a/b": "/docs/…", "/docs": "/docs", "/x/y/edit": "/edit", "/edit": "/edit", "//edit": "/edit", "/a-b/c": "/abc", "/ab/c": "/ab/c", "/a/b/c": "/a/b/c",
		}},
		"the first counts": {weir.URLRules{Rules: rules("/a/1", "first", "/a/*", "/b/1", "/b/*", "third")}, map[string]string{
			"/a/1": "first", "/a/2": "/b/1", "/b/2": "third",
		}},
		"all": {weir.URLRules{Rules: rules("**", "app")}, map[string]string{"Home": "app", "/": "app", "": ""}},
		"no expressions": {weir.URLRules{Rules: rules("/a.b/*", "/dot", "/(x|y)+", "/or", "/[a-z]/*", "/set")}, map[string]string{
			"/aXb/1": "/aXb/1", "/a.b/1": "/dot", "/x": "/x", "/(x|y)+": "/or", "/a/b": "/a/b", "/[a-z]/b": "/set",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := c.u.Normal()
			if err != nil {
				t.Fatal(err)
			}
			page := u.Namer()
			for path, want := range c.want {
				if got := page(path); got != want {
					t.Errorf("%q is %q, want %q", path, got, want)
				}
			}
		})
	}
}

func TestNoURLRulesChangeNoPath(t *testing.T) {
	if page := (&weir.URLRules{}).Namer(); page != nil {
		t.Error("a function without rules")
	}
}

func TestURLRulesAreBounded(t *testing.T) {
	many := func(n, length int) (u weir.URLRules) {
		for i := range n {
			u.Rules = append(u.Rules, weir.URLRule{From: fmt.Sprintf("/%0*d", length-1, i), To: "/"})
		}
		return u
	}
	for name, u := range map[string]weir.URLRules{
		"101 rules":       many(101, 5),
		"a glob too long": many(1, 513),
		"a name too long": {Rules: []weir.URLRule{{From: "/a", To: strings.Repeat("b", 256)}}},
		"bytes in all":    many(40, 500),
		"no UTF-8":        {Rules: []weir.URLRule{{From: "/\xff", To: "/"}}},
	} {
		if _, err := u.Normal(); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: error %v, want EINVALID", name, err)
		}
	}
	if _, err := many(100, 100).Normal(); err != nil {
		t.Error(err)
	}
}

// plainMatch tries every length that a star of a glob may have.
func plainMatch(glob, path string) bool {
	switch {
	case glob == "":
		return path == ""
	case strings.HasPrefix(glob, "**"):
		return plainMatch(glob[2:], path) || path != "" && plainMatch(glob, path[1:])
	case glob[0] == '*':
		return path != "" && path[0] != '/' && (plainMatch(glob[1:], path[1:]) || plainMatch(glob, path[1:]))
	}
	return path != "" && path[0] == glob[0] && plainMatch(glob[1:], path[1:])
}

func FuzzURLRules(f *testing.F) {
	for _, c := range [][2]string{{"/p/*", "/p/1/"}, {"/**/edit", "/a/b/edit"}, {"**", ""}, {"*", "ä"}, {"/a*b*", "/aäb/"}, {"/[a-z].+\\d$^(|)", "/x"}, {"/Ä/%c3%a4", "/ä/ä"}, {"//", "///"}, {"/*/", "/\n"}} {
		f.Add(c[0], c[1], true, false)
		f.Add(c[0], c[1], false, true)
	}
	f.Fuzz(func(t *testing.T, glob, path string, slash, lower bool) {
		u, err := weir.URLRules{StripSlash: slash, LowerCase: lower, Rules: []weir.URLRule{{From: glob, To: "named"}}}.Normal()
		if err != nil || !utf8.ValidString(path) || len(path) > 100 || strings.Count(u.Rules[0].From, "*") > 4 {
			return
		}
		if again, err := u.Normal(); err != nil || again.Rules[0] != u.Rules[0] {
			t.Fatalf("normal rules are not normal: %+v, %v", again, err)
		}
		want := u.Tidy(path)
		if want != "" && plainMatch(u.Tidy(u.Rules[0].From), want) {
			want = "named"
		}
		if got := u.Namer()(path); got != want {
			t.Errorf("%q by %+v is %q, want %q", path, u, got, want)
		}
	})
}
