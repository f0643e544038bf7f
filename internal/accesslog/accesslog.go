// Package accesslog parses the access logs of web servers, proxies and load balancers, a line at a time.
//
// Nothing in a log can be trusted, since visitors write half of it. So a parser never panics
// and never yields text that is not valid UTF-8 or that has a NUL byte, and a line of another
// layout is refused rather than read into the wrong fields.
package accesslog

import (
	"fmt"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Entry is one request as a log tells it. Strings that are unknown are empty:
// the "-" of a log is not text.
type Entry struct {
	Time      time.Time // UTC, microseconds
	IP        string    // the client's address, or its host name where the server looked it up
	User      string    // the user that the server authenticated
	Method    string
	URI       string // the request target as it was sent
	Path      string // the URI's path, without scheme, host, query and fragment
	Proto     string // HTTP/1.1, …
	Status    int    // HTTP status, 100 to 599; 0 is unknown
	Referrer  string
	UserAgent string
	LatencyMS weir.Number // milliseconds
	Consumer  string      // who called, where the log names it apart from User
	Host      string      // the site that was asked for, without its port

	RequestBytes  weir.Number // size of the request's body, else of the whole request
	ResponseBytes weir.Number // size of the response's body, else of the whole response
	Error         string      // why the request failed
	TraceID       string      // of the distributed trace
}

// Parser reads the lines of one log. It keeps scratch space, and what a log says of the lines
// that follow (#Fields:), so it serves one goroutine and one file at a time.
type Parser interface {
	// Parse fills e, whose former content is overwritten, from a line without
	// its line ending. The line is not kept. The error is a *SyntaxError, and e
	// is then unspecified.
	Parse(line []byte, e *Entry) error
}

// Options say what a log does not.
type Options struct {
	Mapping Mapping        // for JSON alone; nil is the default mapping
	Zone    *time.Location // of times that name none; nil is UTC
	// ForwardedFor takes the client's address from X-Forwarded-For, where the log has it.
	// The client may write what it likes there unless a proxy of one's own sets it.
	ForwardedFor bool
	// Took is called by the parser of Auto with the format that it found.
	Took func(Format)
}

// New makes the parser of a format: one of Formats, or a layout in nginx's or Apache's words
// (see compile).
func New(f Format, o Options) (Parser, error) {
	if len(o.Mapping) > 0 && f != JSON {
		return nil, fmt.Errorf("accesslog: a field mapping is for the format %q, not for %q", JSON, f)
	}
	if f == Auto {
		return newAuto(o)
	}
	p, err := newPlain(f, o)
	if err != nil {
		return nil, err
	}
	return &container{inner: p}, nil
}

// newPlain makes a parser of lines as the server wrote them.
func newPlain(f Format, o Options) (Parser, error) {
	if f == JSON {
		return newMapped(o)
	}
	for i := range formats {
		if formats[i].name == f {
			return formats[i].parser(o)
		}
	}
	if strings.HasPrefix(string(f), fieldsDirective) {
		return newW3C(string(f), o)
	}
	if strings.ContainsAny(string(f), "$%") {
		return newLayouts([]string{string(f)}, restRefused, o)
	}
	names := make([]string, 0, len(formats))
	for _, n := range Formats() {
		names = append(names, string(n))
	}
	return nil, fmt.Errorf("accesslog: unknown format %q: use one of %s, or the server's own format string", f, strings.Join(names, ", "))
}

// SyntaxError says why a line is not an entry, and where.
type SyntaxError struct {
	Column  int // in bytes from 1; 0 is the line as a whole
	Reason  string
	LeftOut bool // nothing is wrong with the line, but it is no call of its own
}

func (e *SyntaxError) Error() string {
	if e.Column == 0 {
		return e.Reason
	}
	return fmt.Sprintf("column %d: %s", e.Column, e.Reason)
}

func syntaxError(column int, format string, args ...any) error {
	return &SyntaxError{Column: column, Reason: fmt.Sprintf(format, args...)}
}

func leftOut(reason string) error { return &SyntaxError{Reason: reason, LeftOut: true} }
