package dump

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// rows cuts CSV into rows, as encoding/csv does, but none longer than MaxRecord.
type rows struct {
	r    *bufio.Reader
	line int // of the next row, from 1
	text []byte
}

// next is a row with its end, good until the next one, and the line that it begins in.
// It is cut where it is long.
func (s *rows) next() (text []byte, line int, long bool, err error) {
	s.text, line = s.text[:0], s.line
	q := quotes{start: true}
	for {
		part, err := s.r.ReadSlice('\n')
		if len(s.text)+len(part) <= MaxRecord {
			s.text = append(s.text, part...)
		} else {
			long = true
		}
		q.read(part)
		switch {
		case err == nil:
			if s.line++; !q.open {
				return s.text, line, long, nil
			}
		case !errors.Is(err, bufio.ErrBufferFull):
			if errors.Is(err, io.EOF) && (len(s.text) > 0 || long) {
				err = nil
			}
			return s.text, line, long, err
		}
	}
}

// quotes follows the quotes of a row: a field that begins with one ends with one, and
// two within it are none. After a mistake the row ends with its line.
type quotes struct {
	start, open, closed, broken bool // at a field's start; in quotes; after the closing one; after a mistake
}

func (q *quotes) read(part []byte) {
	for _, c := range part {
		switch {
		case q.broken:
		case q.closed && c == '"': // it was the first of two
			q.closed, q.open = false, true
		case q.closed:
			q.closed, q.start = false, c == ','
			q.broken = c != ',' && c != '\r' && c != '\n'
		case q.open:
			if c == '"' {
				q.open, q.closed = false, true
			}
		case q.start && c == '"':
			q.start, q.open = false, true
		default:
			q.start = c == ','
		}
	}
}

// feed gives a csv.Reader one row after the other.
type feed struct{ text []byte }

func (f *feed) Read(p []byte) (int, error) {
	if len(f.text) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.text)
	f.text = f.text[n:]
	return n, nil
}

// csv reads rows under names of columns.
func (s *scanner) csv(b *bufio.Reader, fn func(scanned) error) error {
	in, fed := &rows{r: b, line: 1}, &feed{}
	r := csv.NewReader(fed)
	r.ReuseRecord, r.FieldsPerRecord = true, -1
	var columns []string
	var text []byte
	for {
		row, line, long, err := in.next()
		if errors.Is(err, io.EOF) && columns != nil {
			return nil
		}
		switch {
		case err != nil && columns == nil:
			return fmt.Errorf("the line of the columns' names: %w", err)
		case err != nil:
			return err
		}
		if len(bytes.Trim(row, "\r\n")) == 0 {
			continue
		}
		x := scanned{line: line}
		var cells []string
		if fed.text = row; long {
			fed.text = nil
			err = errLong
		} else {
			cells, err = r.Read()
		}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			err = fmt.Errorf("no valid CSV: %w", wrong.Err)
			r = csv.NewReader(fed) // what is left of the row goes
			r.ReuseRecord, r.FieldsPerRecord = true, -1
		}
		switch {
		case columns == nil && err != nil:
			return fmt.Errorf("the line of the columns' names: %w", err)
		case columns == nil:
			for _, name := range cells {
				columns = append(columns, strings.TrimSpace(name))
			}
			continue
		case err != nil:
			x.err = err
		case len(cells) != len(columns):
			x.err = fmt.Errorf("%d columns, but %d have names", len(cells), len(columns))
		default:
			x.fields = make(map[string]any, len(cells))
			text = text[:0]
			for i, cell := range cells {
				text = append(append(text, cell...), 0)
				if cell == `\N` { // NULL
					cell = ""
				}
				x.fields[columns[i]] = cell
			}
			x.text = text
		}
		if err := fn(x); err != nil {
			return err
		}
	}
}
