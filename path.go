package weir

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// NormalPath returns a path in one spelling of its percent-encoding (RFC 3986, section
// 6.2.2): "/%7euser", "/%7Euser" and "/~user" are one page. Unreserved characters and
// valid UTF-8 are decoded, other escapes have upper-case digits. So "%2f" is "%2F" and
// stays an escape: "/a%2Fb" is another page than "/a/b". What is no escape stays.
//
// Spaces and control characters stay escaped too, because enrich drops them. The result of
// a second call is the same. It allocates nothing for a path without "%".
func NormalPath(s string) string {
	at := strings.IndexByte(s, '%')
	if at < 0 {
		return s
	}
	out := append(make([]byte, 0, len(s)), s[:at]...)
	stray := -2 // where the last "%" in out is that begins no escape
	for at < len(s) {
		r, n := escaped(s[at:])
		switch {
		case n == 0:
			if s[at] == '%' {
				stray = len(out)
			}
			out = append(out, s[at])
			at++
		case r != utf8.RuneError && len(out)-stray > 2: // otherwise "%%341" would become the escape "%41"
			out = utf8.AppendRune(out, r)
			at += n
		default:
			out = append(out, strings.ToUpper(s[at:at+3])...)
			at += 3
		}
	}
	return string(out)
}

// escaped returns the character whose escapes s begins with, and how many bytes they take:
// utf8.RuneError if it must stay escaped, 0 bytes if s begins with no escape.
func escaped(s string) (r rune, n int) {
	var b [utf8.UTFMax]byte
	for i := range b {
		c, ok := escapedByte(s[3*i:])
		if !ok {
			break
		}
		b[i] = c
		n = 3 * (i + 1)
		if utf8.FullRune(b[:i+1]) {
			break
		}
	}
	if n == 0 {
		return 0, 0
	}
	r, size := utf8.DecodeRune(b[:n/3])
	switch {
	case size != n/3, r == utf8.RuneError, unicode.IsControl(r), unicode.IsSpace(r):
		return utf8.RuneError, n
	case r < utf8.RuneSelf && !isUnreserved(byte(r)):
		return utf8.RuneError, n
	}
	return r, n
}

// escapedByte returns the byte whose escape s begins with.
func escapedByte(s string) (b byte, ok bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := hexDigit(s[1]), hexDigit(s[2])
	return byte(high<<4 | low), high >= 0 && low >= 0
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// isUnreserved says whether a character means the same with and without its escape (RFC
// 3986, section 2.3).
func isUnreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
