package weir

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// URLRules say which paths, and which routes of calls, are one page of a project. Answers
// apply them when they read: stored events keep the paths that they came with.
type URLRules struct {
	StripSlash bool      `json:"strip_slash" required:"false" doc:"slashes at the end of a path do not count: /a/ is /a"`
	LowerCase  bool      `json:"lower_case" required:"false" doc:"A to Z count as a to z"`
	Rules      []URLRule `json:"rules" required:"false" nullable:"false" maxItems:"100" doc:"the first that matches counts. They match what the two settings before have made of a path"`
}

// URLRule gives one name to all paths that a glob matches.
type URLRule struct {
	From string `json:"from" minLength:"1" maxLength:"512" doc:"a glob: * is one or more characters without a slash, ** any characters"`
	To   string `json:"to" minLength:"1" maxLength:"255" doc:"the name, such as /product/:id; none of its characters is special"`
}

// Bounds of a project's rules. Each answer may test each path of a range against all of them.
const (
	MaxURLRules     = 100
	MaxURLRuleFrom  = 512      // bytes
	MaxURLRuleTo    = 255      // bytes
	MaxURLRuleBytes = 16 << 10 // of all rules together
)

// Normal returns the rules as they are stored: with one spelling of percent-encoding.
// Error: EINVALID; it names the first rule that is not allowed.
func (u URLRules) Normal() (URLRules, error) {
	if len(u.Rules) > MaxURLRules {
		return u, Errorf(EINVALID, "%d URL rules: a project has at most %d", len(u.Rules), MaxURLRules)
	}
	rules := make([]URLRule, len(u.Rules))
	number := make(map[string]int, len(rules)) // by glob
	bytes := 0
	for i, r := range u.Rules {
		rules[i] = URLRule{From: NormalPath(r.From), To: NormalPath(r.To)}
		wrong := rules[i].wrong()
		if before := number[rules[i].From]; wrong == "" && before > 0 {
			wrong = fmt.Sprintf("never counts, since rule %d has the same glob", before)
		}
		if wrong != "" {
			return u, Errorf(EINVALID, "URL rule %d, from %.60q to %.60q: %s", i+1, r.From, r.To, wrong)
		}
		number[rules[i].From] = i + 1
		if bytes += len(rules[i].From) + len(rules[i].To); bytes > MaxURLRuleBytes {
			return u, Errorf(EINVALID, "URL rule %d: all rules together may have %d bytes", i+1, MaxURLRuleBytes)
		}
	}
	u.Rules = rules
	return u, nil
}

// wrong says why the rule is not allowed, "" if it is.
func (r URLRule) wrong() string {
	for _, t := range []struct {
		name, text string
		most       int
	}{{"from", r.From, MaxURLRuleFrom}, {"to", r.To, MaxURLRuleTo}} {
		switch {
		case t.text == "" || len(t.text) > t.most:
			return fmt.Sprintf("%s has 1 to %d bytes", t.name, t.most)
		case !utf8.ValidString(t.text) || strings.ContainsFunc(t.text, unicode.IsControl):
			return t.name + " is UTF-8 without control characters"
		case strings.TrimSpace(t.text) != t.text:
			return t.name + " has no space at its ends"
		}
	}
	if strings.Contains(r.From, "***") {
		return "*** is no glob: use * or **"
	}
	if strings.ContainsAny(r.From, "?#") {
		return "a path has no query and no fragment: leave out what begins with ? or #"
	}
	return ""
}

// Empty says that the rules change no path.
func (u *URLRules) Empty() bool { return !u.StripSlash && !u.LowerCase && len(u.Rules) == 0 }

// URLMatch is a rule in the form in which a path is tested.
type URLMatch struct {
	Prefix  string // what the path begins with; the whole path if Pattern is ""
	Pattern string // a regular expression of RE2 for the whole path
	To      string
}

// Matches returns the tests of the rules, in order. They are for paths that Tidy returned.
// None matches the empty path.
func (u *URLRules) Matches() []URLMatch {
	out := make([]URLMatch, len(u.Rules))
	for i, r := range u.Rules {
		glob := u.Tidy(r.From)
		out[i] = URLMatch{Prefix: glob, To: r.To}
		star := strings.IndexByte(glob, '*')
		if star < 0 {
			continue
		}
		out[i].Prefix = glob[:star]
		var p strings.Builder
		p.WriteString("(?s)^")
		for rest := glob; rest != ""; {
			switch star = strings.IndexByte(rest, '*'); {
			case rest == "**" && rest == glob:
				p.WriteString(".+")
				rest = ""
			case strings.HasPrefix(rest, "**"):
				p.WriteString(".*")
				rest = rest[2:]
			case star == 0:
				p.WriteString("[^/]+")
				rest = rest[1:]
			case star < 0:
				star = len(rest)
				fallthrough
			default:
				p.WriteString(regexp.QuoteMeta(rest[:star]))
				rest = rest[star:]
			}
		}
		out[i].Pattern = p.String() + "$"
	}
	return out
}

// Tidy returns a path without the slashes at its end and in lower case, as far as the
// settings say so. A path of slashes alone is "/".
func (u *URLRules) Tidy(path string) string {
	if u.StripSlash && path != "" {
		if path = strings.TrimRight(path, "/"); path == "" {
			path = "/"
		}
	}
	if u.LowerCase {
		path = strings.Map(func(r rune) rune {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			return r
		}, path)
	}
	return path
}

// Namer returns a function that returns the page of a path: the name that the first
// matching rule gives it, or the path as Tidy returns it. The function is nil if the rules
// change no path, and is not safe for concurrent use.
func (u *URLRules) Namer() func(path string) string {
	if u.Empty() {
		return nil
	}
	matches := u.Matches()
	patterns := make([]*regexp.Regexp, len(matches))
	return func(path string) string {
		path = u.Tidy(path)
		for i, m := range matches {
			switch {
			case m.Pattern == "" && path == m.Prefix:
				return m.To
			case m.Pattern == "" || !strings.HasPrefix(path, m.Prefix):
				continue
			case patterns[i] == nil:
				patterns[i] = regexp.MustCompile(m.Pattern)
			}
			if patterns[i].MatchString(path) {
				return m.To
			}
		}
		return path
	}
}
