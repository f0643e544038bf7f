package client

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
)

const (
	otherRoute  = "other"
	mostForms   = 200 // routes made of paths, per Record
	mostParts   = 6   // of a path's form
	longestPart = 32  // bytes
)

// Form returns the route of a path that no pattern is known of: parts that look like an
// id, or anything else than a short word, become {id}; at most six parts are kept.
// /users/42/orders is /users/{id}/orders.
func Form(path string) string {
	var b strings.Builder
	b.Grow(len(path) + 8)
	n := 0
	for part := range strings.SplitSeq(path, "/") {
		if part == "" {
			continue
		}
		if n++; n > mostParts {
			b.WriteString("/*")
			break
		}
		b.WriteByte('/')
		if isWord(part) {
			b.WriteString(part)
		} else {
			b.WriteString("{id}")
		}
	}
	if n == 0 {
		return "/"
	}
	return b.String()
}

// isWord says whether a part of a path is letters and -._~, with up to two digits
// at its end: v2, oauth2, index.html.
func isWord(part string) bool {
	word := strings.TrimRight(part, "0123456789")
	if word == "" || len(part) > longestPart || len(part)-len(word) > 2 {
		return false
	}
	for i := range len(word) {
		switch c := word[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '-', c == '.', c == '_', c == '~':
		default:
			return false
		}
	}
	return true
}

// forms bounds how many forms there are. One that only failed requests have asked
// for is not added, so that a scanner cannot take the room of what exists.
type forms struct {
	mu    sync.RWMutex
	known map[string]bool
}

// bounded returns the form, or what stands for those that are not known.
func (f *forms) bounded(form, other string, status int) string {
	f.mu.RLock()
	known, room := f.known[form], len(f.known) < mostForms
	f.mu.RUnlock()
	switch {
	case known:
		return form
	case !room, 400 <= status && status < 500:
		return other
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.known) >= mostForms {
		return other
	}
	if f.known == nil {
		f.known = map[string]bool{}
	}
	f.known[form] = true
	return form
}

// route names a call by its ServeMux pattern. One that ends in a slash says only
// where another router, or a handler of many paths, begins: a form of the rest of
// the path follows it.
func (f *forms) route(pattern, path string, status int) string {
	pattern = fromPattern(pattern)
	switch {
	case pattern == "", pattern == "/":
		return f.bounded(Form(path), otherRoute, status)
	case !strings.HasSuffix(pattern, "/"):
		return pattern
	}
	rest := Form(below(pattern, path))
	if rest == "/" {
		return pattern
	}
	return f.bounded(pattern+rest[1:], pattern+"*", status)
}

// below returns what of a path comes after the parts of a pattern; all of it if the
// path does not begin with them, as behind http.StripPrefix.
func below(pattern, path string) string {
	rest := strings.TrimPrefix(path, "/")
	_, prefix, _ := strings.Cut(strings.TrimSuffix(pattern, "/"), "/") // without the host
	for prefix != "" {
		var want, part string
		want, prefix, _ = strings.Cut(prefix, "/")
		part, rest, _ = strings.Cut(rest, "/")
		if !strings.HasPrefix(want, "{") && unescaped(part) != unescaped(want) {
			return path
		}
	}
	return rest
}

// unescaped returns a part as ServeMux compares it.
func unescaped(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part
}

// fromPattern returns the path of a ServeMux pattern, with its host if it has one.
func fromPattern(pattern string) string {
	if _, path, ok := strings.Cut(pattern, " "); ok {
		return strings.TrimLeft(path, " \t")
	}
	return pattern
}

// knownMethod returns the method, or "other": anybody can make up a method.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return otherRoute
}
