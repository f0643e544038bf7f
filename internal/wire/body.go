package wire

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
	weir "github.com/weir-analytics/weir"
)

// Body is a request's body, decompressed. It is not safe for concurrent use.
type Body struct {
	data   []byte
	memory *[]byte // what it lies in, of a pool
	coded  bool

	holding *Holding
	taken   int64
}

// Bytes is the body. It belongs to the Body: nobody writes to it, and nobody
// reads it after Release. What Events makes of it is a copy and stays good.
func (b *Body) Bytes() []byte { return b.data }

// Coded says whether it was compressed.
func (b *Body) Coded() bool { return b.coded }

// Release gives the memory back. A second call does nothing.
func (b *Body) Release() {
	putMemory(b.memory)
	b.holding.Give(b.taken)
	b.data, b.memory, b.taken = nil, nil, 0
}

// Bounds of a body whose project is not known yet: how many times as large as what
// was sent of it, but at least so many bytes.
const (
	strangersRatio = 50
	strangersLeast = 256 << 10
)

// ReadBody reads r to its end and decompresses it: by contentEncoding, the
// header's value ("", "gzip", "x-gzip", "zstd", "deflate", "br", "identity"), or
// by what it begins with, since some SDKs compress and do not say so. It is
// decompressed once: no SDK compresses twice, and what does is an attack.
// The caller releases the Body; there is none to release with an error.
//
// Memory is taken of Limits.Memory before it is used. It is asked to look at the body
// when 64 KiB of it are read, and at its end; while the project is not known, the
// body is at most strangersRatio times as large as what was sent of it.
//
// Errors: ETOOLARGE over Limits.Body as sent or Limits.Decoded decompressed,
// EUNSUPPORTED for another encoding, EINVALID for data that is corrupt, cut
// short, or cannot be read; those of Holding.Take.
func ReadBody(r io.Reader, contentEncoding string, l Limits) (*Body, error) {
	coding, err := parseCodings(contentEncoding)
	if err != nil {
		return nil, err
	}
	h := l.Memory
	before := h.taken()
	if err := h.Take(inflaterCost); err != nil {
		return nil, err
	}
	source := &capped{r: r, left: l.Body}
	layers := []*capped{source}
	f := inflaters.Get().(*inflater)
	defer f.put()
	f.in.Reset(source)
	if sniffed := sniff(f.in); coding == "" {
		coding = sniffed
	}
	var in io.Reader = f.in
	if coding != "" {
		out, err := f.decompress(coding, h)
		if err != nil {
			return nil, bodyError(err, coding, layers, l)
		}
		top := &capped{r: out, left: l.Decoded, coding: coding, source: source, sent: l.Body, holding: h}
		layers, in = append(layers, top), top
	}
	b := &Body{holding: h, coded: coding != ""}
	err = b.read(in)
	h.Give(h.taken() - before - b.taken)
	if err == nil && b.coded && sniffed(b.data) != "" {
		err = weir.Errorf(weir.EINVALID, "body is compressed more than once")
	}
	if err != nil {
		b.Release()
		return nil, bodyError(err, coding, layers, l)
	}
	h.look(b.data)
	return b, nil
}

// read reads r to its end: in pieces, so that nothing is copied and let go of again
// and again while it grows.
func (b *Body) read(r io.Reader) error {
	h := b.holding
	var full []*[]byte
	defer func() {
		for _, p := range full {
			putMemory(p)
		}
	}()
	total := 0
	for {
		if err := h.Take(pieceSize); err != nil {
			return err
		}
		piece := pieces.Get().(*[]byte)
		full = append(full, piece)
		n, err := fill(r, *piece)
		total += n
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(full) == 1 {
			h.look(*piece)
		}
	}
	if len(full) == 1 {
		b.memory, b.data, b.taken = full[0], (*full[0])[:total], pieceSize
		full = nil
		return nil
	}
	if err := h.Take(int64(total)); err != nil {
		return err
	}
	whole := make([]byte, 0, total)
	for _, p := range full {
		whole = append(whole, (*p)[:min(pieceSize, total-len(whole))]...)
	}
	b.data, b.taken = whole, int64(total)
	return nil
}

// fill reads until p is full; io.EOF is the end of r, within it or at its end.
func fill(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

// pieceSize is in how large pieces a body is read; nearly all have one.
const pieceSize = 64 << 10

var pieces = sync.Pool{New: func() any {
	p := make([]byte, pieceSize)
	return &p
}}

func putMemory(p *[]byte) {
	if p != nil {
		pieces.Put(p)
	}
}

// parseCodings reads a Content-Encoding; "" is none.
func parseCodings(header string) (coding string, err error) {
	if header == "" {
		return "", nil
	}
	for part := range strings.SplitSeq(header, ",") {
		c := strings.ToLower(strings.TrimSpace(part))
		switch c {
		case "", "identity":
			continue
		case "gzip", "x-gzip":
			c = "gzip"
		case "zstd", "deflate", "br":
		default:
			return "", weir.Errorf(weir.EUNSUPPORTED, "Content-Encoding %.40q is not supported: use gzip, zstd, deflate or br", c)
		}
		if coding != "" {
			return "", weir.Errorf(weir.EINVALID, "body is compressed more than once")
		}
		coding = c
	}
	return coding, nil
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

// errCapped ends a capped reader that has more to give, errSwollen one that has given
// too much for what was sent.
var (
	errCapped  = errors.New("wire: over the limit")
	errSwollen = errors.New("wire: over the ratio")
)

// capped reads at most left bytes and remembers the error that ended it.
type capped struct {
	r      io.Reader
	left   int64
	coding string // what it is decompressed from; "" is the body as sent
	err    error

	// Of what is decompressed: the body as sent, what was left of it in the beginning,
	// and whose it is.
	source  *capped
	sent    int64
	holding *Holding
	given   int64
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
	c.given += int64(n)
	if c.source != nil && c.holding.stranger() && c.given > max(strangersLeast, strangersRatio*(c.sent-c.source.left)) {
		err = errSwollen
	}
	c.err = err
	return n, err
}

// bodyError says what a failed read means. The first layer that failed is the
// cause; those after it only suffer from it.
func bodyError(err error, coding string, layers []*capped, l Limits) error {
	if _, ok := errors.AsType[*weir.Error](err); ok {
		return err
	}
	for _, c := range layers {
		if c.err == nil || errors.Is(c.err, io.EOF) {
			continue
		}
		switch {
		case errors.Is(c.err, errCapped) && c.coding == "":
			return weir.Errorf(weir.ETOOLARGE, "body is over %d bytes", l.Body)
		case errors.Is(c.err, errCapped):
			return weir.Errorf(weir.ETOOLARGE, "body is over %d bytes when decompressed", l.Decoded)
		case errors.Is(c.err, errSwollen):
			return weir.Errorf(weir.ETOOLARGE, "body is over %d times as large when decompressed, and names no project before that", strangersRatio)
		case isTooLarge(c.err): // the server's own reader was first
			return weir.Wrap(c.err, weir.ETOOLARGE, "body is over %d bytes", l.Body)
		case c.coding == "":
			return weir.Wrap(c.err, weir.EINVALID, "body could not be read")
		}
		err, coding = c.err, c.coding
		break
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return weir.Wrap(err, weir.EINVALID, "zstd window is over %d bytes, or over that of the first frame", maxWindow)
	}
	return weir.Wrap(err, weir.EINVALID, "body is not valid %s", coding)
}

func isTooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}
