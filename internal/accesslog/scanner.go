package accesslog

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// MaxLine is the longest line, in bytes, that a Scanner yields whole.
const MaxLine = 1 << 20

// ErrTooLong is what Scanner.TooLong says of a line beyond MaxLine.
var ErrTooLong = errors.New("the line is longer than 1 MiB")

// Scanner cuts a log into lines. Empty lines are counted but not yielded, line
// endings and a byte order mark at the start are taken off, and a line that is
// too long is yielded cut, with its error, so that the rest is still read.
type Scanner struct {
	r    *bufio.Reader
	line []byte
	n    int
	bad  error // of this line
	err  error // of the reader, but for io.EOF
	end  bool
}

// NewScanner reads lines from r.
func NewScanner(r io.Reader) *Scanner {
	return &Scanner{r: bufio.NewReaderSize(r, MaxLine+2)} // a line of MaxLine and CRLF
}

// Next goes to the next line; false at the end or when the reader failed.
func (s *Scanner) Next() bool {
	for !s.end {
		line, err := s.r.ReadSlice('\n')
		s.bad = nil
		if errors.Is(err, bufio.ErrBufferFull) {
			line = line[:MaxLine]
			// The rest is dropped; its buffer is the line's, hence the copy.
			s.bad, s.line = ErrTooLong, append([]byte(nil), line...)
			err = s.drop()
			line = s.line
		}
		if err != nil {
			s.end = true
			if !errors.Is(err, io.EOF) {
				s.err = err
				break // half a line is not a line
			}
		}
		if len(line) == 0 {
			break
		}
		s.n++
		if s.n == 1 {
			line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		line = bytes.TrimSuffix(line, []byte("\r"))
		if s.bad == nil && len(line) > MaxLine {
			s.bad, line = ErrTooLong, line[:MaxLine]
		}
		if len(bytes.TrimSpace(line)) > 0 {
			s.line = line
			return true
		}
	}
	s.line, s.bad = nil, nil
	return false
}

// drop reads up to the end of the line.
func (s *Scanner) drop() error {
	for {
		_, err := s.r.ReadSlice('\n')
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// Bytes is the line, valid until the next call of Next.
func (s *Scanner) Bytes() []byte { return s.line }

// Line is the line's number, from 1.
func (s *Scanner) Line() int { return s.n }

// TooLong is ErrTooLong if the line was cut, else nil.
func (s *Scanner) TooLong() error { return s.bad }

// Err is why reading ended early, or nil at the log's end.
func (s *Scanner) Err() error { return s.err }
