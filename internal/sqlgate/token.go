package sqlgate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind uint8

const (
	word   tokenKind = iota // a keyword or a name, in small letters
	quoted                  // a name in double quotes, as it is written
	text                    // in single quotes, without them
	number
	param // the digits after $, or nothing for ?
	operator
	end
)

type token struct {
	kind tokenKind
	text string
	at   int
	raw  string // of a word: as it is written
}

// shown is the token for a message.
func (t token) shown() string {
	if t.kind == end {
		return "the end of the statement"
	}
	s := t.text
	if r := []rune(s); len(r) > 30 {
		s = string(r[:30]) + "…"
	}
	return `"` + s + `"`
}

// operators, the longer ones first.
var operators = []string{"->>", "<=", ">=", "<>", "!=", "||", "::", "->", "(", ")", ",", ".", "*", "+", "-", "/", "%", "=", "<", ">", ";"}

// tokens splits a statement. Comments and blanks are left out.
func tokens(sql string) ([]token, *fault) {
	if !utf8.ValidString(sql) {
		return nil, faultf(0, "the statement is not UTF-8")
	}
	var out []token
	for at := 0; ; {
		rest, err := blanks(sql, at)
		if err != nil {
			return nil, err
		}
		at = rest
		if at == len(sql) {
			return append(out, token{kind: end, at: at}), nil
		}
		if len(out) == maxTokens {
			return nil, faultf(at, "the statement has more than %d words", maxTokens)
		}
		t, next, err := nextToken(sql, at)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
		at = next
	}
}

// blanks returns where blanks and comments end.
func blanks(sql string, at int) (int, *fault) {
	for at < len(sql) {
		switch s := sql[at:]; {
		case strings.IndexByte(" \t\r\n", s[0]) >= 0:
			at++
		case strings.HasPrefix(s, "--"):
			n := strings.IndexByte(s, '\n')
			if n < 0 {
				return len(sql), nil
			}
			at += n
		case strings.HasPrefix(s, "/*"):
			n := strings.Index(s[2:], "*/")
			if n < 0 {
				return 0, faultf(at, "the comment has no end")
			}
			at += n + 4
		default:
			return at, nil
		}
	}
	return at, nil
}

func nextToken(sql string, at int) (t token, next int, _ *fault) {
	r, size := utf8.DecodeRuneInString(sql[at:])
	switch {
	case r == '_' || unicode.IsLetter(r):
		next = at + size
		for next < len(sql) {
			r, size := utf8.DecodeRuneInString(sql[next:])
			if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				break
			}
			next += size
		}
		return token{word, strings.ToLower(sql[at:next]), at, sql[at:next]}, next, nil
	case r == '"' || r == '\'':
		s, next, ok := between(sql, at, byte(r))
		if !ok {
			return t, 0, faultf(at, "the quote has no end")
		}
		kind := text
		if r == '"' {
			kind = quoted
			if s == "" {
				return t, 0, faultf(at, "the name is empty")
			}
		}
		if strings.ContainsRune(s, 0) {
			return t, 0, faultf(at, "a character of the text is not allowed")
		}
		return token{kind, s, at, s}, next, nil
	case isDigit(sql, at) || r == '.' && isDigit(sql, at+1):
		next = numberEnd(sql, at)
		return token{kind: number, text: sql[at:next], at: at}, next, nil
	case r == '$' && isDigit(sql, at+1):
		next = digits(sql, at+1)
		return token{kind: param, text: sql[at+1 : next], at: at}, next, nil
	case r == '?':
		return token{kind: param, at: at}, at + 1, nil
	}
	for _, o := range operators {
		if strings.HasPrefix(sql[at:], o) {
			return token{kind: operator, text: o, at: at}, at + len(o), nil
		}
	}
	return t, 0, faultf(at, "the character %q is not allowed", r)
}

// between returns what is in quotes. A quote that stands twice is one of the text.
func between(sql string, at int, quote byte) (s string, next int, ok bool) {
	var b strings.Builder
	for i := at + 1; i < len(sql); i++ {
		switch {
		case sql[i] != quote:
			b.WriteByte(sql[i])
		case i+1 < len(sql) && sql[i+1] == quote:
			b.WriteByte(quote)
			i++
		default:
			return b.String(), i + 1, true
		}
	}
	return "", 0, false
}

func isDigit(sql string, at int) bool { return at < len(sql) && sql[at] >= '0' && sql[at] <= '9' }

func digits(sql string, at int) int {
	for isDigit(sql, at) {
		at++
	}
	return at
}

// numberEnd returns where a number ends that begins with a digit or a point.
func numberEnd(sql string, at int) int {
	at = digits(sql, at)
	if at < len(sql) && sql[at] == '.' {
		at = digits(sql, at+1)
	}
	if at < len(sql) && (sql[at] == 'e' || sql[at] == 'E') {
		exp := at + 1
		if exp < len(sql) && (sql[exp] == '+' || sql[exp] == '-') {
			exp++
		}
		if isDigit(sql, exp) {
			at = digits(sql, exp)
		}
	}
	return at
}
