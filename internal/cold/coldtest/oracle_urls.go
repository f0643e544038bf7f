package coldtest

import (
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// page is the page that a path counts as by the project's URL rules.
func (o *oracle) page(path string) string {
	u := &o.w.project.URLRules
	tidy := func(s string) string {
		for u.StripSlash && len(s) > 1 && s[len(s)-1] == '/' {
			s = s[:len(s)-1]
		}
		if u.LowerCase {
			for c := 'A'; c <= 'Z'; c++ {
				s = strings.ReplaceAll(s, string(c), string(c+'a'-'A'))
			}
		}
		return s
	}
	path = tidy(path)
	for _, rule := range u.Rules {
		if path != "" && globMatches(tidy(rule.From), path) {
			return rule.To
		}
	}
	return path
}

// globMatches tries every length that a star may have.
func globMatches(glob, path string) bool {
	switch {
	case glob == "":
		return path == ""
	case strings.HasPrefix(glob, "**"):
		for i := range len(path) + 1 {
			if globMatches(glob[2:], path[i:]) {
				return true
			}
		}
		return false
	case glob[0] == '*':
		for i := 1; i <= len(path) && path[i-1] != '/'; i++ {
			if globMatches(glob[1:], path[i:]) {
				return true
			}
		}
		return false
	}
	return path != "" && path[0] == glob[0] && globMatches(glob[1:], path[1:])
}

// rulesOf are the URL rules of the world in a zone: every other one has some.
func rulesOf(name string) weir.URLRules {
	i := slices.IndexFunc(zones, func(z zone) bool { return z.name == name })
	if i%2 == 0 {
		return weir.URLRules{}
	}
	return weir.URLRules{StripSlash: true, LowerCase: i%4 == 1, Rules: []weir.URLRule{
		{From: "/page/1*", To: "/page/:id"}, {From: "/docs/**", To: "/docs/…"}, {From: `/say "hi"`, To: "/it's"}, {From: "/v1/*", To: "/v1/:name"},
	}}
}
