package accesslog

import (
	"errors"
	"strings"
)

// part is a field of a layout and the text that stands before it.
type part struct {
	before string
	word
}

// layout parses lines of text: fields with fixed text between them.
type layout struct {
	parts []part
	tail  string // behind the last field
	rest  rest
	values
}

// layouts parses lines that have one of several layouts.
type layouts []*layout

func newLayouts(texts []string, r rest, o Options) (Parser, error) {
	var ps layouts
	for _, text := range texts {
		parts, tail, err := compile(text)
		if err != nil {
			return nil, err
		}
		ps = append(ps, &layout{parts: parts, tail: tail, rest: r, values: newValues(o)})
	}
	if len(ps) == 1 {
		return ps[0], nil
	}
	return ps, nil
}

// Parse returns the error of the layout that read the furthest.
func (ps layouts) Parse(line []byte, e *Entry) error {
	var furthest *SyntaxError
	for _, p := range ps {
		err := p.Parse(line, e)
		if err == nil {
			return nil
		}
		if s, ok := errors.AsType[*SyntaxError](err); ok && (furthest == nil || s.Column > furthest.Column) {
			furthest = s
		}
	}
	return furthest
}

func (p *layout) Parse(line []byte, e *Entry) error {
	p.begin(e)
	c := cursor{s: clean(string(line))}
	for i := range p.parts {
		after := p.tail
		if i+1 < len(p.parts) {
			after = p.parts[i+1].before
		}
		part := &p.parts[i]
		if !c.literal(part.before) {
			return c.errorf("expected %s", part.expected())
		}
		start := c.i
		s, err := c.value(part, after)
		if err != nil {
			return err
		}
		if reason := p.setWord(part.word, s, e); reason != "" {
			return syntaxError(start+1, "%s", reason)
		}
	}
	if !c.literal(p.tail) {
		return c.errorf("expected %q at the end", p.tail)
	}
	if err := p.extras(&c, e); err != nil {
		return err
	}
	return p.finish(e)
}

// expected returns what stands where a part should be.
func (p *part) expected() string {
	switch {
	case strings.HasSuffix(p.before, `"`):
		return p.what() + " in quotes"
	case strings.HasSuffix(p.before, "["):
		return p.what() + " in brackets"
	case strings.Trim(p.before, `" `) == "":
		return p.what()
	}
	return strings.TrimSpace(p.before) + " and " + p.what()
}

// extras reads the fields that a site added behind the layout's last. They must be
// whole.
func (p *layout) extras(c *cursor, e *Entry) error {
	for !c.done() {
		if !c.space() {
			return c.errorf("expected a space between fields")
		}
		switch {
		case c.done():
		case p.rest == restRefused:
			return c.errorf("text after the last field: this is another format")
		case c.s[c.i] == '"':
			c.i++
			s, ok := c.quoted()
			if !ok {
				return c.errorf("an extra field has no closing quote")
			}
			c.i++
			p.extra(s, e)
		default:
			p.extra(c.word(), e)
		}
	}
	return nil
}

// extra takes from a field without a name nginx's request time and, if the user says that it is there, X-Forwarded-For.
func (p *layout) extra(s string, e *Entry) {
	switch {
	case p.forwarded == "" && p.takeForwarded && isAddress(s):
		p.setText(fieldForwarded, s, true, e)
	case p.rest == restSeconds && !p.timed && isRequestTime(s):
		p.setText(fieldLatencyS, s[strings.IndexByte(s, '=')+1:], true, e)
	}
}

// isRequestTime says whether a word is nginx's $request_time, seconds with milliseconds, bare
// or as rt=0.005 or request_time=0.005.
func isRequestTime(w string) bool {
	key, value, named := strings.Cut(w, "=")
	if !named {
		value = key
	} else if key != "rt" && key != "request_time" {
		return false
	}
	whole, part, _ := strings.Cut(value, ".")
	_, ok1 := digits(whole)
	_, ok2 := digits(part)
	return ok1 && ok2 && whole != "" && len(whole) <= 9 && len(part) == 3
}

// cursor is a place in a line.
type cursor struct {
	s string
	i int
}

func (c *cursor) done() bool { return c.i >= len(c.s) }

func (c *cursor) errorf(format string, args ...any) error {
	return syntaxError(c.i+1, format, args...)
}

// literal steps over text. A space of it stands for one or more.
func (c *cursor) literal(text string) bool {
	for i := range len(text) {
		switch {
		case text[i] == ' ':
			if !c.space() {
				return false
			}
		case c.done() || c.s[c.i] != text[i]:
			return false
		default:
			c.i++
		}
	}
	return true
}

// value steps over a field, up to the text after it.
func (c *cursor) value(p *part, after string) (string, error) {
	switch {
	case strings.HasSuffix(p.before, `"`) && strings.HasPrefix(after, `"`):
		s, ok := c.quoted()
		if !ok {
			return "", c.errorf("%s has no closing quote", p.what())
		}
		return s, nil
	case p.time != "" && after != "" && after[0] == ' ':
		return c.take(strings.Count(p.time, " ") + 1), nil
	case after == "" && !p.isWord():
		s := c.s[c.i:]
		c.i = len(c.s)
		return unescape(s), nil
	case after == "" || p.isWord() && after[0] == ' ':
		s := c.words(p)
		if s == "" {
			return "", c.errorf("expected %s", p.what())
		}
		return s, nil
	}
	stop := after
	if after[0] != ' ' {
		stop = after[:1]
	} else if n := strings.IndexByte(after[1:], ' '); n >= 0 {
		stop = after[:n+1]
	}
	n := strings.Index(c.s[c.i:], stop)
	if n < 0 || n == 0 && p.field != fieldNone {
		return "", c.errorf("expected %s, and %q after it", p.what(), stop)
	}
	s := c.s[c.i : c.i+n]
	c.i += n
	return unescape(s), nil
}

// words steps over a word, and over the words of a list with commas.
func (c *cursor) words(p *part) string {
	start := c.i
	if c.word(); p.field != fieldIP && p.field != fieldForwarded {
		return unescape(c.s[start:c.i])
	}
	for c.i > start && c.s[c.i-1] == ',' && c.space() {
		c.word()
	}
	return c.s[start:c.i]
}

// space steps over one or more spaces; false if there is none.
func (c *cursor) space() bool {
	start := c.i
	for c.i < len(c.s) && c.s[c.i] == ' ' {
		c.i++
	}
	return c.i > start
}

// word steps over the text up to the next space.
func (c *cursor) word() string {
	start := c.i
	if n := strings.IndexByte(c.s[c.i:], ' '); n >= 0 {
		c.i += n
	} else {
		c.i = len(c.s)
	}
	return c.s[start:c.i]
}

// take steps over a number of words.
func (c *cursor) take(words int) string {
	start := c.i
	for range words {
		c.space()
		c.word()
	}
	return c.s[start:c.i]
}

// quoted steps over text up to the closing quote. If there is none, it goes to the opening one.
func (c *cursor) quoted() (s string, ok bool) {
	start := c.i
	for {
		n := strings.IndexByte(c.s[c.i:], '"')
		if n < 0 {
			c.i = start - 1
			return "", false
		}
		end := c.i + n
		if !escaped(c.s[start:end]) {
			c.i = end
			return unescape(c.s[start:end]), true
		}
		c.i = end + 1
	}
}

// escaped says whether s ends with a backslash that is not itself escaped.
func escaped(s string) bool {
	n := len(s)
	for n > 0 && s[n-1] == '\\' {
		n--
	}
	return (len(s)-n)%2 == 1
}
