package importer

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"sync/atomic"
)

// unzipped replaces archives by the files in them. It recognises an archive by its first bytes.
func unzipped(sources []importSource) ([]importSource, error) {
	var out []importSource
	for _, src := range sources {
		if src.r != nil || !isZip(src.name) {
			out = append(out, src)
			continue
		}
		entries, err := unzip(src)
		if err != nil {
			return nil, fmt.Errorf("import: %s: %w", src.name, err)
		}
		out = append(out, entries...)
	}
	return out, nil
}

func isZip(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false // opening it again returns the error
	}
	defer f.Close()
	var magic [4]byte
	_, err = io.ReadFull(f, magic[:])
	return err == nil && (string(magic[:]) == "PK\x03\x04" || string(magic[:]) == "PK\x05\x06") // the latter of one without files
}

// unzip lists the files of an archive but for folders, hidden files, and what macOS
// adds.
func unzip(src importSource) ([]importSource, error) {
	z, err := zip.OpenReader(src.name)
	if err != nil {
		return nil, err
	}
	defer z.Close()
	var out []importSource
	for i, f := range z.File {
		if f.FileInfo().IsDir() || strings.HasPrefix(path.Base(f.Name), ".") || strings.HasPrefix(f.Name, "__MACOSX/") {
			continue
		}
		out = append(out, importSource{
			name: src.name + "/" + f.Name, size: int64(f.CompressedSize64), done: src.done, //nolint:gosec // no archive is that large
			open: func(done *atomic.Int64) (io.ReadCloser, error) { return openZipped(src.name, i, done) },
		})
	}
	if len(out) == 0 {
		return nil, errors.New("the archive is empty")
	}
	return out, nil
}

// zipped is a file of an archive, which is open with it.
type zipped struct {
	io.Reader
	file, archive io.Closer
}

func (z *zipped) Close() error { return errors.Join(z.file.Close(), z.archive.Close()) }

func openZipped(name string, i int, done *atomic.Int64) (io.ReadCloser, error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	if i >= len(archive.File) {
		_ = archive.Close()
		return nil, errors.New("the archive has changed")
	}
	entry := archive.File[i]
	f, err := entry.Open()
	if err != nil {
		_ = archive.Close()
		return nil, err
	}
	// What is counted are bytes of the archive, as much as of the file was read.
	ratio := float64(entry.CompressedSize64) / max(float64(entry.UncompressedSize64), 1)
	return &zipped{&ratioReader{r: f, n: done, ratio: ratio}, f, archive}, nil
}

// ratioReader counts a share of what was read.
type ratioReader struct {
	r     io.Reader
	n     *atomic.Int64
	ratio float64
	rest  float64
}

func (c *ratioReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.rest += float64(n) * c.ratio
	whole := int64(c.rest)
	c.n.Add(whole)
	c.rest -= float64(whole)
	return n, err
}
