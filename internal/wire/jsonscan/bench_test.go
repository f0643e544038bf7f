package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// recorded returns the JSON that SDKs of other vendors sent, one text per request.
func recorded(b *testing.B) (texts [][]byte, size int64) {
	b.Helper()
	files, err := filepath.Glob("../*/testdata/recorded/*/*.json")
	if err != nil || len(files) == 0 {
		b.Fatalf("no recordings: %v", err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		var sent struct {
			Body []byte `json:"body_base64"`
		}
		if err := json.Unmarshal(content, &sent); err != nil {
			b.Fatal(err)
		}
		read, err := body.Read(bytes.NewReader(sent.Body), "", wire.DefaultLimits())
		if err != nil {
			b.Fatal(err)
		}
		if text := bytes.Clone(read.Bytes()); json.Valid(text) {
			texts, size = append(texts, text), size+int64(len(text))
		}
		read.Release()
	}
	return texts, size
}

// BenchmarkWalk reads every key, string and number of the recorded requests, as decoders
// of vendors do. DESIGN.md of package wire has the figures.
func BenchmarkWalk(b *testing.B) {
	texts, size := recorded(b)
	b.Run("jsonscan", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		var s jsonscan.Scanner
		var buf []byte
		for b.Loop() {
			for _, text := range texts {
				s.Reset(text)
				s.Space()
				if buf = walk(&s, buf[:0]); s.Failed() {
					b.Fatal(s.Fault())
				}
			}
		}
	})
	b.Run("jsontext", func(b *testing.B) {
		b.SetBytes(size)
		b.ReportAllocs()
		options := jsontext.AllowDuplicateNames(true)
		var source bytes.Buffer // jsontext reads one in place
		d := jsontext.NewDecoder(&source, options)
		var buf []byte
		for b.Loop() {
			for _, text := range texts {
				source = *bytes.NewBuffer(text)
				d.Reset(&source, options, jsontext.AllowInvalidUTF8(true))
				var err error
				if buf, err = walkJSONText(d, buf[:0]); !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkSkip steps over each of the recorded requests.
func BenchmarkSkip(b *testing.B) {
	texts, size := recorded(b)
	b.Run("jsonscan", func(b *testing.B) {
		b.SetBytes(size)
		var s jsonscan.Scanner
		for b.Loop() {
			for _, text := range texts {
				s.Reset(text)
				if s.Space(); !s.Skip() {
					b.Fatal(s.Fault())
				}
			}
		}
	})
	b.Run("jsontext", func(b *testing.B) {
		b.SetBytes(size)
		var source bytes.Buffer
		d := jsontext.NewDecoder(&source)
		for b.Loop() {
			for _, text := range texts {
				source = *bytes.NewBuffer(text)
				d.Reset(&source, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
				if err := d.SkipValue(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

func walk(s *jsonscan.Scanner, buf []byte) []byte {
	switch s.Peek() {
	case '{':
		for more := s.Begin('}'); more; more = s.More('}') {
			key, ok := s.Key()
			if !ok {
				return buf
			}
			buf = walk(s, append(buf, key...))
		}
	case '[':
		for more := s.Begin(']'); more; more = s.More(']') {
			buf = walk(s, buf)
		}
	case '"':
		q, _ := s.Quoted()
		if q.Escaped {
			buf, _ = jsonscan.Unescape(buf, q.Text, false)
		} else {
			buf = append(buf, q.Text...)
		}
	case 't', 'f', 'n':
		s.Skip()
	default:
		n, _ := s.Number()
		buf = append(buf, n.Text...)
	}
	return buf
}

func walkJSONText(d *jsontext.Decoder, buf []byte) ([]byte, error) {
	for {
		switch d.PeekKind() {
		case '{', '}', '[', ']', 'n', 't', 'f':
			if _, err := d.ReadToken(); err != nil {
				return buf, err
			}
		case '"':
			v, err := d.ReadValue()
			if err != nil {
				return buf, err
			}
			if buf, err = jsontext.AppendUnquote(buf, v); err != nil {
				return buf, err
			}
		default:
			v, err := d.ReadValue()
			if err != nil {
				return buf, err
			}
			buf = append(buf, v...)
		}
	}
}
