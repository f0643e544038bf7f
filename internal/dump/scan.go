package dump

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// MaxRecord is the longest record that is read, in bytes: a line of JSON, an element of
// an array, the fields of a row. A longer one is passed over, and named. It is that of
// access logs, and of an event that the server takes.
const MaxRecord = 1 << 20

// errLong is what is wrong with a longer one.
var errLong = fmt.Errorf("the record is over %d bytes long", MaxRecord)

// scanner reads the records of a table, whatever its form: JSON lines, an array
// of objects, an object around such an array, or CSV whose first line names the
// columns.
type scanner struct {
	name     string
	pageKeys []string
	records  string
}

// scanned is one record, or what is wrong with it.
type scanned struct {
	fields map[string]any
	text   []byte
	line   int
	offset int64
	err    error
}

// each calls fn for each record until it returns an error, which it returns.
func (s *scanner) each(in io.Reader, fn func(scanned) error) error {
	b := bufio.NewReaderSize(in, 64<<10)
	skipBOM(b)
	head, err := b.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) && len(head) == 0 {
		return err // with what came before it, it comes again
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(text) == 0:
		return errors.New("the file is empty")
	case text[0] == '[':
		return s.array(b, fn)
	case text[0] == '{' && s.isPage(text):
		return s.nextChunk(b, fn)
	case text[0] == '{':
		return s.lines(b, fn)
	case bytes.IndexByte(text, 0) >= 0:
		return errors.New("this is neither JSON nor CSV")
	}
	return s.csv(b, fn)
}

func skipBOM(b *bufio.Reader) {
	if bom, _ := b.Peek(3); bytes.Equal(bom, []byte("\ufeff")) {
		_, _ = b.Discard(3)
	}
}

// isPage says whether an object is one around the records, by its first key.
func (s *scanner) isPage(text []byte) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return false
	}
	key, err := dec.Token()
	name, ok := key.(string)
	return err == nil && ok && slices.Contains(s.pageKeys, name)
}

// lines reads an object per line.
func (s *scanner) lines(b *bufio.Reader, fn func(scanned) error) error {
	var buf []byte
	for line := 1; ; line++ {
		text, long, err := readLine(b, buf[:0])
		buf = text
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("after line %d: %w", line-1, err)
		}
		if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 {
			x := scanned{text: trimmed, line: line}
			if long {
				x.err = errLong
			} else {
				x.fields, x.err = object(trimmed)
			}
			if err := fn(x); err != nil {
				return err
			}
		}
		if err != nil {
			return nil
		}
	}
}

// readLine reads a line without its end, at most MaxRecord of it.
func readLine(b *bufio.Reader, buf []byte) (text []byte, long bool, err error) {
	for {
		part, err := b.ReadSlice('\n')
		if len(buf)+len(part) <= MaxRecord {
			buf = append(buf, part...)
		} else {
			long = true
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, long, err
		}
	}
}

// object reads a JSON object. Numbers keep their digits.
func object(text []byte) (map[string]any, error) {
	if len(text) == 0 || text[0] != '{' {
		return nil, errors.New("want an object")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the JSON breaks off")
		}
		return nil, fmt.Errorf("no valid JSON: %w", err)
	}
	if rest := bytes.TrimSpace(text[dec.InputOffset():]); len(rest) > 0 {
		return nil, errors.New("no valid JSON: something follows the object")
	}
	return m, nil
}
