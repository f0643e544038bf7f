package wire

// maxNesting bounds the brackets open at once in a body. It is what
// encoding/json allows, and is far above Limits.Depth: deeper properties cost
// one item, a deeper body is refused whole.
const maxNesting = 10_000

// scanner walks one JSON text (RFC 8259) that lies in memory. It checks syntax
// and nothing else: strings may hold bytes that are not UTF-8. A method that
// meets wrong syntax sets fault, leaves pos at the offending byte and returns
// false; after that the scanner's answers mean nothing.
type scanner struct {
	data  []byte
	pos   int
	depth int    // brackets that begin opened and more has not closed
	fault string // what is wrong at pos; "" while nothing is

	key   []byte                         // the last key with escapes, unescaped
	stack [(maxNesting + 63) / 64]uint64 // for skip, a bit per level: 1 is an object
}

func (s *scanner) reset(data []byte) {
	s.data, s.pos, s.depth, s.fault = data, 0, 0, ""
}

// fail notes what was wanted at pos.
func (s *scanner) fail(fault string) bool {
	if s.fault == "" {
		if s.pos >= len(s.data) {
			fault = "the text ends too early"
		}
		s.fault = fault
	}
	return false
}

func (s *scanner) failAt(pos int, fault string) bool {
	s.pos = pos
	return s.fail(fault)
}

// peek is the byte at pos; 0, which begins no token, at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.data) {
		return s.data[s.pos]
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func (s *scanner) space() {
	if s.pos < len(s.data) && s.data[s.pos] <= ' ' { // seldom: SDKs send compact JSON
		s.spaces()
	}
}

func (s *scanner) spaces() {
	for s.pos < len(s.data) && isSpace(s.data[s.pos]) {
		s.pos++
	}
}

// begin steps over the bracket at pos and the space after it, and says whether
// a first element follows. Between begin and the more that returns false, the
// caller reads one element per round, ending right after it:
//
//	for more := s.begin('}'); more; more = s.more('}') { … }
func (s *scanner) begin(closing byte) bool {
	s.pos++
	s.depth++
	if s.depth > maxNesting {
		return s.fail("nested too deep")
	}
	s.space()
	if s.peek() == closing {
		s.pos++
		s.depth--
		return false
	}
	return true
}

// more steps over what stands after an element and says whether another
// follows. It returns false after a fault too.
func (s *scanner) more(closing byte) bool {
	if s.fault != "" {
		return false
	}
	c := s.peek()
	if c <= ' ' {
		s.spaces()
		c = s.peek()
	}
	switch c {
	case ',':
		s.pos++
		s.space()
		return true
	case closing:
		s.pos++
		s.depth--
		return false
	}
	if closing == '}' {
		return s.fail(`want "," or "}"`)
	}
	return s.fail(`want "," or "]"`)
}

// colon steps over the colon after a key and the space around it.
func (s *scanner) colon() bool {
	if s.peek() != ':' {
		if s.space(); s.peek() != ':' {
			return s.fail(`want ":" after a key`)
		}
	}
	s.pos++
	s.space()
	return true
}

// field reads a key and its colon. The key is unescaped, and valid until the
// next call; bytes that are not UTF-8 stand in it as they came.
func (s *scanner) field() (key []byte, ok bool) {
	raw, ok := s.str()
	if !ok {
		return nil, false
	}
	key = raw.text
	if raw.escaped {
		s.key, _ = unescape(s.key[:0], raw.text, false)
		key = s.key
	}
	return key, s.colon()
}

// literal steps over one of true, false, null.
func (s *scanner) literal(word string) bool {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
		return s.fail("want a value")
	}
	s.pos += len(word)
	return true
}

// scalar steps over a value that is neither object nor array.
func (s *scanner) scalar() bool {
	switch s.peek() {
	case '"':
		_, ok := s.str()
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		_, ok := s.number()
		return ok
	}
	return s.fail("want a value")
}

// skip steps over any value, in one pass and without recursion, so that a body
// of brackets costs neither stack nor more than linear time.
func (s *scanner) skip() bool {
	if c := s.peek(); c != '{' && c != '[' {
		return s.scalar()
	}
	floor := s.depth
	for {
		// At a value.
		more := false
		switch c := s.peek(); c {
		case '{':
			more = s.begin('}')
			if more {
				s.mark(true)
				more = s.skipKey()
			}
		case '[':
			more = s.begin(']')
			if more {
				s.mark(false)
			}
		default:
			s.scalar()
		}
		// After a value, or in a bracket that just opened.
		for !more {
			if s.fault != "" {
				return false
			}
			if s.depth == floor {
				return true
			}
			if s.inObject() {
				more = s.more('}') && s.skipKey()
			} else {
				more = s.more(']')
			}
		}
	}
}

func (s *scanner) skipKey() bool {
	_, ok := s.str()
	return ok && s.colon()
}

// mark remembers what kind of bracket opened last.
func (s *scanner) mark(object bool) {
	i, bit := (s.depth-1)/64, uint64(1)<<((s.depth-1)%64)
	if object {
		s.stack[i] |= bit
	} else {
		s.stack[i] &^= bit
	}
}

func (s *scanner) inObject() bool {
	return s.stack[(s.depth-1)/64]>>((s.depth-1)%64)&1 == 1
}
