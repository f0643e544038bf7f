package main

import (
	"errors"
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// urlFlags change which of a project's paths are one page. They are given together: what is
// not given is off.
type urlFlags struct {
	URLRule    []string `name:"url-rule" sep:"none" placeholder:"GLOB=NAME" xor:"urls" help:"Paths that the glob matches are the page NAME: /product/*=/product/:id. * is anything within a segment, ** anything. May be given many times, the first that matches counts. The rules and the two settings that follow replace those it had."`
	StripSlash bool     `name:"url-strip-slash" help:"Slashes at the end of a path do not count."`
	LowerCase  bool     `name:"url-lower-case" help:"Capital letters in a path count as small ones."`
	NoURLRules bool     `name:"no-url-rules" xor:"urls" help:"Take all URL rules from it."`
}

// into adds what is given to the body of a change.
func (f *urlFlags) into(body map[string]any) error {
	if !f.NoURLRules && len(f.URLRule) == 0 && !f.StripSlash && !f.LowerCase {
		return nil
	}
	if f.NoURLRules && (f.StripSlash || f.LowerCase) {
		return misuse(errors.New("--no-url-rules takes the other URL rules away: give it alone"))
	}
	u := weir.URLRules{StripSlash: f.StripSlash, LowerCase: f.LowerCase, Rules: []weir.URLRule{}}
	for _, rule := range f.URLRule {
		from, to, ok := strings.Cut(rule, "=")
		if !ok {
			return misuse(fmt.Errorf("--url-rule %q: want a glob, = and a name, such as /product/*=/product/:id", rule))
		}
		u.Rules = append(u.Rules, weir.URLRule{From: from, To: to})
	}
	body["url_rules"] = u
	return nil
}

// urlLines are a project's URL rules in the output of "weir project set", a line each.
func urlLines(u weir.URLRules) string {
	var lines []string
	if u.StripSlash {
		lines = append(lines, "slashes at the end do not count")
	}
	if u.LowerCase {
		lines = append(lines, "capital letters count as small ones")
	}
	for _, r := range u.Rules {
		lines = append(lines, r.From+" is "+r.To)
	}
	if len(lines) == 0 {
		return "none"
	}
	return strings.Join(lines, "\n"+strings.Repeat(" ", 21))
}
