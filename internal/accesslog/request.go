package accesslog

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// maxMethod bounds a method's length; the longest registered one has 17 bytes.
const maxMethod = 32

// setRequest splits a request line into e. It returns why the text is not an
// HTTP request, or "".
//
// What a port scanner or a TLS client sends to a plain port gets a line in the
// log too. That is no call of any route, so it is rejected by name rather than
// counted as a call of nothing.
func setRequest(request string, e *Entry) (reason string) {
	if request == "" || request == "-" {
		return "the request is empty"
	}
	method, rest, found := strings.Cut(request, " ")
	if !isMethod(method) {
		return "the request is not HTTP: it does not begin with a method"
	}
	if !found {
		return "the request has no path"
	}
	uri := rest
	// A server logs spaces in the target as they came, so the protocol is what
	// follows the last one; HTTP/0.9 has none.
	if i := strings.LastIndexByte(rest, ' '); i >= 0 && strings.HasPrefix(rest[i+1:], "HTTP/") {
		uri, e.Proto = rest[:i], rest[i+1:]
	}
	e.Method = method
	if !setURI(strings.TrimSpace(uri), e) {
		return "the request is not HTTP: its target is no path"
	}
	return ""
}

func isMethod(s string) bool {
	if s == "" || len(s) > maxMethod {
		return false
	}
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || s[i] != '-' && s[i] != '_' && (s[i] < '0' || s[i] > '9')) {
			return false
		}
	}
	return true
}

// setURI sets the target and its path: origin form, absolute form, "*", and
// host:port for CONNECT.
func setURI(uri string, e *Entry) bool {
	e.URI = uri
	switch {
	case strings.HasPrefix(uri, "/"):
		e.Path = stripQuery(uri)
	case uri == "*":
		e.Path = uri
	case uri != "" && e.Method == "CONNECT":
		e.Path = stripQuery(uri)
	default:
		scheme, rest, ok := strings.Cut(uri, "://")
		if !ok || !isMethod(scheme) {
			return false
		}
		host, path := rest, "/"
		if i := strings.IndexAny(rest, "/?#"); i >= 0 {
			host = rest[:i]
			if rest[i] == '/' {
				path = stripQuery(rest[i:])
			}
		}
		e.Path = path
		if e.Host == "" {
			e.Host = hostName(host)
		}
	}
	return true
}

func stripQuery(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		return s[:i]
	}
	return s
}

// hostName returns a host without its port.
func hostName(s string) string {
	if i := strings.LastIndexByte(s, ':'); i > 0 && !strings.Contains(s[:i], ":") || i > 0 && s[i-1] == ']' {
		s = s[:i]
	}
	return strings.Trim(s, "[]")
}

// client returns the one form of an address or of a list of them (weir.ParseAddress). A name that is no
// address is returned as it is, since a server may have looked it up.
func client(s string) (ip string, ok bool) {
	if isIPv4(s) {
		return s, true
	}
	if a, ok := weir.ParseAddress(s); ok {
		return a.String(), true
	}
	if s == "unix:" || s == "unknown" {
		return "", true
	}
	return s, !strings.ContainsAny(s, `:,/="`)
}

func isAddress(s string) bool {
	if len(s) < 2 || s[0] == '-' {
		return false
	}
	_, ok := weir.ParseAddress(strings.TrimRight(s, ","))
	return ok
}

// isIPv4 says whether s is a dotted quad in its usual form, which needs no
// parsing.
func isIPv4(s string) bool {
	if len(s) > 15 {
		return false
	}
	dots, digits, n := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if digits == 0 {
				return false
			}
			dots, digits, n = dots+1, 0, 0
		case c >= '0' && c <= '9':
			if digits > 0 && n == 0 {
				return false
			}
			n = n*10 + int(c-'0')
			if digits++; n > 255 {
				return false
			}
		default:
			return false
		}
	}
	return dots == 3 && digits > 0
}
