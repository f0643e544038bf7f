package tail

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// key is which file it is, while it exists.
type key struct{ device, inode uint64 }

// maxHead is how many bytes of a file's first line identify it.
const maxHead = 4096

// candidate is a regular file that was found.
type candidate struct {
	path     string
	key      key
	size     int64
	modified time.Time
}

var errNotRegular = errors.New("it is not a regular file")

func (t *Tail) candidate(path string) (*candidate, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNotRegular
	}
	return &candidate{path, keyOf(info), info.Size(), info.ModTime().UTC()}, nil
}

// opened is an open file and what identifies it.
type opened struct {
	candidate
	file    *os.File
	packed  bool // gzip or zstd: head and offsets are of what is inside
	head    string
	headLen int
	used    bool
}

// open reads the file's head. It is nil, without an error, while the file has
// no whole line. The caller calls unused, which closes it unless it became a
// source.
func (c *candidate) open() (*opened, error) {
	f, err := os.Open(c.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	o := &opened{candidate: *c, file: f}
	// It may be another file by now.
	o.key, o.size, o.modified = keyOf(info), info.Size(), info.ModTime().UTC()
	b := make([]byte, maxHead)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		_ = f.Close()
		return nil, err
	}
	b = b[:n]
	if isPacked(b) {
		o.packed = true
		r, closer, err := unpack(f)
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		b = b[:maxHead:maxHead]
		n, err = io.ReadFull(r, b)
		closer()
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			_ = f.Close()
			return nil, err
		}
		b = b[:n]
	}
	if o.headLen = headLen(b); o.headLen == 0 {
		_ = f.Close()
		return nil, nil
	}
	o.head = headSum(b[:o.headLen])
	return o, nil
}

// begun says whether the file has a whole line by now. What has one may have been copied
// already, and the copy is no other file.
func (c *candidate) begun() bool {
	f, err := c.open()
	if f != nil {
		f.unused()
	}
	return f != nil || err != nil
}

// headLen returns how long the first line is that is not empty, with what stands
// before it; 0 if it has no end yet.
func headLen(b []byte) int {
	text := bytes.TrimLeft(b, "\r\n")
	blank := len(b) - len(text)
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return blank + i + 1
	}
	if len(b) == maxHead {
		return maxHead
	}
	return 0
}

func headSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

func isPacked(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0x1f, 0x8b, 8}) || bytes.HasPrefix(b, []byte{0x28, 0xb5, 0x2f, 0xfd})
}

// unpack decompresses a file from its start.
func unpack(f *os.File) (io.Reader, func(), error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, err
	}
	magic := make([]byte, 2)
	if _, err := f.ReadAt(magic, 0); err != nil {
		return nil, nil, err
	}
	if magic[0] == 0x1f {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, nil, err
		}
		return z, func() { _ = z.Close() }, nil
	}
	z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// same says whether the file still begins as it did.
func (o *opened) same() bool { return begins(o.file, o.headLen, o.head) }

// copyOf says whether a file has what another begins with: whether it is a copy of it,
// whole or not yet.
func (o *opened) copyOf(f *opened) bool {
	if o.packed || f.packed || o.head != f.head {
		return false
	}
	n := min(o.size, maxHead)
	a, b := make([]byte, n), make([]byte, n)
	if _, err := o.file.ReadAt(a, o.size-n); err != nil {
		return false
	}
	_, err := f.file.ReadAt(b, o.size-n)
	return (err == nil || errors.Is(err, io.EOF)) && bytes.Equal(a, b)
}

// begins says whether a file begins with that head.
func begins(f *os.File, n int, head string) bool {
	b := make([]byte, n)
	got, _ := f.ReadAt(b, 0)
	return got == n && headSum(b) == head
}

func (o *opened) unused() {
	if !o.used {
		_ = o.file.Close()
	}
}

// lastLineEnd returns the offset after the file's last line ending.
func (o *opened) lastLineEnd() int64 {
	b := make([]byte, 64<<10)
	for end := o.size; end > 0; {
		begin := max(0, end-int64(len(b)))
		n, err := o.file.ReadAt(b[:end-begin], begin)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0
		}
		if i := bytes.LastIndexByte(b[:n], '\n'); i >= 0 {
			return begin + int64(i) + 1
		}
		end = begin
	}
	return 0
}

// source is an open file that is read on.
type source struct {
	entry    *entry
	path     string // where it was found
	key      key
	file     *os.File
	stream   io.Reader // of a compressed file; else nil
	closer   func()
	modified time.Time
	own      bool // the file itself, not a copy or a packed one, whose time is another

	pos   int64  // of the next byte to read
	next  int64  // offset after the last line that was returned
	carry []byte // of the line that has no end yet, at most MaxLine
	long  bool   // that line is longer, and carry its begin

	away  bool      // its path names another file now
	grown time.Time // when it was last found to have more
	ended bool      // read to its end, for good
	idle  bool      // read to its end, for now
}

// source goes to where the entry was left. own says that the file is what the entry is about. A copy and a packed file may have been
// made long after the last line: of them the entry's time counts, or files that came in between would seem older.
func (o *opened) source(e *entry, own bool, now time.Time) (*source, error) {
	s := &source{
		entry: e, path: o.path, key: o.key, file: o.file, modified: o.modified, own: own,
		pos: e.Offset, next: e.Offset, grown: now,
	}
	if !own {
		s.modified = e.Modified
	}
	o.used = true
	if !o.packed {
		return s, nil
	}
	r, closer, err := unpack(o.file)
	if err == nil {
		s.stream, s.closer = r, closer
		if _, err = io.CopyN(io.Discard, r, e.Offset); err != nil {
			closer()
		}
	}
	if err != nil {
		_ = o.file.Close()
		return nil, fmt.Errorf("decompress: %w", err)
	}
	return s, nil
}

func (s *source) stat() (os.FileInfo, error) {
	if s.stream != nil {
		return nil, errNotRegular
	}
	return s.file.Stat()
}

func (s *source) close() {
	if s.closer != nil {
		s.closer()
	}
	_ = s.file.Close()
}

// same says whether the file still begins as it did: one that was emptied and
// written again does not.
func (s *source) same() bool {
	return s.stream != nil || begins(s.file, s.entry.HeadLen, s.entry.Head)
}

// read returns lines, at most limit and about maxBytes. whole is false when
// the file was emptied meanwhile: then what was read may be of two files, and
// nothing of it counts.
func (s *source) read(t *Tail, limit, maxBytes int) (lines []Line, whole bool) {
	if s.ended {
		return nil, true
	}
	next := s.next
	chunk := make([]byte, 64<<10)
	eof := false
	for len(lines) < limit && maxBytes > 0 {
		n, err := s.readChunk(chunk)
		used := 0
		for used < n && len(lines) < limit && maxBytes > 0 {
			line, size := s.nextLine(chunk[used:n], t.o.MaxLine)
			used += size
			if line == nil {
				continue
			}
			if line.Text = clean(line.Text, next == 0); len(line.Text) > 0 {
				line.File, line.Offset, line.Source = s.path, next, s.entry.ID
				lines = append(lines, *line)
				maxBytes -= len(line.Text)
			}
			next = s.pos + int64(used)
		}
		s.pos += int64(used)
		if used < n && s.stream != nil {
			s.stream = io.MultiReader(bytes.NewReader(bytes.Clone(chunk[used:n])), s.stream)
		}
		if err != nil && !errors.Is(err, io.EOF) {
			t.once("%s cannot be read on: %v", s.path, err)
			break
		}
		if used == n && err != nil {
			eof = true
			break
		}
	}
	info, err := s.stat()
	if s.stream == nil && (err != nil || info.Size() < s.pos || !s.same()) {
		return nil, false
	}
	s.idle = eof
	now := t.o.Clock.Now()
	if next != s.next {
		s.grown = now
	}
	s.next = next
	if err == nil && s.own {
		s.modified = info.ModTime().UTC()
	}
	if eof && (s.stream != nil || now.Sub(s.grown) >= t.o.Quiet && (s.away || links(info) == 0)) {
		lines = s.end(t, lines)
	}
	return lines, true
}

func (s *source) readChunk(b []byte) (int, error) {
	if s.stream != nil {
		n, err := io.ReadFull(s.stream, b)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return n, err
	}
	return s.file.ReadAt(b, s.pos)
}

// cut takes a line off b, with what is carried; nil when it has no end yet.
// size is how much of b is used up.
func (s *source) nextLine(b []byte, maxLine int) (line *Line, size int) {
	end := bytes.IndexByte(b, '\n')
	part := b
	if size = len(b); end >= 0 {
		part, size = b[:end], end+1
	}
	if room := maxLine - len(s.carry); len(part) > room {
		part, s.long = part[:room], true
	}
	s.carry = append(s.carry, part...)
	if end < 0 {
		return nil, size
	}
	line = &Line{Text: bytes.Clone(s.carry), TooLong: s.long}
	s.carry, s.long = s.carry[:0], false
	if cap(s.carry) > 64<<10 {
		s.carry = nil
	}
	return line, size
}

// end gives out a last line without an ending, and is done with the file.
func (s *source) end(t *Tail, lines []Line) []Line {
	s.ended = true
	if text := clean(s.carry, s.next == 0); len(text) > 0 {
		lines = append(lines, Line{File: s.path, Offset: s.next, Text: bytes.Clone(text), TooLong: s.long, Source: s.entry.ID})
	}
	s.next = s.pos
	return lines
}

// clean takes a line's ending, and a byte order mark off the file's first.
func clean(b []byte, first bool) []byte {
	if first {
		b = bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF"))
	}
	b = bytes.TrimSuffix(b, []byte("\r"))
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	return b
}
