package accesslog

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonLines parses logs of one JSON object a line, by a tree of wanted members.
// Of a member that stands twice the last counts.
type jsonLines struct {
	root *tree
	values

	dec     *jsontext.Decoder
	buf     bytes.Buffer
	scratch []byte
}

func newJSONLines(root *tree, o Options) *jsonLines {
	return &jsonLines{root: root, values: newValues(o), dec: jsontext.NewDecoder(bytes.NewReader(nil))}
}

func (p *jsonLines) Parse(line []byte, e *Entry) error {
	p.begin(e)
	if !utf8.Valid(line) {
		line = bytes.ToValidUTF8(line, []byte("\uFFFD"))
	}
	p.buf.Reset()
	p.buf.Write(line)
	p.dec.Reset(&p.buf, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

	if p.dec.PeekKind() != '{' {
		if _, err := p.dec.ReadToken(); err != nil {
			return p.syntax(err)
		}
		return syntaxError(1, "expected a JSON object")
	}
	if err := p.object(p.root, e); err != nil {
		return err
	}
	if _, err := p.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return syntaxError(int(p.dec.InputOffset()), "expected nothing after the JSON object")
	}
	return p.finish(e)
}

// syntax is the error of a line that is not JSON.
func (p *jsonLines) syntax(err error) error {
	if s, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return syntaxError(int(s.ByteOffset)+1, "the line ends within its JSON")
		}
		return syntaxError(int(s.ByteOffset)+1, "not JSON: %v", s.Err)
	}
	return syntaxError(int(p.dec.InputOffset())+1, "not JSON: %v", err)
}

// object reads the members of an object that t names.
func (p *jsonLines) object(t *tree, e *Entry) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	for p.dec.PeekKind() != '}' {
		name, err := p.dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		m, err := p.member(t, name)
		if err != nil {
			return err
		}
		if m == nil {
			if err := p.dec.SkipValue(); err != nil {
				return p.syntax(err)
			}
			continue
		}
		if err := p.value(m, e); err != nil {
			return err
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	return nil
}

func (p *jsonLines) member(t *tree, quoted jsontext.Value) (*tree, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return t.members[string(quoted[1:len(quoted)-1])], nil
	}
	name, err := p.unquote(quoted)
	return t.members[string(name)], err
}

// unquote is the text of a JSON string, valid until the next call.
func (p *jsonLines) unquote(quoted jsontext.Value) ([]byte, error) {
	var err error
	// Lone surrogates become U+FFFD, which is no error here.
	if p.scratch, err = jsontext.AppendUnquote(p.scratch[:0], []byte(quoted)); err != nil && !utf8.Valid(p.scratch) {
		return nil, p.syntax(err)
	}
	return p.scratch, nil
}

// value reads a value that t names: all of an object, the first element of an array, or text
// and numbers.
func (p *jsonLines) value(t *tree, e *Entry) error {
	switch p.dec.PeekKind() {
	case '{':
		if t.members != nil {
			return p.object(t, e)
		}
	case '[':
		return p.array(t, e)
	case '"', '0':
		raw, err := p.dec.ReadValue()
		if err != nil {
			return p.syntax(err)
		}
		if t.field == fieldNone {
			return nil
		}
		return p.set(t.field, raw, e)
	}
	// null is unknown; what else has no meaning here is not the field.
	if err := p.dec.SkipValue(); err != nil {
		return p.syntax(err)
	}
	return nil
}

func (p *jsonLines) array(t *tree, e *Entry) error {
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	for i := 0; p.dec.PeekKind() != ']'; i++ {
		if i == 0 {
			if err := p.value(t, e); err != nil {
				return err
			}
		} else if err := p.dec.SkipValue(); err != nil {
			return p.syntax(err)
		}
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return p.syntax(err)
	}
	return nil
}

// set puts a JSON string or number into its field. The text "-" and "" is
// unknown.
func (p *jsonLines) set(f field, raw jsontext.Value, e *Entry) error {
	column := int(p.dec.InputOffset()) - len(raw) + 1
	var s string
	isText := raw[0] == '"'
	if isText {
		text, err := p.unquote(raw)
		if err != nil {
			return err
		}
		s = clean(string(text))
	} else {
		s = string(raw)
	}
	if reason := p.setText(f, s, isText, e); reason != "" {
		return syntaxError(column, "%s", reason)
	}
	return nil
}
