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
		if err := ctx.Err(); err != nil {
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
