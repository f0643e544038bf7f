package stats

import (
	"fmt"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
)

func ruled(id, to string) *weir.Project {
	return &weir.Project{ID: id, URLRules: weir.URLRules{Rules: []weir.URLRule{{From: "/product/*", To: to}}}}
}

func TestARouteIsNamedOnceForAProjectsRules(t *testing.T) {
	n := pageNames{of: map[string]*projectNames{}}
	calls := 0
	for range 3 {
		name := n.project(ruled("p", "/product/:id"))
		inner := n.of["p"].name
		n.of["p"].name = func(route string) string { calls++; return inner(route) }
		for _, route := range []string{"/product/1", "/product/2", "/about"} {
			if got, want := name(route), map[bool]string{true: "/about", false: "/product/:id"}[route == "/about"]; got != want {
				t.Errorf("%s: %s, want %s", route, got, want)
			}
		}
	}
	if calls != 3 {
		t.Errorf("the rules were tried %d times for three routes", calls)
	}
	if got := n.project(ruled("p", "/thing"))("/product/1"); got != "/thing" {
		t.Errorf("by other rules: %s", got)
	}
	if got := n.project(ruled("q", "/article"))("/product/1"); got != "/article" {
		t.Errorf("of another project: %s", got)
	}
	if n.project(&weir.Project{ID: "p"}) != nil {
		t.Error("no rules name routes")
	}
}

func TestNamesOfRoutesAreForgottenBeyondTheirBound(t *testing.T) {
	n := pageNames{of: map[string]*projectNames{}}
	held := func() (bytes int) {
		for _, p := range n.of {
			for route, page := range p.pages {
				bytes += len(route) + len(page)
			}
		}
		return bytes
	}
	for i := range 200 {
		name := n.project(ruled(fmt.Sprint("p", i%50), fmt.Sprint("/product/", i%60))) // the rules change, too
		for j := range 100 {
			route := fmt.Sprint("/", i, "/", j, strings.Repeat("x", 1000))
			if got := name(route); got != route {
				t.Fatalf("%.20s is %.20s", route, got)
			}
		}
		if held() > maxNamedBytes || n.bytes > maxNamedBytes || n.bytes < held() {
			t.Fatalf("%d bytes of names, counted as %d", held(), n.bytes)
		}
	}
}

// BenchmarkNamedRoutes is a poll of a project with the most rules and a thousand routes.
func BenchmarkNamedRoutes(b *testing.B) {
	p := ruled("p", "/product/:id")
	for i := range weir.MaxURLRules - 1 {
		p.URLRules.Rules = append(p.URLRules.Rules, weir.URLRule{From: fmt.Sprint("/r/*/", i), To: fmt.Sprint("/r/", i)})
	}
	routes := make([]string, 1000)
	for i := range routes {
		routes[i] = fmt.Sprint("/r/x/", i)
	}
	n := pageNames{of: map[string]*projectNames{}}
	for what, namer := range map[string]func() func(string) string{"each time": p.URLRules.Namer, "remembered": func() func(string) string { return n.project(p) }} {
		b.Run(what, func(b *testing.B) {
			for b.Loop() {
				name := namer()
				for _, r := range routes {
					name(r)
				}
			}
		})
	}
}
