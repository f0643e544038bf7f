package enrich

import (
	"strings"

	weir "github.com/weir-analytics/weir"
)

// address is a URL in its parts, as far as Weir reads them. Parts are slices
// of the URL where possible.
type address struct {
	origin string // scheme://host[:port], lower case, without a default port
	host   string // lower case, without port; the brackets of IPv6 stay
	path   string // "/" at least when there is a host
	query  string // without "?"
	// fragment is the query of the fragment, where routes are hashes ("#/shop?a=b"), or the
	// fragment itself if it is written as a query is ("#a=b").
	fragment string
}

// split takes a URL apart. It reads what browsers, apps and access logs send:
// absolute URLs of any scheme with an authority, and bare paths. Of URLs
// without an authority (about:blank, data:) it returns nothing. User information
// is dropped: it may be a password. It never fails; what makes no sense is
// empty.
func split(raw string) address {
	var a address
	raw = strings.TrimSpace(raw)
	if i := strings.IndexByte(raw, '#'); i >= 0 {
		fragment := raw[i+1:]
		if j := strings.IndexByte(fragment, '?'); j >= 0 {
			fragment = fragment[j+1:]
		}
		if strings.IndexByte(fragment, '=') >= 0 {
			a.fragment = fragment[:min(len(fragment), maxQuery)]
		}
		raw = raw[:i]
	}
	if i := strings.IndexByte(raw, '?'); i >= 0 {
		raw, a.query = raw[:i], raw[i+1:]
		a.query = a.query[:min(len(a.query), maxQuery)]
	}
	scheme, authority, path, ok := splitAuthority(raw)
	if !ok {
		if schemeLen(raw) == 0 || hostPort(raw) { // "example.com:8080/x" may be a path, "about:blank" is none
			a.path = clean(weir.NormalPath(raw), maxPath)
			return a
		}
		return address{}
	}
	a.path = "/"
	if path != "" {
		a.path = clean(weir.NormalPath(path), maxPath)
	}
	host, port, ok := splitPort(authority)
	if !ok || host == "" {
		return a
	}
	a.host = strings.ToLower(host)
	scheme = strings.ToLower(scheme)
	if scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		port = ""
	}
	if rest, ok := strings.CutPrefix(raw, scheme); ok && port == "" && strings.HasPrefix(rest[len("://"):], a.host) {
		a.origin = raw[:len(scheme)+len("://")+len(a.host)] // as it is written
		return a
	}
	a.origin = scheme + "://" + a.host
	if port != "" {
		a.origin += ":" + port
	}
	return a
}

// splitAuthority takes a URL without query and fragment apart at "://" and the
// first slash after it; ok is false if it has no such beginning. The authority
// is without user information.
func splitAuthority(url string) (scheme, authority, path string, ok bool) {
	n := schemeLen(url)
	if n == 0 || !strings.HasPrefix(url[n:], "://") {
		return "", "", "", false
	}
	authority = url[n+3:]
	if i := indexEither(authority, '/', '\\'); i >= 0 {
		authority, path = authority[:i], authority[i:]
	}
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		authority = authority[i+1:]
	}
	return url[:n], authority, path, true
}

// schemeLen returns the length of the scheme that s begins with, before its colon;
// 0 if there is none.
func schemeLen(s string) int {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		case i > 0 && ('0' <= c && c <= '9' || c == '+' || c == '-' || c == '.'):
		case i > 0 && i <= 32 && c == ':':
			return i
		default:
			return 0
		}
	}
	return 0
}

// hostPort says whether a colon in s is followed by a digit, as in host:port,
// rather than by the rest of a URL.
func hostPort(s string) bool {
	i := strings.IndexByte(s, ':')
	return i >= 0 && i+1 < len(s) && '0' <= s[i+1] && s[i+1] <= '9'
}

// splitPort takes host[:port] apart; ok is false if either is not one.
func splitPort(s string) (host, port string, ok bool) {
	host = s
	if i := strings.LastIndexByte(s, ':'); i >= 0 && i > strings.LastIndexByte(s, ']') {
		host, port = s[:i], s[i+1:]
	}
	if len(host) > maxHost || len(port) > 5 {
		return "", "", false
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return "", "", false
		}
	}
	return host, port, isHost(host)
}

// isHost says whether s is written as a host name or address is. Names with
// other letters than ASCII are taken only in their "xn--" form, which is what
// browsers send.
func isHost(s string) bool {
	if strings.HasPrefix(s, "[") {
		if !strings.HasSuffix(s, "]") {
			return false
		}
		for i := 1; i < len(s)-1; i++ {
			if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') && c != ':' && c != '.' {
				return false
			}
		}
		return len(s) > 2
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.' && i > 0 && s[i-1] != '.':
		default:
			return false
		}
	}
	return true
}

// withoutWWW returns the host without a leading "www." and without the dot that may
// end a name.
func withoutWWW(host string) string {
	host = strings.TrimSuffix(host, ".")
	if rest, ok := strings.CutPrefix(host, "www."); ok && rest != "" {
		return rest
	}
	return host
}

// withoutQuery returns a path without what follows "?" or "#".
func withoutQuery(path string) string {
	if i := indexEither(path, '?', '#'); i >= 0 {
		return path[:i]
	}
	return path
}
