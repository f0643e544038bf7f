// Package body reads a request's body: it decompresses it, within limits, and reserves
// memory before it uses it.
package body

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Body is a request's body, decompressed. It is not safe for concurrent use.
type Body struct {
	data   []byte
	memory *[]byte // what it lies in, of a pool
	coded  bool

	holding *wire.Reservation
	taken   int64
}

// Bytes returns the body, which belongs to the Body: do not write to it, and do not read it after
// Release. Decoded events are copies, which stay valid.
func (b *Body) Bytes() []byte { return b.data }

// Coded says whether it was compressed.
func (b *Body) Coded() bool { return b.coded }

// Release gives the memory back. A second call does nothing, nor does one of a nil Body.
func (b *Body) Release() {
	if b == nil {
		return
	}
	putPiece(b.memory)
	b.holding.Release(b.taken)
	b.data, b.memory, b.taken = nil, nil, 0
}

// Reading is a body that is being read. It is not safe for concurrent use.
type Reading struct {
	r        io.Reader
	encoding string
	packed   []byte // in place of r
	limits   wire.Limits

	look func(text []byte) bool // the loop over Beginnings; nil without one
	body *Body
	err  error
	done bool
}

// Open returns a body that is read by Beginnings or Body, and decompressed: by
// contentEncoding, the header's value ("", "gzip", "x-gzip", "zstd", "deflate", "br",
// "identity"), or by what it begins with, since some SDKs compress and do not say so. It is
// decompressed once: no SDK compresses twice, and what does is an attack.
//
// Memory is reserved of Limits.Memory before it is used. While the body arrives, that is
// about as much as has arrived, and nothing before its first byte: a compressed body is
// decompressed when all of it is there. While the project is not known (see
// wire.Reservation.SetKnown), the text is at most wire.UnknownProjectRatio times as large
// as what was sent of it.
func Open(r io.Reader, contentEncoding string, l wire.Limits) *Reading {
	return &Reading{r: r, encoding: contentEncoding, limits: l}
}

// Read reads a whole body at once. See Open and Body.
func Read(r io.Reader, contentEncoding string, l wire.Limits) (*Body, error) {
	return Open(r, contentEncoding, l).Body()
}

// Beginnings reads the body and yields its text as far as it has arrived: nothing at first,
// then 4, 16 and 64 KiB of it, then its last pieces, then all of it. The loop can look for
// the name of a project in it. After an early end of the loop, Body reads on.
func (b *Reading) Beginnings() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		b.look = yield
		if b.show(nil); b.look != nil {
			b.read()
		}
		b.look = nil
	}
}

// show yields a text to the loop, until that has ended.
func (b *Reading) show(text []byte) {
	if b.look != nil && !b.look(text) {
		b.look = nil
	}
}

// Body returns the body, which the caller releases. There is none to release with an
// error. Errors: ETOOLARGE over Limits.Body as sent or Limits.Decoded decompressed,
// EUNSUPPORTED for another encoding, EINVALID for data that is corrupt, truncated, or cannot
// be read; those of Reservation.Reserve; those of the reader that have a code.
func (b *Reading) Body() (*Body, error) {
	b.read()
	return b.body, b.err
}

func (b *Reading) read() {
	if !b.done {
		b.done = true
		b.body, b.err = b.whole()
	}
}

// whole reads the body to its end.
func (b *Reading) whole() (*Body, error) {
	l := b.limits
	if b.packed != nil {
		source := &capped{r: bytes.NewReader(b.packed), left: l.Body}
		return b.decompress(source, source, sniffed(b.packed))
	}
	coding, err := parseCodings(b.encoding)
	if err != nil {
		return nil, err
	}
	source := &capped{r: b.r, left: l.Body}
	var head [magicSize]byte
	n, err := fill(source, head[:])
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, bodyError(err, "", []*capped{source}, l)
	}
	if sniffed := sniffed(head[:n]); coding == "" {
		coding = sniffed
	}
	d := &received{holding: l.Memory}
	if coding == "" {
		d.shownTo = b
	}
	if err := d.all(head[:n], source); err != nil {
		d.release()
		return nil, bodyError(err, "", []*capped{source}, l)
	}
	if coding != "" {
		defer d.release()
		return b.decompress(d, source, coding)
	}
	return newBody(d)
}

// decompress returns the body of what is read of in, which came from source.
func (b *Reading) decompress(in io.Reader, source *capped, coding string) (*Body, error) {
	l, h := b.limits, b.limits.Memory
	before := h.Reserved()
	if err := h.Reserve(inflaterCost); err != nil {
		return nil, err
	}
	f := inflaters.Get().(*inflater)
	defer f.put()
	f.in.Reset(in)
	layers := []*capped{source}
	out, err := f.decompress(coding, h)
	if err != nil {
		return nil, bodyError(err, coding, layers, l)
	}
	top := &capped{r: out, left: l.Decoded, coding: coding, source: source, sent: l.Body, holding: h}
	layers = append(layers, top)
	text := &received{holding: h, shownTo: b}
	var body *Body
	if err = text.all(nil, top); err == nil {
		body, err = newBody(text)
	}
	if err != nil {
		text.release()
		return nil, bodyError(err, coding, layers, l)
	}
	h.Release(h.Reserved() - before - body.taken)
	body.coded = true
	if sniffed(body.data) != "" {
		body.Release()
		return nil, weir.Errorf(weir.EINVALID, "body is compressed more than once")
	}
	return body, nil
}

// IsCompressed reports whether data begins as gzip or zstd does.
func IsCompressed(data []byte) bool { return sniffed(data) != "" }

// OpenPacked returns a text of gzip or zstd that is part of a body. Owned returns it
// decompressed.
func OpenPacked(text []byte, l wire.Limits) *Reading { return &Reading{packed: text, limits: l} }

// Owned returns the text of the body in memory of its own, which stays reserved until the
// request ends. There is nothing to release. Errors: those of Body.
func (b *Reading) Owned() ([]byte, error) {
	body, err := b.Body()
	if err != nil {
		return nil, err
	}
	defer body.Release()
	if body.memory == nil { // of no pool
		out := body.data
		body.taken = 0 // stays reserved
		return out, nil
	}
	if err := b.limits.Memory.Reserve(int64(len(body.data))); err != nil {
		return nil, err
	}
	return bytes.Clone(body.data), nil
}

// newBody is the body of what was received: its only piece, or what its pieces are
// copied into.
func newBody(d *received) (*Body, error) {
	b := &Body{holding: d.holding}
	if len(d.pieces) == 1 {
		b.memory, b.data, b.taken = d.pieces[0], (*d.pieces[0])[:d.last], int64(len(*d.pieces[0]))
		d.show(b.data)
		return b, nil
	}
	defer d.release()
	// The name of the project may be at the end. It is shown before the body is copied,
	// because an unknown project may have no memory for the copy.
	for i := range 2 {
		d.show(d.part(len(d.pieces) - 1 - i))
	}
	size := d.size()
	if err := d.holding.Reserve(int64(size)); err != nil {
		return nil, err
	}
	b.data, b.taken = make([]byte, 0, size), int64(size)
	for i := range d.pieces {
		b.data = append(b.data, d.part(i)...)
	}
	d.show(b.data)
	return b, nil
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

	// If the body is decompressed: the body as sent, the bytes that were left of it at the
	// beginning, and its sender.
	source  *capped
	sent    int64
	holding *wire.Reservation
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
	if c.source != nil && c.given > c.holding.DecompressedLimit(c.sent-c.source.left, c.given) {
		err = errSwollen
	}
	c.err = err
	return n, err
}

// bodyError says what a failed read means. The first layer that failed is the
// cause; those after it only suffer from it.
func bodyError(err error, coding string, layers []*capped, l wire.Limits) error {
	if _, ok := errors.AsType[*weir.Error](err); ok {
		return err
	}
	for _, c := range layers {
		if c.err == nil || errors.Is(c.err, io.EOF) {
			continue
		}
		if _, ok := errors.AsType[*weir.Error](c.err); ok {
			return c.err
		}
		switch {
		case errors.Is(c.err, errCapped) && c.coding == "":
			return weir.Errorf(weir.ETOOLARGE, "body is over %d bytes", l.Body)
		case errors.Is(c.err, errCapped):
			return weir.Errorf(weir.ETOOLARGE, "body is over %d bytes when decompressed", l.Decoded)
		case errors.Is(c.err, errSwollen):
			return weir.Errorf(weir.ETOOLARGE, "body is over %d times as large when decompressed, and names no project before that", wire.UnknownProjectRatio)
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
