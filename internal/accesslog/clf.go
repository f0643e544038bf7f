package accesslog

import (
	"strconv"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// clf parses the layouts that descend from the NCSA common log format:
//
//	host ident user [time] "request" status bytes "referrer" "user agent" …
//
// Sources: Apache mod_log_config's "common" and "combined", nginx's predefined
// format "combined".
type clf struct{ format Format }

func (p *clf) Parse(line []byte, e *Entry) error {
	*e = Entry{Bytes: -1}
	c := cursor{s: clean(string(line))}
	if err := c.client(e); err != nil {
		return err
	}
	if err := c.request(e); err != nil {
		return err
	}
	if err := c.outcome(e); err != nil {
		return err
	}
	if p.format == Common {
		if !c.done() {
			return c.errorf("text after the size: is this the format %q?", Combined)
		}
		return nil
	}
	var err error
	if e.Referrer, err = c.quoted("the referrer"); err != nil {
		return err
	}
	if e.UserAgent, err = c.quoted("the user agent"); err != nil {
		return err
	}
	return p.extras(&c, e)
}

// extras walks the fields that a site added behind the user agent. They must be
// whole; nginx's request time is taken from them.
func (p *clf) extras(c *cursor, e *Entry) error {
	for !c.done() {
		if !c.space() {
			return c.errorf("expected a space between fields")
		}
		if c.done() {
			return nil
		}
		if c.s[c.i] == '"' {
			if _, err := c.quotedHere("an extra field"); err != nil {
				return err
			}
			continue
		}
		w := c.word()
		if p.format == Nginx && !e.LatencyMS.Known {
			e.LatencyMS = requestTime(w)
		}
	}
	return nil
}

// requestTime reads nginx's $request_time, seconds with milliseconds, bare or as
// rt=0.005 or request_time=0.005; anything else is unknown.
func requestTime(w string) weir.Number {
	key, value, named := strings.Cut(w, "=")
	if !named {
		value = key
	} else if key != "rt" && key != "request_time" {
		return weir.Number{}
	}
	whole, part, _ := strings.Cut(value, ".")
	s, ok1 := digits(whole)
	ms, ok2 := digits(part)
	if !ok1 || !ok2 || whole == "" || len(whole) > 9 || len(part) != 3 {
		return weir.Number{}
	}
	return weir.Known(float64(s*1000 + ms))
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

// client reads host, ident, user and time.
func (c *cursor) client(e *Entry) error {
	host := c.word()
	if host == "" {
		return c.errorf("expected the client's address")
	}
	e.IP = address(host)
	if !c.space() || c.word() == "" || !c.space() {
		return c.errorf("expected the client's identity, or -")
	}
	// A user name may hold spaces, so it ends where the time begins.
	size := strings.Index(c.s[c.i:], " [")
	if size <= 0 {
		return c.errorf("expected the user, or -, and the time in brackets")
	}
	if user := c.s[c.i : c.i+size]; user != "-" && user != `""` {
		e.User = unescape(user)
	}
	c.i += size + 2
	size = strings.IndexByte(c.s[c.i:], ']')
	if size < 0 {
		return c.errorf("the time has no closing bracket")
	}
	t, ok := clfTime(c.s[c.i : c.i+size])
	if !ok {
		return c.errorf("%.40q is not a time such as 17/May/2015:10:05:03 +0000", c.s[c.i:c.i+size])
	}
	e.Time = t
	c.i += size + 1
	return nil
}

func (c *cursor) request(e *Entry) error {
	start := c.i + 2 // after the space and the quote
	request, err := c.quoted("the request")
	if err != nil {
		return err
	}
	if reason := setRequest(request, e); reason != "" {
		return syntaxError(start+1, "%s", reason)
	}
	return nil
}

// outcome reads status and size.
func (c *cursor) outcome(e *Entry) error {
	if !c.space() {
		return c.errorf("expected the status")
	}
	start := c.i
	status, ok := parseStatus(c.word())
	if !ok {
		return syntaxError(start+1, "%.20q is not an HTTP status", c.s[start:c.i])
	}
	e.Status = status
	if !c.space() {
		return c.errorf("expected the size")
	}
	start = c.i
	size, ok := parseSize(c.word())
	if !ok {
		return syntaxError(start+1, "%.20q is not a size in bytes", c.s[start:c.i])
	}
	e.Bytes = size
	return nil
}

// parseStatus takes "-" and nginx's 000, a connection that closed before a reply,
// for unknown.
func parseStatus(s string) (int, bool) {
	n, ok := digits(s)
	switch {
	case s == "-", s == "000", s == "0":
		return 0, true
	case !ok || len(s) != 3 || n < 100 || n > 599:
		return 0, false
	}
	return n, true
}

func parseSize(s string) (int64, bool) {
	if s == "-" {
		return -1, true
	}
	if _, ok := digits(s); !ok || s == "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
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

// quoted steps over a space and a quoted field, "" for "-".
func (c *cursor) quoted(what string) (string, error) {
	if !c.space() || c.done() || c.s[c.i] != '"' {
		return "", c.errorf("expected %s in quotes", what)
	}
	return c.quotedHere(what)
}

func (c *cursor) quotedHere(what string) (string, error) {
	open := c.i
	c.i++
	for {
		n := strings.IndexByte(c.s[c.i:], '"')
		if n < 0 {
			return "", syntaxError(open+1, "%s has no closing quote", what)
		}
		end := c.i + n
		c.i = end + 1
		if escaped(c.s[open+1 : end]) {
			continue
		}
		if !c.done() && c.s[c.i] != ' ' {
			return "", c.errorf("expected a space after the closing quote of %s", what)
		}
		if s := c.s[open+1 : end]; s != "-" {
			return unescape(s), nil
		}
		return "", nil
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
