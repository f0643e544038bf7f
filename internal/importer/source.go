package importer

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/weir-analytics/weir/internal/accesslog"
)

// importSource is one log to read.
type importSource struct {
	name string    // as the user wrote it
	r    io.Reader // standard input; nil is the file of that name
	size int64     // bytes as stored, 0 is unknown
	done *atomic.Int64
	open func(done *atomic.Int64) (io.ReadCloser, error) // of a file in an archive; nil is r, or the file of that name
}

// openImport looks at all files before anything is sent.
func openImport(names []string, stdin io.Reader) ([]importSource, error) {
	done := new(atomic.Int64)
	var sources []importSource
	for _, name := range names {
		src := importSource{name: name, done: done}
		if name == "-" {
			src.r = stdin
		} else {
			info, err := os.Stat(name)
			if err != nil {
				return nil, fmt.Errorf("import: %w", err)
			}
			if info.IsDir() {
				return nil, fmt.Errorf("import: %s is a directory", name)
			}
			src.size = info.Size()
		}
		sources = append(sources, src)
	}
	return sources, nil
}

// each calls fn for every line that is not empty. An error of fn or ctx ends it.
func (src importSource) each(ctx context.Context, fn func(*accesslog.Scanner) error) error {
	r := src.r
	if r == nil {
		f, err := os.Open(src.name)
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		defer f.Close()
		r = f
	}
	plain, closer, err := decompress(&countingReader{r, src.done})
	if err != nil {
		return fmt.Errorf("import: %s: %w", src.name, err)
	}
	defer closer()
	s := accesslog.NewScanner(plain)
	for s.Next() {
		if err := ctx.Err(); err != nil && src.r == nil {
			return err
		}
		if err := fn(s); err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return fmt.Errorf("import: %s: after line %d: %w", src.name, s.Line(), err)
	}
	return nil
}

// decompress recognizes gzip and zstd by their first bytes, whatever the name says.
func decompress(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReaderSize(r, 64<<10)
	// A file shorter than the magic number is plain; a read error comes again
	// with the next read.
	magic, _ := b.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return z, func() { _ = z.Close() }, nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return z, z.Close, nil
	}
	return b, func() {}, nil
}

// countingReader adds up what was read, for the progress bar.
type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// stoppedReader reads until ctx is done, even while the other end of a pipe says nothing, and then
// returns what has been read already.
type stoppedReader struct {
	ctx    context.Context //nolint:containedctx // of the import that reads, since Read has none
	r      io.Reader
	chunks chan []byte
	err    error // of r, once chunks is closed
	rest   []byte
	late   int // chunks since ctx is done
}

func (s *stoppedReader) Read(p []byte) (int, error) {
	if s.chunks == nil {
		s.chunks = make(chan []byte, 1)
		go s.pump()
	}
	if len(s.rest) == 0 {
		chunk, err := s.chunk()
		if err != nil {
			return 0, err
		}
		s.rest = chunk
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *stoppedReader) chunk() ([]byte, error) {
	if s.ctx.Err() == nil {
		select {
		case chunk, ok := <-s.chunks:
			if !ok {
				return nil, s.err
			}
			return chunk, nil
		case <-s.ctx.Done():
		}
	}
	select {
	case chunk, ok := <-s.chunks:
		if s.late++; ok && s.late <= 2 { // the one in the channel and the pump's
			return chunk, nil
		}
	default:
	}
	return nil, s.ctx.Err()
}

// pump reads in a goroutine, which a read without an end may keep until the process ends.
func (s *stoppedReader) pump() {
	defer close(s.chunks)
	for {
		b := make([]byte, 64<<10)
		n, err := s.r.Read(b)
		if n > 0 {
			s.chunks <- b[:n]
		}
		if err != nil {
			s.err = err
			return
		}
		if s.ctx.Err() != nil {
			return
		}
	}
}
