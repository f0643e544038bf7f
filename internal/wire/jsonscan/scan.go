// Package jsonscan reads one JSON text (RFC 8259) that lies in memory, value by value,
// without a tree and without copies. DESIGN.md of package wire has the measurement
// against other decoders.
package jsonscan

import (
	"bytes"
)

// EachMember steps through the object at pos, or null: each reads a value.
func (s *Scanner) EachMember(each func(key string)) {
	if s.Peek() == 'n' {
		s.Literal("null")
		return
	}
	if s.Peek() != '{' {
		s.Fail("want an object")
		return
	}
	for more := s.Begin('}'); more; more = s.More('}') {
		if key, ok := s.Key(); ok {
			each(string(key))
		}
	}
}

// Member steps through an object for the values under one name.
func (s *Scanner) Member(name string, read func()) {
	s.EachMember(func(key string) {
		if key == name {
			read()
		} else {
			s.Skip()
		}
	})
}

// EachElement steps through the array at pos, or null.
func (s *Scanner) EachElement(read func()) {
	if s.Peek() == 'n' {
		s.Literal("null")
		return
	}
	if s.Peek() != '[' {
		s.Fail("want an array")
		return
	}
	for more := s.Begin(']'); more; more = s.More(']') {
		read()
	}
}

// Trim cuts the white space and the byte order mark that a text begins with.
func Trim(text []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("\ufeff")), " \t\r\n")
}

// maxNesting bounds the brackets open at once in a body. It is what
// encoding/json allows, and is far above Limits.Depth: deeper properties cost
// one item, a deeper body is refused whole.
const maxNesting = 10_000

// Scanner walks one JSON text (RFC 8259) that lies in memory. It checks syntax
// and nothing else: strings may hold bytes that are not UTF-8. A method that
// meets wrong syntax sets fault, leaves pos at the offending byte and returns
// false; after that the scanner's answers mean nothing.
type Scanner struct {
	Data  []byte
	Pos   int
	Depth int    // brackets that begin opened and more has not closed
	Fault string // what is wrong at pos; "" while nothing is

	KeyBuffer []byte                         // the last key with escapes, unescaped
	stack     [(maxNesting + 63) / 64]uint64 // for skip, a bit per level: 1 is an object
}

// Reset begins another text.
func (s *Scanner) Reset(data []byte) {
	s.Data, s.Pos, s.Depth, s.Fault = data, 0, 0, ""
}

// Fail notes what was wanted at pos.
func (s *Scanner) Fail(fault string) bool {
	if s.Fault == "" {
		if s.Pos >= len(s.Data) {
			fault = "the text ends too early"
		}
		s.Fault = fault
	}
	return false
}

// FailAt is Fail at another position.
func (s *Scanner) FailAt(pos int, fault string) bool {
	s.Pos = pos
	return s.Fail(fault)
}

// Peek is the byte at pos; 0, which begins no token, at the end.
func (s *Scanner) Peek() byte {
	if s.Pos < len(s.Data) {
		return s.Data[s.Pos]
	}
	return 0
}

// IsSpace reports whether a byte is white space in JSON.
func IsSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// Space steps over white space.
func (s *Scanner) Space() {
	if s.Pos < len(s.Data) && s.Data[s.Pos] <= ' ' { // seldom: SDKs send compact JSON
		s.spaces()
	}
}

func (s *Scanner) spaces() {
	for s.Pos < len(s.Data) && IsSpace(s.Data[s.Pos]) {
		s.Pos++
	}
}

// Begin steps over the bracket at pos and the space after it, and says whether
// a first element follows. Between begin and the more that returns false, the
// caller reads one element per round, ending right after it:
//
//	for more := s.begin('}'); more; more = s.more('}') { … }
func (s *Scanner) Begin(closing byte) bool {
	s.Pos++
	s.Depth++
	if s.Depth > maxNesting {
		return s.Fail("nested too deep")
	}
	s.Space()
	if s.Peek() == closing {
		s.Pos++
		s.Depth--
		return false
	}
	return true
}

// More steps over what stands after an element and says whether another
// follows. It returns false after a fault too.
func (s *Scanner) More(closing byte) bool {
	if s.Fault != "" {
		return false
	}
	c := s.Peek()
	if c <= ' ' {
		s.spaces()
		c = s.Peek()
	}
	switch c {
	case ',':
		s.Pos++
		s.Space()
		return true
	case closing:
		s.Pos++
		s.Depth--
		return false
	}
	if closing == '}' {
		return s.Fail(`want "," or "}"`)
	}
	return s.Fail(`want "," or "]"`)
}

// Colon steps over the colon after a key and the space around it.
func (s *Scanner) Colon() bool {
	if s.Peek() != ':' {
		if s.Space(); s.Peek() != ':' {
			return s.Fail(`want ":" after a key`)
		}
	}
	s.Pos++
	s.Space()
	return true
}

// Key reads a key and its colon. The key is unescaped, and valid until the
// next call; bytes that are not UTF-8 stand in it as they came.
func (s *Scanner) Key() (key []byte, ok bool) {
	raw, ok := s.Quoted()
	if !ok {
		return nil, false
	}
	key = raw.Text
	if raw.Escaped {
		s.KeyBuffer, _ = Unescape(s.KeyBuffer[:0], raw.Text, false)
		key = s.KeyBuffer
	}
	return key, s.Colon()
}

// Literal steps over one of true, false, null.
func (s *Scanner) Literal(word string) bool {
	if len(s.Data)-s.Pos < len(word) || string(s.Data[s.Pos:s.Pos+len(word)]) != word {
		return s.Fail("want a value")
	}
	s.Pos += len(word)
	return true
}

// Scalar steps over a value that is neither object nor array.
func (s *Scanner) Scalar() bool {
	switch s.Peek() {
	case '"':
		_, ok := s.Quoted()
		return ok
	case 't':
		return s.Literal("true")
	case 'f':
		return s.Literal("false")
	case 'n':
		return s.Literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, ok := s.Number()
		return ok
	}
	return s.Fail("want a value")
}

// Skip steps over any value, in one pass and without recursion, so that a body
// of brackets costs neither stack nor more than linear time.
func (s *Scanner) Skip() bool {
	if c := s.Peek(); c != '{' && c != '[' {
		return s.Scalar()
	}
	floor := s.Depth
	for {
		// At a value.
		more := false
		switch c := s.Peek(); c {
		case '{':
			more = s.Begin('}')
			if more {
				s.mark(true)
				more = s.SkipKey()
			}
		case '[':
			more = s.Begin(']')
			if more {
				s.mark(false)
			}
		default:
			s.Scalar()
		}
		// After a value, or in a bracket that just opened.
		for !more {
			if s.Fault != "" {
				return false
			}
			if s.Depth == floor {
				return true
			}
			if s.inObject() {
				more = s.More('}') && s.SkipKey()
			} else {
				more = s.More(']')
			}
		}
	}
}

// SkipKey steps over a key and its colon.
func (s *Scanner) SkipKey() bool {
	_, ok := s.Quoted()
	return ok && s.Colon()
}

// mark remembers what kind of bracket opened last.
func (s *Scanner) mark(object bool) {
	i, bit := (s.Depth-1)/64, uint64(1)<<((s.Depth-1)%64)
	if object {
		s.stack[i] |= bit
	} else {
		s.stack[i] &^= bit
	}
}

func (s *Scanner) inObject() bool {
	return s.stack[(s.Depth-1)/64]>>((s.Depth-1)%64)&1 == 1
}
