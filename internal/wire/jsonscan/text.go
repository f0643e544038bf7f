package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// AppendString appends a text, which is UTF-8, as a JSON string.
func AppendString(dst, text []byte) []byte {
	dst = append(dst, '"')
	for len(text) > 0 {
		n := 0
		for n < len(text) && text[n] >= ' ' && text[n] != '"' && text[n] != '\\' {
			n++
		}
		dst = append(dst, text[:n]...)
		if text = text[n:]; len(text) > 0 {
			dst = AppendEscaped(dst, rune(text[0]))
			text = text[1:]
		}
	}
	return append(dst, '"')
}

// Quoted is a string's text between its quotes, as it came.
type Quoted struct {
	Text    []byte // part of the scanned data
	Escaped bool   // holds a backslash
	ascii   bool   // holds no byte over 0x7f
}

// Valid reports whether the text is UTF-8. Escapes cannot make it less so:
// unescape writes U+FFFD for half a surrogate pair.
func (q Quoted) Valid() bool { return q.ascii || utf8.Valid(q.Text) }

// Quoted reads the string at the cursor.
func (s *Scanner) Quoted() (Quoted, bool) {
	if s.Peek() != '"' {
		return Quoted{}, s.Fail("want a string")
	}
	begin := s.pos + 1
	i, high := plain(s.data, begin)
	if i < len(s.data) && s.data[i] == '"' {
		s.pos = i + 1
		return Quoted{Text: s.data[begin:i], ascii: !high}, true
	}
	for {
		s.pos = i
		if i >= len(s.data) {
			return Quoted{}, s.Fail("")
		}
		switch s.data[i] {
		case '"':
			s.pos = i + 1
			return Quoted{Text: s.data[begin:i], Escaped: true, ascii: !high}, true
		case '\\':
			n := escapeLen(s.data[i:])
			if n == 0 {
				return Quoted{}, s.Fail("wrong escape in a string")
			}
			var h bool
			i, h = plain(s.data, i+n)
			high = high || h
		default:
			return Quoted{}, s.Fail("control character in a string")
		}
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain is the index of the first byte from i on that may not stand as it is
// inside a string: a quote, a backslash or a control character; len(b) if
// there is none. high reports whether a byte over 0x7f was passed.
//
// Eight bytes at a time: for a word w, (w - n·ones) &^ w & highs marks the
// bytes below n. A borrow can mark a byte wrongly only above one that is
// marked rightly, and only the lowest mark is used.
func plain(b []byte, i int) (end int, high bool) {
	var seen uint64
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		q, e := w^('"'*ones), w^('\\'*ones)
		m := ((w-' '*ones)&^w | (q-ones)&^q | (e-ones)&^e) & highs
		if m != 0 {
			n := bits.TrailingZeros64(m) &^ 7 // bits before the byte found
			seen |= w & (1<<n - 1)
			return i + n/8, seen&highs != 0
		}
		seen |= w
	}
	for ; i < len(b); i++ {
		c := b[i]
		if c == '"' || c == '\\' || c < ' ' {
			break
		}
		seen |= uint64(c)
	}
	return i, seen&highs != 0
}

// escapeLen is the length of the escape that b begins with, 0 if it is wrong.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads four hex digits.
func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Unescape appends the meaning of a string's text, which str has checked, and
// reports whether an escape meant NUL. With quote, what must be escaped in JSON is
// escaped again, in the one shortest way, so that equal strings become equal
// bytes.
func Unescape(dst, text []byte, quote bool) (out []byte, nul bool) {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			end := i + 1
			for end < len(text) && text[end] != '\\' {
				end++
			}
			dst = append(dst, text[i:end]...)
			i = end
			continue
		}
		r := rune(text[i+1])
		i += 2
		switch r {
		case 'b':
			r = '\b'
		case 'f':
			r = '\f'
		case 'n':
			r = '\n'
		case 'r':
			r = '\r'
		case 't':
			r = '\t'
		case 'u':
			r, _ = hex4(text[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if i+6 <= len(text) && text[i] == '\\' && text[i+1] == 'u' {
					low, _ := hex4(text[i+2:])
					pair = utf16.DecodeRune(r, low)
				}
				if r = pair; r != utf8.RuneError {
					i += 6
				}
			}
			nul = nul || r == 0
		}
		if quote {
			dst = AppendEscaped(dst, r)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst, nul
}

// AppendEscaped appends a rune as it stands in a JSON string.
func AppendEscaped(dst []byte, r rune) []byte {
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	if r < ' ' {
		const digits = "0123456789abcdef"
		return append(dst, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
	}
	return utf8.AppendRune(dst, r)
}
