package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	weir "github.com/weir-analytics/weir"
)

// Body is a request's body, decompressed. It is not safe for concurrent use.
type Body struct{ buf *bytes.Buffer }

// Bytes is the body. It belongs to the Body: nobody writes to it, and nobody
// reads it after Release. What Events makes of it is a copy and stays good.
func (b *Body) Bytes() []byte {
	if b.buf == nil {
		return nil
	}
	return b.buf.Bytes()
}

// Release gives the memory back. A second call does nothing.
func (b *Body) Release() {
	if b.buf != nil {
		putBuffer(b.buf)
		b.buf = nil
	}
}

// maxLayers bounds how often a body may be compressed over: by the sender, and
// by a proxy on the way.
const maxLayers = 2

// maxWindow is the greatest zstd window that HTTP allows (RFC 9659), in bytes.
// It bounds what a decoder holds, whatever a frame asks for.
const maxWindow = 8 << 20

// ReadBody reads r to its end and decompresses it: by contentEncoding, the
// header's value ("", "gzip", "x-gzip", "zstd", "deflate", "br", "identity", or a list), and
// then by what it begins with, since some SDKs compress and do not say so.
// The caller releases the Body; there is none to release with an error.
//
// Errors: ETOOLARGE over Limits.Body as sent or Limits.Decoded decompressed,
// EUNSUPPORTED for another encoding, EINVALID for data that is corrupt, cut
// short, or cannot be read.
func ReadBody(r io.Reader, contentEncoding string, l Limits) (*Body, error) {
	codings, err := parseCodings(contentEncoding)
	if err != nil {
		return nil, err
	}
	source := &capped{r: r, left: l.Body}
	layers := []*capped{source} // each reads from the one before
	top := source
	var open []*inflater
	defer func() {
		for _, f := range open {
			f.put()
		}
	}()
	for {
		f := inflaters.Get().(*inflater)
		open = append(open, f)
		f.in.Reset(top)
		coding := sniff(f.in)
		if n := len(codings); n > 0 {
			coding, codings = codings[n-1], codings[:n-1]
		}
		if coding == "" {
			break
		}
		if len(open) > maxLayers {
			return nil, weir.Errorf(weir.EINVALID, "body is compressed more than %d times", maxLayers)
		}
		out, err := f.decompress(coding)
		if err != nil {
			return nil, bodyError(err, coding, layers, l)
		}
		top = &capped{r: out, left: l.Decoded, coding: coding}
		layers = append(layers, top)
	}
	buf := getBuffer()
	if _, err := buf.ReadFrom(open[len(open)-1].in); err != nil {
		putBuffer(buf)
		return nil, bodyError(err, top.coding, layers, l)
	}
	return &Body{buf}, nil
}

// parseCodings reads a Content-Encoding, in the order applied.
func parseCodings(header string) ([]string, error) {
	if header == "" {
		return nil, nil
	}
	var codings []string
	for part := range strings.SplitSeq(header, ",") {
		switch c := strings.ToLower(strings.TrimSpace(part)); c {
		case "", "identity":
		case "gzip", "x-gzip":
			codings = append(codings, "gzip")
		case "zstd":
			codings = append(codings, "zstd")
		case "deflate", "br":
			codings = append(codings, c)
		default:
			return nil, weir.Errorf(weir.EUNSUPPORTED, "Content-Encoding %.40q is not supported: use gzip, zstd, deflate or br", c)
		}
	}
	return codings, nil
}

// WithoutCodings is a Content-Encoding without some of its values.
func WithoutCodings(header string, codings []string) string {
	if len(codings) == 0 || header == "" {
		return header
	}
	var kept []string
	for part := range strings.SplitSeq(header, ",") {
		if !slices.Contains(codings, strings.ToLower(strings.TrimSpace(part))) {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, ",")
}

// sniff names the compression that the data begins with: RFC 1952's magic with
// its only method, or RFC 8878's. JSON begins with neither.
func sniff(r *bufio.Reader) string {
	magic, _ := r.Peek(4) // an error comes up again when the data is read
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b, 8}):
		return "gzip"
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}

// errCapped ends a capped reader that has more to give.
var errCapped = errors.New("wire: over the limit")

// capped reads at most left bytes and remembers the error that ended it.
type capped struct {
	r      io.Reader
	left   int64
	coding string // what it is decompressed from; "" is the body as sent
	err    error
}

func (c *capped) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if int64(len(p))-1 > c.left { // one more, to see the limit passed
		p = p[:c.left+1]
	}
	n, err := c.r.Read(p)
	if int64(n) > c.left {
		n, err = int(c.left), errCapped
	}
	c.left -= int64(n)
	c.err = err
	return n, err
}

// bodyError says what a failed read means. The first layer that failed is the
// cause; those after it only suffer from it.
func bodyError(err error, coding string, layers []*capped, l Limits) error {
	for _, c := range layers {
		if c.err == nil || errors.Is(c.err, io.EOF) {
			continue
		}
		switch {
		case errors.Is(c.err, errCapped) && c.coding == "":
			return weir.Errorf(weir.ETOOLARGE, "body is over %d bytes", l.Body)
		case errors.Is(c.err, errCapped):
			return weir.Errorf(weir.ETOOLARGE, "body is over %d bytes when decompressed", l.Decoded)
		case isTooLarge(c.err): // the server's own reader was first
			return weir.Wrap(c.err, weir.ETOOLARGE, "body is over %d bytes", l.Body)
		case c.coding == "":
			return weir.Wrap(c.err, weir.EINVALID, "body could not be read")
		}
		err, coding = c.err, c.coding
		break
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return weir.Wrap(err, weir.EINVALID, "zstd window is over %d bytes", maxWindow)
	}
	return weir.Wrap(err, weir.EINVALID, "body is not valid %s", coding)
}

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// inflater is one layer's buffer and decoders, made when first needed.
type inflater struct {
	in   *bufio.Reader
	gzip *gzip.Reader
	zstd *zstd.Decoder
	zlib io.ReadCloser
	raw  io.ReadCloser // deflate without zlib's frame
	br   *brotli.Reader
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{in: bufio.NewReaderSize(nil, 16<<10)}
}}

// decompress is f.in without the coding.
func (f *inflater) decompress(coding string) (io.Reader, error) {
	switch coding {
	case "gzip":
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		return f.gzip, f.gzip.Reset(f.in)
	case "deflate":
		return f.deflate()
	case "br":
		if f.br == nil {
			f.br = new(brotli.Reader) // its window is at most 16 MiB
		}
		return f.br, f.br.Reset(f.in)
	}
	if f.zstd == nil {
		var err error
		// One at a time: no goroutine, so the garbage collector may have it.
		f.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
	}
	return f.zstd, f.zstd.Reset(f.in)
}

// deflate is f.in decompressed by RFC 1950, as RFC 9110 has "deflate", or by RFC 1951
// alone, as some send it.
func (f *inflater) deflate() (io.Reader, error) {
	head, _ := f.in.Peek(2) // an error comes up again when the data is read
	if len(head) == 2 && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		if f.zlib == nil {
			var err error
			f.zlib, err = zlib.NewReader(f.in)
			return f.zlib, err
		}
		return f.zlib, f.zlib.(zlib.Resetter).Reset(f.in, nil)
	}
	if f.raw == nil {
		f.raw = flate.NewReader(f.in)
		return f.raw, nil
	}
	return f.raw, f.raw.(flate.Resetter).Reset(f.in, nil)
}

func (f *inflater) put() {
	f.in.Reset(nil)
	f.br = nil // it keeps a window of up to 16 MiB
	if f.zstd != nil {
		if f.zstd.Reset(nil) != nil {
			return
		}
	}
	inflaters.Put(f)
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func getBuffer() *bytes.Buffer { return buffers.Get().(*bytes.Buffer) }

// putBuffer keeps a buffer for the next request, unless it grew large.
func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= kept {
		b.Reset()
		buffers.Put(b)
	}
}
