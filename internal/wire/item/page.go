package item

import (
	"bytes"
	"unicode/utf8"
)

// Truncate returns a text of at most n bytes, cut at the end of a character.
func Truncate(text []byte, n int) []byte {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// HostOf returns the host of an absolute URL, without port.
func HostOf(url []byte) []byte {
	_, host, ok := bytes.Cut(url, []byte("://"))
	if !ok {
		return nil
	}
	if i := bytes.IndexAny(host, `/\?#`); i >= 0 {
		host = host[:i]
	}
	host = host[bytes.LastIndexByte(host, '@')+1:]
	if i := bytes.LastIndexByte(host, ':'); i > bytes.LastIndexByte(host, ']') {
		host = host[:i]
	}
	return host
}

// HashPath appends the path of a page whose URL names it by the fragment: the path, then the
// fragment. "/#/pricing" becomes "/pricing". It returns nil without a fragment.
func HashPath(dst, url []byte) []byte {
	url, route, _ := bytes.Cut(url, []byte("#"))
	route = bytes.TrimLeft(bytes.TrimPrefix(route, []byte("!")), "/")
	if i := bytes.IndexAny(route, "?#"); i >= 0 {
		route = route[:i]
	}
	if len(route) == 0 {
		return nil
	}
	if _, rest, ok := bytes.Cut(url, []byte("://")); ok {
		if url = nil; bytes.IndexByte(rest, '/') >= 0 {
			url = rest[bytes.IndexByte(rest, '/'):]
		}
	}
	url, _, _ = bytes.Cut(url, []byte("?"))
	dst = append(dst, bytes.TrimRight(url, "/")...)
	return append(append(dst, '/'), route...)
}
