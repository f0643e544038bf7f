package dump

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// framer finds where values of a JSON text end, so that no more than one of them is in
// memory, and none that is longer than MaxRecord. What is wrong inside one is for who
// reads it.
type framer struct {
	r    *bufio.Reader
	at   int64 // bytes read
	text []byte
}

func (f *framer) byte() (byte, error) {
	c, err := f.r.ReadByte()
	if err == nil {
		f.at++
	}
	return c, err
}

func (f *framer) back() {
	_ = f.r.UnreadByte() // after a byte that was read
	f.at--
}

// next is the first byte that is no space, which is read.
func (f *framer) next() (byte, error) {
	for {
		c, err := f.byte()
		if err != nil || c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c, err
		}
	}
}

// value reads a value. Its text is good until the next one, and cut where it is long.
func (f *framer) value() (text []byte, long bool, err error) {
	f.text = f.text[:0]
	c, err := f.next()
	if err == nil && (c == ',' || c == ']' || c == '}' || c == ':') {
		return nil, false, fmt.Errorf("invalid character %q looking for a value", c)
	}
	depth, quoted, escaped := 0, false, false
	for ; err == nil; c, err = f.byte() {
		if depth == 0 && !quoted && len(f.text) > 0 && (c == ',' || c == ']' || c == '}' || c == ':') {
			f.back()
			break
		}
		if len(f.text) < MaxRecord {
			f.text = append(f.text, c)
		} else {
			long = true
		}
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth == 0 && !quoted && (c == '}' || c == ']' || c == '"') {
			break
		}
	}
	return f.text, long, err
}

// array reads the objects of one array, the last thing in r.
func (s *scanner) array(r *bufio.Reader, fn func(scanned) error) error {
	f := &framer{r: r}
	if err := s.elements(f, fn); err != nil {
		return err
	}
	if _, err := f.next(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something follows the array")
		}
		return f.broken(err)
	}
	return nil
}

// page reads {"results":[…]} and its like, one after the other.
func (s *scanner) nextChunk(r *bufio.Reader, fn func(scanned) error) error {
	f := &framer{r: r}
	for {
		switch c, err := f.next(); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return f.broken(err)
		case c != '{':
			return f.broken(errors.New("want an object"))
		}
		c, err := f.next()
		if err != nil {
			return f.broken(err)
		}
		for more := c != '}'; more; {
			if c != 0 {
				f.back()
				c = 0
			}
			key, _, err := f.value()
			if err != nil {
				return f.broken(err)
			}
			var name string
			if json.Unmarshal(key, &name) != nil {
				return f.broken(errors.New("want a key"))
			}
			if c, err := f.next(); err != nil || c != ':' {
				return f.broken(cmpErr(err, "want a colon"))
			}
			if name == s.records {
				err = s.elements(f, fn)
			} else {
				_, _, err = f.value()
				if err != nil {
					err = f.broken(err)
				}
			}
			if err != nil {
				return err
			}
			switch c, err := f.next(); {
			case err != nil || c != ',' && c != '}':
				return f.broken(cmpErr(err, "want a comma or the object's end"))
			case c == '}':
				more = false
			}
		}
	}
}

// elements reads an array and its brackets.
func (s *scanner) elements(f *framer, fn func(scanned) error) error {
	if c, err := f.next(); err != nil || c != '[' {
		return f.broken(cmpErr(err, "want an array"))
	}
	c, err := f.next()
	if err == nil && c == ']' {
		return nil
	}
	for err == nil {
		f.back()
		raw, long, err := f.value()
		if err != nil {
			return f.broken(err)
		}
		x := scanned{text: raw, offset: f.at}
		if long {
			x.err = errLong
		} else if x.fields, x.err = object(raw); x.err != nil && !json.Valid(raw) {
			return f.broken(x.err) // there is no telling where the next one begins
		}
		if err := fn(x); err != nil {
			return err
		}
		switch c, err := f.next(); {
		case err != nil || c != ',' && c != ']':
			return f.broken(cmpErr(err, "want a comma or the array's end"))
		case c == ']':
			return nil
		}
		if _, err = f.next(); err != nil {
			return f.broken(err)
		}
	}
	return f.broken(err)
}

// cmpErr is an error, or where there is none one that says what is wanted.
func cmpErr(err error, want string) error {
	if err == nil {
		err = errors.New(want)
	}
	return err
}

func (f *framer) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file breaks off")
	}
	return fmt.Errorf("byte %d: %w", f.at, err)
}
