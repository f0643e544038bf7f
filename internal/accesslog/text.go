package accesslog

import (
	"strings"
	"unicode/utf8"
)

// clean makes s storable everywhere: invalid UTF-8 and NUL become U+FFFD.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return s
}

// unescape undoes what a server does to text that it puts between quotes: \" and
// \\, \n and its like, and \xNN for other bytes (Apache's ap_escape_logitem,
// nginx's default escape). Bytes that do not add up to text, such as a referrer
// in a legacy charset, are left as they were written: readable, and still equal
// to each other.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	if full := decode(s, true); utf8.ValidString(full) && strings.IndexByte(full, 0) < 0 {
		return full
	}
	return decode(s, false)
}

// decode resolves \" and \\ and, if all is set, every other known escape.
func decode(s string, all bool) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			out = append(out, s[i])
			continue
		}
		b, size := escape(s[i:], all)
		if size == 0 {
			out = append(out, s[i])
			continue
		}
		out = append(out, b)
		i += size - 1
	}
	return string(out)
}

// escape reads the escape that s begins with; size 0 means that it is none.
func escape(s string, all bool) (b byte, size int) {
	switch c := s[1]; {
	case c == '"' || c == '\\':
		return c, 2
	case !all:
		return 0, 0
	case c == 'x' && len(s) >= 4:
		hi, ok1 := hexDigit(s[2])
		lo, ok2 := hexDigit(s[3])
		if ok1 && ok2 {
			return hi<<4 | lo, 4
		}
	default:
		if i := strings.IndexByte("bfnrtv", c); i >= 0 {
			return "\b\f\n\r\t\v"[i], 2
		}
	}
	return 0, 0
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
