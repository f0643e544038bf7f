package main

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// The files of deploy/ that are YAML keep to a part of it, which this reads:
// mappings, sequences, plain and double-quoted scalars of one line, and texts
// after "|". Anything else is an error, so that nothing is misread.

// line is one that says something.
type line struct {
	n, indent int
	text      string
}

type yamlReader struct {
	raw  []string
	next int // index in raw
}

// readYAML returns a tree of map[string]any, []any and string.
func readYAML(t *testing.T, text string) (tree any) {
	t.Helper()
	r := &yamlReader{raw: strings.Split(text, "\n")}
	defer func() {
		if err := recover(); err != nil {
			t.Fatalf("YAML: %v", err)
		}
	}()
	tree = r.node(0)
	if l, ok := r.peek(); ok {
		r.fail(l, "indented less than what it belongs to")
	}
	return tree
}

func (r *yamlReader) fail(l line, why string) {
	panic(fmt.Sprintf("line %d: %s: %q", l.n, why, l.text))
}

// peek is the next line that is no comment.
func (r *yamlReader) peek() (line, bool) {
	for ; r.next < len(r.raw); r.next++ {
		text := strings.TrimLeft(r.raw[r.next], " ")
		if text != "" && text[0] != '#' {
			l := line{r.next + 1, len(r.raw[r.next]) - len(text), text}
			if strings.ContainsRune(text, '\t') || text != strings.TrimSpace(text) {
				r.fail(l, "tabs or spaces at the end")
			}
			return l, true
		}
	}
	return line{}, false
}

// node reads what stands at an indent or deeper.
func (r *yamlReader) node(least int) any {
	l, ok := r.peek()
	if !ok || l.indent < least {
		return ""
	}
	if strings.HasPrefix(l.text, "- ") {
		return r.sequence(l.indent)
	}
	return r.mapping(l.indent)
}

func (r *yamlReader) sequence(indent int) (all []any) {
	for {
		l, ok := r.peek()
		if !ok || l.indent < indent {
			return all
		}
		if l.indent > indent || !strings.HasPrefix(l.text, "- ") {
			r.fail(l, "no item of the sequence")
		}
		// The item is a mapping whose first line stands behind the dash.
		r.raw[r.next] = strings.Repeat(" ", indent+2) + l.text[2:]
		all = append(all, r.mapping(indent+2))
	}
}

func (r *yamlReader) mapping(indent int) map[string]any {
	m := map[string]any{}
	for {
		l, ok := r.peek()
		if !ok || l.indent < indent {
			return m
		}
		key, value, ok := strings.Cut(l.text, ":")
		if l.indent > indent || !ok || strings.ContainsAny(key, ` "'{[`) || value != "" && value[0] != ' ' {
			r.fail(l, "no entry of the mapping")
		}
		if _, twice := m[key]; twice {
			r.fail(l, "a key that is there already")
		}
		r.next++
		switch value = strings.TrimSpace(value); value {
		case "":
			m[key] = r.node(indent + 1)
		case "|":
			m[key] = r.block(indent + 1)
		default:
			m[key] = r.scalar(l, value)
		}
	}
}

func (r *yamlReader) scalar(l line, s string) string {
	if s[0] == '"' {
		text, err := strconv.Unquote(s)
		if err != nil {
			r.fail(l, "not a quoted text")
		}
		return text
	}
	if strings.ContainsAny(s[:1], `'[{>&*!|%@`) || strings.Contains(s, ": ") || strings.Contains(s, " #") {
		r.fail(l, "not a plain text")
	}
	return s
}

func (r *yamlReader) block(least int) string {
	var b strings.Builder
	for ; r.next < len(r.raw); r.next++ {
		text := strings.TrimLeft(r.raw[r.next], " ")
		if text == "" || len(r.raw[r.next])-len(text) < least {
			break
		}
		b.WriteString(text + "\n")
	}
	return b.String()
}
