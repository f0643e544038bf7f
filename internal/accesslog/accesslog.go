// Package accesslog parses the access logs of web servers, a line at a time.
//
// A Parser is pure: a line in, an Entry or a SyntaxError out. Nothing in a log
// can be trusted, since visitors write half of it, so a parser never panics and
// never yields text that is not valid UTF-8 or that holds a NUL byte.
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
	Bytes     int64  // size of the reply's body; -1 is unknown
	Referrer  string
	UserAgent string
	LatencyMS weir.Number // milliseconds
	Consumer  string      // who called, where the log names it apart from User
	Host      string      // the site that was asked for
}

// Parser reads one line of one format. It keeps scratch space, so it serves one
// goroutine at a time.
type Parser interface {
	// Parse fills e, whose former content is overwritten, from a line without
	// its line ending. The line is not kept. The error is a *SyntaxError, and e
	// is then unspecified.
	Parse(line []byte, e *Entry) error
}

// Format names a log's layout.
type Format string

// The formats that are read.
const (
	Combined Format = "combined" // Apache's "combined"; fields after it are skipped
	Common   Format = "common"   // Apache's "common"
	Nginx    Format = "nginx"    // nginx's default, and a request time after it
	Caddy    Format = "caddy"    // JSON lines of Caddy 2
	JSON     Format = "json"     // JSON lines by a Mapping
)

// Formats are the names of all formats.
func Formats() []Format { return []Format{Combined, Common, Nginx, Caddy, JSON} }

// New makes the parser of a format. The mapping is for JSON alone; nil is the
// default mapping.
func New(f Format, m Mapping) (Parser, error) {
	if len(m) > 0 && f != JSON {
		return nil, fmt.Errorf("accesslog: a field mapping is for the format %q, not for %q", JSON, f)
	}
	switch f {
	case Combined, Common, Nginx:
		return &clf{format: f}, nil
	case Caddy:
		return newCaddy(), nil
	case JSON:
		return newMapped(m)
	}
	names := make([]string, 0, len(Formats()))
	for _, n := range Formats() {
		names = append(names, string(n))
	}
	return nil, fmt.Errorf("accesslog: unknown format %q: use one of %s", f, strings.Join(names, ", "))
}

// SyntaxError says why a line is not an entry, and where.
type SyntaxError struct {
	Column int // in bytes from 1; 0 is the line as a whole
	Reason string
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
