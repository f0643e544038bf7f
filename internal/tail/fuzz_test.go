package tail_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/weir-analytics/weir/internal/tail"
)

// FuzzLines checks that any bytes, written in two parts, give the lines that
// cutting the whole at line endings gives, at their offsets.
func FuzzLines(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\n\xEF\xBB\xBFthree"), 5)
	f.Add([]byte("\xEF\xBB\xBFa\n \n\x00\n"), 2)
	f.Add([]byte("0123456789012345678901234567890\n1\n"), 20)
	f.Fuzz(func(t *testing.T, b []byte, at int) {
		if bytes.HasPrefix(b, []byte{0x1f, 0x8b, 8}) || bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd}) || at < 0 || at > len(b) {
			return // compressed, or no place to cut
		}
		const longest = 16
		dir := t.TempDir()
		path := filepath.Join(dir, "log")
		l, err := tail.Open(tail.Options{Patterns: []string{path}, State: filepath.Join(dir, "state"), MaxLine: longest})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var got []tail.Line
		for _, part := range [][]byte{b[:at], b} {
			w, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.WriteAt(part, 0); err != nil {
				t.Fatal(err)
			}
			_ = w.Close()
			lines, err := l.Poll(1<<20, 1<<30)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, lines...)
		}
		offset, n := 0, 0
		for {
			end := bytes.IndexByte(b[offset:], '\n')
			if end < 0 {
				break
			}
			line := b[offset : offset+end]
			long := len(line) > longest
			line = line[:min(len(line), longest)]
			if offset == 0 {
				line = bytes.TrimPrefix(line, []byte("\xEF\xBB\xBF"))
			}
			if line = bytes.TrimSuffix(line, []byte("\r")); len(bytes.TrimSpace(line)) > 0 {
				if n >= len(got) || !bytes.Equal(got[n].Text, line) || got[n].Offset != int64(offset) || got[n].TooLong != long {
					t.Fatalf("line %d at %d is %q of %+v", n, offset, line, got)
				}
				n++
			}
			offset += end + 1
		}
		if n != len(got) {
			t.Fatalf("%d lines of %d", len(got), n)
		}
	})
}
