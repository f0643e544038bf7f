package enrich

import (
	_ "embed"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"sync"
)

// crawlersText is made by gen_crawlers.go, which says how it is written. See
// NOTICE.md for its source.
//
//go:embed crawlers.txt
var crawlersText string

// class is the sort of software that a user agent stands for.
type class uint8

const (
	visitor class = iota // a browser or an app, as far as is known
	script               // an HTTP library or command-line tool
	crawler              // a crawler, preview fetcher, monitor, scanner, automated browser
)

// crawlers finds the texts by which crawlers and HTTP libraries are known in a
// user agent. It looks at each position once: the four bytes there choose the
// few texts that begin with them. It does not change once made.
type crawlers struct {
	filter   [1 << 13]uint64    // a bit per hash of the first bytes of any text
	texts    map[uint32][]known // by their first bytes; longer texts first
	patterns []pattern
}

// prefixLen is how many bytes choose the texts to compare.
const prefixLen = 4

type known struct {
	text  string
	class class
	op    byte // '=' anywhere, '^' at the start, '$' at the end
}

type pattern struct {
	re    *regexp.Regexp
	needs string // a text that every match contains
	class class
}

// loadCrawlers reads crawlersText, once.
var loadCrawlers = sync.OnceValue(func() *crawlers {
	c, err := parseCrawlers(crawlersText + ownCrawlers)
	if err != nil {
		panic(err) // the text is part of the program
	}
	return c
})

func parseCrawlers(text string) (*crawlers, error) {
	c := &crawlers{texts: make(map[uint32][]known)}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if len(line) < 3 {
			return nil, fmt.Errorf("enrich: crawler line %q is too short", line)
		}
		k := known{class: crawler, op: line[1], text: line[2:]}
		if line[0] == 's' {
			k.class = script
		}
		if k.op == '~' {
			p := pattern{class: k.class, needs: longestLiteral(k.text)}
			var err error
			if p.re, err = regexp.Compile(k.text); err != nil {
				return nil, fmt.Errorf("enrich: crawler line %q: %w", line, err)
			}
			c.patterns = append(c.patterns, p)
			continue
		}
		if len(k.text) < prefixLen {
			// Two or three of them: one pattern each is cheap enough.
			c.patterns = append(c.patterns, pattern{class: k.class, needs: k.text, re: k.regexp()})
			continue
		}
		p := prefixOf(k.text)
		c.filter[bucket(p)>>6] |= 1 << (bucket(p) & 63)
		list := append(c.texts[p], k)
		for i := len(list) - 1; i > 0 && len(list[i-1].text) < len(k.text); i-- {
			list[i-1], list[i] = list[i], list[i-1]
		}
		c.texts[p] = list
	}
	return c, nil
}

func (k known) regexp() *regexp.Regexp {
	quoted := regexp.QuoteMeta(k.text)
	switch k.op {
	case '^':
		quoted = "^" + quoted
	case '$':
		quoted += "$"
	}
	return regexp.MustCompile(quoted)
}

// find returns the first known text in a user agent, of several the longest, as the
// range [start, end). It is visitor when there is none.
func (c *crawlers) find(ua string) (of class, start, end int) {
	for i := 0; i+prefixLen <= len(ua); i++ {
		p := prefixOf(ua[i:])
		if c.filter[bucket(p)>>6]&(1<<(bucket(p)&63)) == 0 {
			continue
		}
		for _, k := range c.texts[p] {
			if !strings.HasPrefix(ua[i:], k.text) || k.op == '^' && i > 0 || k.op == '$' && i+len(k.text) != len(ua) {
				continue
			}
			return k.class, i, i + len(k.text)
		}
	}
	for _, p := range c.patterns {
		if strings.Contains(ua, p.needs) {
			if at := p.re.FindStringIndex(ua); at != nil {
				return p.class, at[0], at[1]
			}
		}
	}
	return visitor, 0, 0
}

func prefixOf(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// bucket returns the bit of the filter for a prefix: the upper 19 bits of a
// multiplicative hash.
func bucket(p uint32) uint32 { return p * 2654435769 >> 13 }

// longestLiteral returns the longest text that every match of a pattern contains, as
// far as the pattern's top level tells; "" when it does not.
func longestLiteral(pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	longest := ""
	for _, p := range parts {
		if s := string(p.Rune); p.Op == syntax.OpLiteral && p.Flags&syntax.FoldCase == 0 && len(s) > len(longest) {
			longest = s
		}
	}
	return longest
}
