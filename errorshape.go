package weir

import (
	"strings"
	"unicode/utf8"
)

// MaxError is the most bytes of Call.Error that are stored; the rest is cut off.
const MaxError = 1024

// MaxErrorShape is the most bytes of ErrorShape.
const MaxErrorShape = 200

// Placeholders of ErrorShape.
const (
	shapeNumber  = "<n>"
	shapeID      = "<id>"
	shapeText    = "<text>"
	shapeAddress = "<address>"
)

// CutError returns at most MaxError bytes of a message, in whole characters.
func CutError(message string) string { return cutText(message, MaxError) }

func cutText(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return strings.Clone(s[:limit]) // the rest need not stay in memory
}

// ErrorShape returns what messages of one kind have in common. The parts that differ are
// replaced by placeholders. Example: "no user 17" and "no user 18" both give "no user <n>".
//
//   - <text>: what stands between a pair of '…', "…" or `…`
//   - <address>: an IPv4 or IPv6 address with or without a port, a mail address, a URL
//   - <id>: a UUID, a number with 0x, 8 or more hex digits, and a word of 6 or more letters and
//     digits in turn, as ids of payment providers have; at least one of them is a digit
//   - <n>: any other digits, with sign, point and exponent, and a duration such as 1m30.5s
//
// White space is one space. A shape has at most MaxErrorShape bytes and no digits.
//
// Example: `user "ada": timeout after 30.5s at 10.0.0.7:5432` is
// `user <text>: timeout after <n> at <address>`.
func ErrorShape(message string) string {
	s := shaper{in: CutError(message)}
	for s.at < len(s.in) && s.out.Len() <= MaxErrorShape {
		s.next()
	}
	return strings.TrimRight(cutText(s.out.String(), MaxErrorShape), " ")
}

// shaper reads a message from left to right.
type shaper struct {
	in  string
	at  int
	out strings.Builder

	unclosed string // quotes that nothing closes from here on
	tokenEnd int    // where the text without spaces ends that was looked at last
}

// next reads white space, a placeholder's text, a word or another character.
func (s *shaper) next() {
	c := s.in[s.at]
	switch {
	case c <= ' ':
		for s.at < len(s.in) && s.in[s.at] <= ' ' {
			s.at++
		}
		if s.out.Len() > 0 {
			s.out.WriteByte(' ')
		}
		return
	case s.quoted(c):
		s.out.WriteString(shapeText)
		return
	case s.begins() && s.address():
		s.out.WriteString(shapeAddress)
		return
	case isWordByte(c):
		s.word()
		return
	case (c == '-' || c == '+') && s.begins() && s.at+1 < len(s.in) && isDigit(s.in[s.at+1]):
		s.at++
		s.word()
		return
	}
	s.out.WriteByte(c)
	s.at++
}

// begins says that no letter or digit stands before the place.
func (s *shaper) begins() bool { return s.at == 0 || !isWordByte(s.in[s.at-1]) }

// quoted reads text in quotes. A quote behind a letter is an apostrophe, as in can't; so is
// one before a letter, as a closing quote.
func (s *shaper) quoted(quote byte) bool {
	if quote != '\'' && quote != '"' && quote != '`' || quote == '\'' && !s.begins() || strings.IndexByte(s.unclosed, quote) >= 0 {
		return false
	}
	for i := s.at + 1; i < len(s.in); i++ {
		if s.in[i] == '\\' {
			i++
			continue
		}
		if s.in[i] == quote && (quote != '\'' || i+1 == len(s.in) || !isWordByte(s.in[i+1])) {
			s.at = i + 1
			return true
		}
	}
	s.unclosed += string(quote)
	return false
}

// address reads an address that begins at the place, up to white space or a closing mark.
func (s *shaper) address() bool {
	if c := s.in[s.at]; !isAlnum(c) && c != '[' && c != ':' {
		return false
	}
	if s.at >= s.tokenEnd {
		s.tokenEnd = s.at
		for s.tokenEnd < len(s.in) && s.in[s.tokenEnd] > ' ' && strings.IndexByte(`"'<>(),;`+"`", s.in[s.tokenEnd]) < 0 {
			s.tokenEnd++
		}
	}
	rest := s.in[s.at:s.tokenEnd]
	if n := urlLen(rest); n > 0 {
		s.at += n
		return true
	}
	for _, length := range []func(string) int{ipv4Len, ipv6Len, mailLen} {
		if n := length(rest); n > 0 && (n == len(rest) || !isWordByte(rest[n])) {
			s.at += n
			return true
		}
	}
	return false
}

// word reads letters and digits. It writes them, or the placeholder that stands for them.
func (s *shaper) word() {
	rest := s.in[s.at:]
	if n := uuidLen(rest); n > 0 {
		s.at += n
		s.out.WriteString(shapeID)
		return
	}
	if n := durationLen(rest); n > 0 {
		s.at += n
		s.out.WriteString(shapeNumber)
		return
	}
	n := 0
	for n < len(rest) && isAlnum(rest[n]) {
		n++
	}
	if n == 0 { // _ or a character beyond ASCII
		s.out.WriteByte(rest[0])
		s.at++
		return
	}
	if isID(rest[:n]) {
		s.at += n
		s.out.WriteString(shapeID)
		return
	}
	for end := s.at + n; s.at < end; {
		if digits := numberLen(s.in[s.at:]); digits > 0 {
			s.at += digits
			s.out.WriteString(shapeNumber)
			continue
		}
		s.out.WriteByte(s.in[s.at])
		s.at++
	}
}

// isID says whether letters and digits are an id.
func isID(word string) bool {
	hex, digits, turns := true, 0, 0
	for i := range len(word) {
		c := word[i]
		if isDigit(c) {
			digits++
		}
		hex = hex && isHex(c)
		if i > 0 && isDigit(c) != isDigit(word[i-1]) {
			turns++
		}
	}
	if digits == 0 || digits == len(word) {
		return false
	}
	if len(word) > 2 && isDigit(word[0]) && word[1]|0x20 == 'x' && allHex(word[2:]) {
		return true
	}
	return hex && len(word) >= 8 || turns >= 2 && len(word) >= 6
}

func allHex(s string) bool {
	for i := range len(s) {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

// numberLen is the length of a number without its sign: digits, with groups behind points and
// commas, and an exponent.
func numberLen(s string) int {
	n := digitsLen(s)
	if n == 0 {
		return 0
	}
	for n+1 < len(s) && (s[n] == '.' || s[n] == ',') && isDigit(s[n+1]) {
		n += 1 + digitsLen(s[n+1:])
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		e := n + 1
		if e < len(s) && (s[e] == '-' || s[e] == '+') {
			e++
		}
		if d := digitsLen(s[min(e, len(s)):]); d > 0 && (e+d == len(s) || !isWordByte(s[e+d])) {
			n = e + d
		}
	}
	return n
}

// durationLen is the length of a duration such as 1h2m0.5s, with nothing of a word behind it.
func durationLen(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		d := numberLen(s[n:])
		unit := 0
		for _, u := range []string{"ns", "us", "µs", "μs", "ms", "s", "m", "h"} {
			if strings.HasPrefix(s[n+d:], u) {
				unit = len(u)
				break
			}
		}
		if unit == 0 {
			return 0
		}
		n += d + unit
	}
	if n < len(s) && isWordByte(s[n]) {
		return 0
	}
	return n
}

// uuidLen is 36 if s begins with a UUID, else 0.
func uuidLen(s string) int {
	const size = 36
	if len(s) < size || len(s) > size && isWordByte(s[size]) {
		return 0
	}
	for i := range size {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return 0
		}
	}
	return size
}

// ipv4Len is the length of four groups of one to three digits, with a port if there is one.
func ipv4Len(s string) int {
	n := 0
	for group := range 4 {
		if group > 0 {
			if n >= len(s) || s[n] != '.' {
				return 0
			}
			n++
		}
		d := digitsLen(s[n:])
		if d == 0 || d > 3 {
			return 0
		}
		n += d
	}
	return n + portLen(s[n:])
}

// ipv6Len is the length of hex digits between colons: eight groups, or fewer with "::". In
// brackets a port may follow.
func ipv6Len(s string) int {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 || ipv6Len(s[1:end]) != end-1 {
			return 0
		}
		return end + 1 + portLen(s[end+1:])
	}
	n, colons := 0, 0
	for n < len(s) && n < maxIPv6 && (isHex(s[n]) || s[n] == ':') {
		if s[n] == ':' {
			colons++
		}
		n++
	}
	if n > 0 && s[n-1] == ':' && !strings.HasSuffix(s[:n], "::") { // a colon behind the address
		n, colons = n-1, colons-1
	}
	for g := range strings.SplitSeq(s[:n], ":") {
		if len(g) > 4 {
			return 0
		}
	}
	if short := strings.Contains(s[:n], "::"); short && colons >= 2 && n > 2 || colons == 7 {
		return n
	}
	return 0
}

// maxIPv6 is as long as an IPv6 address can be, and a colon.
const maxIPv6 = 40

func portLen(s string) int {
	if len(s) > 1 && s[0] == ':' && isDigit(s[1]) {
		return 1 + digitsLen(s[1:])
	}
	return 0
}

// mailLen is the length of a mail address, without a point or a colon behind it.
func mailLen(s string) int {
	at := strings.IndexByte(s, '@')
	if at <= 0 || !strings.Contains(s[at:], ".") || strings.ContainsAny(s[:at], ":/=[]{}") {
		return 0
	}
	return len(strings.TrimRight(s, ".:!?]}"))
}

// urlLen is the length of scheme://…, without a point or a colon behind it.
func urlLen(s string) int {
	n := strings.Index(s, "://")
	if n <= 0 {
		return 0
	}
	for i := range n {
		if c := s[i]; !isAlnum(c) && c != '+' && c != '-' && c != '.' {
			return 0
		}
	}
	return len(strings.TrimRight(s, ".:!?]}"))
}

func digitsLen(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func isAlnum(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }

// isWordByte counts each character beyond ASCII as a letter.
func isWordByte(c byte) bool { return isAlnum(c) || c == '_' || c >= utf8.RuneSelf }
