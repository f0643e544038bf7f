//go:build ignore

// Command gen_crawlers turns crawler-user-agents.json (npm package
// crawler-user-agents) into crawlers.txt:
//
//	npm pack crawler-user-agents@1.60.0 && tar xzf crawler-user-agents-1.60.0.tgz
//	go run gen_crawlers.go package/crawler-user-agents.json
//
// The source's patterns are regular expressions, but all save a handful stand
// for a few fixed texts. Those are written out, so that Weir finds them without
// a regular expression. A line is a class, an operator and a text:
//
//	c crawler   s HTTP library
//	= anywhere  ^ at the start  $ at the end  ~ a regular expression
//
// It fails when the lines miss one of the source's own example user agents.
package main

import (
	"encoding/json"
	"log"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxTexts bounds how many texts one pattern is written out to.
const maxTexts = 64

// skipped are patterns of software that people use, not crawlers.
var skipped = map[string]string{
	"okhttp": "the HTTP library of most Android apps",
}

type crawler struct {
	Pattern   string   `json:"pattern"`
	Tags      []string `json:"tags"`
	Instances []string `json:"instances"`
}

// text is one fixed text that a pattern stands for.
type text struct {
	s          string
	start, end bool // anchored there
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: gen_crawlers crawler-user-agents.json")
	}
	raw, err := os.ReadFile(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	var list []crawler
	if err := json.Unmarshal(raw, &list); err != nil {
		log.Fatal(err)
	}
	var lines []string
	for _, c := range list {
		if skipped[c.Pattern] != "" {
			continue
		}
		class := "c"
		if slices.Contains(c.Tags, "http-library") {
			class = "s"
		}
		own := expand(c.Pattern)
		for _, ua := range c.Instances {
			if !slices.ContainsFunc(own, func(l string) bool { return matches(l, ua) }) {
				log.Fatalf("%q no longer matches %q", c.Pattern, ua)
			}
		}
		for _, l := range own {
			lines = append(lines, class+l)
		}
	}
	slices.Sort(lines)
	text := strings.Join(slices.Compact(lines), "\n") + "\n"
	if err := os.WriteFile("crawlers.txt", []byte(text), 0o644); err != nil {
		log.Fatal(err)
	}
}

// expand writes a pattern as lines without their class.
func expand(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		log.Fatalf("pattern %q: %v", pattern, err)
	}
	texts, ok := enumerate(re.Simplify())
	if !ok {
		return []string{"~" + pattern}
	}
	lines := make([]string, 0, len(texts))
	for _, t := range texts {
		switch {
		case t.start && t.end || t.s == "":
			return []string{"~" + pattern}
		case t.start:
			lines = append(lines, "^"+t.s)
		case t.end:
			lines = append(lines, "$"+t.s)
		default:
			lines = append(lines, "="+t.s)
		}
	}
	return lines
}

// enumerate returns every text that re matches; ok is false if they are too many.
func enumerate(re *syntax.Regexp) (texts []text, ok bool) {
	switch re.Op {
	case syntax.OpEmptyMatch:
		return []text{{}}, true
	case syntax.OpBeginText:
		return []text{{start: true}}, true
	case syntax.OpEndText:
		return []text{{end: true}}, true
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			return []text{{s: string(re.Rune)}}, true
		}
		return foldings(string(re.Rune))
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i+1]-re.Rune[i] >= maxTexts {
				return nil, false
			}
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				texts = append(texts, text{s: string(r)})
			}
		}
		return texts, len(texts) <= 4
	case syntax.OpCapture:
		return enumerate(re.Sub[0])
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			t, ok := enumerate(sub)
			if !ok {
				return nil, false
			}
			texts = append(texts, t...)
		}
		return texts, len(texts) <= maxTexts
	case syntax.OpConcat:
		texts = []text{{}}
		for _, sub := range re.Sub {
			more, ok := enumerate(sub)
			if !ok || len(texts)*len(more) > maxTexts {
				return nil, false
			}
			var next []text
			for _, a := range texts {
				for _, b := range more {
					if a.end || b.start && a.s != "" {
						return nil, false
					}
					next = append(next, text{a.s + b.s, a.start || b.start, b.end})
				}
			}
			texts = next
		}
		return texts, true
	}
	return nil, false
}

// foldings returns s in every mix of ASCII upper and lower case.
func foldings(s string) (texts []text, ok bool) {
	texts = []text{{}}
	for _, r := range s {
		var next []text
		for _, t := range texts {
			lower, upper := strings.ToLower(string(r)), strings.ToUpper(string(r))
			next = append(next, text{s: t.s + lower})
			if upper != lower {
				next = append(next, text{s: t.s + upper})
			}
		}
		if texts = next; len(texts) > maxTexts {
			return nil, false
		}
	}
	return texts, true
}

func matches(line, ua string) bool {
	switch op, s := line[0], line[1:]; op {
	case '^':
		return strings.HasPrefix(ua, s)
	case '$':
		return strings.HasSuffix(ua, s)
	case '~':
		return regexp.MustCompile(s).MatchString(ua)
	default:
		return strings.Contains(ua, s)
	}
}
