package dump

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// MaxRecord is the longest line of JSON that is read, in bytes.
const MaxRecord = 16 << 20

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
		return s.page(b, fn)
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

// array reads the objects of one array. What is wrong with the JSON ends it:
// there is no telling where the next object begins.
func (s *scanner) array(r io.Reader, fn func(scanned) error) error {
	dec := json.NewDecoder(r)
	if err := s.elements(dec, fn); err != nil {
		return err
	}
	return s.last(dec)
}

// page reads {"results":[…]} and its like, one after the other.
func (s *scanner) page(r io.Reader, fn func(scanned) error) error {
	dec := json.NewDecoder(r)
	for {
		switch t, err := dec.Token(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return broken(dec, err)
		case t != json.Delim('{'):
			return fmt.Errorf("byte %d: want an object", dec.InputOffset())
		}
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return broken(dec, err)
			}
			if key == s.records {
				err = s.elements(dec, fn)
			} else {
				var skipped json.RawMessage
				if err = dec.Decode(&skipped); err != nil {
					err = broken(dec, err)
				}
			}
			if err != nil {
				return err
			}
		}
		if _, err := dec.Token(); err != nil {
			return broken(dec, err)
		}
	}
}

// elements reads an array and its brackets.
func (s *scanner) elements(dec *json.Decoder, fn func(scanned) error) error {
	if t, err := dec.Token(); err != nil {
		return broken(dec, err)
	} else if t != json.Delim('[') {
		return fmt.Errorf("byte %d: want an array", dec.InputOffset())
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return broken(dec, err)
		}
		x := scanned{text: raw, offset: dec.InputOffset()}
		x.fields, x.err = object(raw)
		if err := fn(x); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return broken(dec, err)
	}
	return nil
}

// last refuses what follows an array.
func (s *scanner) last(dec *json.Decoder) error {
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something follows the array")
		}
		return broken(dec, err)
	}
	return nil
}

func broken(dec *json.Decoder, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file breaks off")
	}
	return fmt.Errorf("byte %d: %w", dec.InputOffset(), err)
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
				x.err = fmt.Errorf("the line is over %d MiB long", MaxRecord>>20)
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

// csv reads rows under names of columns.
func (s *scanner) csv(b *bufio.Reader, fn func(scanned) error) error {
	r := csv.NewReader(b)
	r.ReuseRecord, r.FieldsPerRecord = true, -1
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("the line of the columns' names: %w", err)
	}
	columns := make([]string, len(head))
	for i, name := range head {
		columns[i] = strings.TrimSpace(name)
	}
	var text []byte
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		x := scanned{}
		if wrong, ok := errors.AsType[*csv.ParseError](err); ok {
			x.line, x.err = wrong.StartLine, fmt.Errorf("no valid CSV: %w", wrong.Err)
		} else if err != nil {
			return err
		} else {
			x.line, _ = r.FieldPos(0)
			if len(cells) != len(columns) {
				x.err = fmt.Errorf("%d columns, but %d have names", len(cells), len(columns))
			} else {
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
		}
		if err := fn(x); err != nil {
			return err
		}
	}
}
