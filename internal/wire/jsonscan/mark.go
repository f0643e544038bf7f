package jsonscan

import "bytes"

// Mark is a place in a text. The zero Mark is no place.
type Mark struct{ after int } // position + 1

// IsSet reports whether it is a place.
func (m Mark) IsSet() bool { return m.after > 0 }

// Mark returns the place of the cursor.
func (s *Scanner) Mark() Mark { return Mark{s.pos + 1} }

// EndMark returns the place after the last byte of the text.
func (s *Scanner) EndMark() Mark { return Mark{len(s.data) + 1} }

// Seek moves the cursor to a place in the same text, before or after a value of the object
// or array that is being read, or of one that is read no more.
func (s *Scanner) Seek(m Mark) { s.pos = m.after - 1 }

// ReadAt calls read with the cursor at a place, and moves it back. It does nothing if m is
// not set.
func (s *Scanner) ReadAt(m Mark, read func()) {
	if !m.IsSet() {
		return
	}
	back := s.pos
	s.Seek(m)
	if read(); s.fault == "" {
		s.pos = back
	}
}

// Note returns the place of the value at the cursor, and skips it.
func (s *Scanner) Note() Mark {
	m := s.Mark()
	s.Skip()
	return m
}

// Since returns the text from a place to the cursor.
func (s *Scanner) Since(m Mark) []byte { return s.data[m.after-1 : s.pos] }

// Between returns the text between two places.
func (s *Scanner) Between(from, to Mark) []byte { return s.data[from.after-1 : to.after-1] }

// Distance returns how many bytes the cursor stands after a place.
func (s *Scanner) Distance(m Mark) int { return s.pos - (m.after - 1) }

// Offset returns how many bytes stand before the cursor.
func (s *Scanner) Offset() int { return min(s.pos, len(s.data)) }

// Rest returns the text behind the cursor.
func (s *Scanner) Rest() []byte { return s.data[s.Offset():] }

// Line returns the line at the cursor without its end, and moves the cursor to the next one.
func (s *Scanner) Line() []byte {
	line, _, _ := bytes.Cut(s.Rest(), []byte("\n"))
	s.pos = min(s.Offset()+len(line)+1, len(s.data))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// Whole returns the text.
func (s *Scanner) Whole() []byte { return s.data }

// End steps over white space, and fails if something else follows. It returns false after
// a fault too.
func (s *Scanner) End() bool {
	if s.fault != "" {
		return false
	}
	if s.Space(); s.pos < len(s.data) {
		return s.Fail("want nothing after the value")
	}
	return true
}

// Within calls read with another text, which stands inside the one that is being read, and
// then goes on with that one. valid reports that the other text had no fault, whole that it
// was read to its end.
func (s *Scanner) Within(text []byte, read func()) (valid, whole bool) {
	data, pos, depth := s.data, s.pos, s.depth
	s.Reset(text)
	read()
	valid, whole = s.fault == "", s.pos == len(text)
	s.data, s.pos, s.depth, s.fault = data, pos, depth, ""
	return valid, whole
}
