package dump

import "strings"

// ClickHouse writes maps and arrays into CSV as {'key':'value'} and ['a','b'],
// with backslashes before what would end a string.
// Source: clickhouse.com/docs/interfaces/formats/CSV.

// literalMap reads a map of strings.
func literalMap(text string) (map[string]any, bool) {
	l := literal{text: strings.TrimSpace(text)}
	if !l.accept('{') {
		return nil, false
	}
	out := map[string]any{}
	for first := true; !l.accept('}'); first = false {
		if !first && !l.accept(',') {
			return nil, false
		}
		key, ok := l.string()
		if !ok || !l.accept(':') {
			return nil, false
		}
		value, ok := l.string()
		if !ok {
			return nil, false
		}
		out[key] = value
	}
	return out, l.text == ""
}

// literalList reads an array of strings.
func literalList(text string) ([]any, bool) {
	l := literal{text: strings.TrimSpace(text)}
	if !l.accept('[') {
		return nil, false
	}
	out := []any{}
	for first := true; !l.accept(']'); first = false {
		if !first && !l.accept(',') {
			return nil, false
		}
		value, ok := l.string()
		if !ok {
			return nil, false
		}
		out = append(out, value)
	}
	return out, l.text == ""
}

// literal is what is left to read.
type literal struct{ text string }

func (l *literal) accept(c byte) bool {
	t := strings.TrimLeft(l.text, " ")
	if t == "" || t[0] != c {
		return false
	}
	l.text = strings.TrimLeft(t[1:], " ")
	return true
}

func (l *literal) string() (string, bool) {
	l.text = strings.TrimLeft(l.text, " ")
	if !strings.HasPrefix(l.text, "'") {
		return "", false
	}
	var b strings.Builder
	for i := 1; i < len(l.text); i++ {
		switch c := l.text[i]; c {
		case '\'':
			l.text = l.text[i+1:]
			return b.String(), true
		case '\\':
			i++
			if i == len(l.text) {
				return "", false
			}
			b.WriteByte(unescaped(l.text[i]))
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}

func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case '0':
		return 0
	}
	return c
}
