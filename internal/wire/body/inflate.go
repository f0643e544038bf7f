package body

import (
	"bufio"
	"bytes"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/weir-analytics/weir/internal/wire"
)

const (
	// maxWindow is the greatest zstd window that HTTP allows (RFC 9659), in bytes.
	// It bounds what a decoder holds, whatever a frame asks for.
	maxWindow = 8 << 20
	// minWindow is what a frame's successors may ask for at least.
	minWindow = 256 << 10
	// pooledWindow is the largest window that a pool keeps.
	pooledWindow = 1 << 20
)

// What decoders take beside their windows, in bytes: measured, and rounded up.
const (
	inflaterCost = 24 << 10 // the buffer of what comes
	flateCost    = 64 << 10
	zstdCost     = 768 << 10 // with two blocks
	brotliCost   = 4 << 20   // 256 prefix codes of each of three kinds
)

// inflater is one layer's buffer and decoders, made when first needed.
type inflater struct {
	in     *bufio.Reader
	gzip   *gzip.Reader
	zstd   *zstd.Decoder
	window int64 // of zstd, the largest so far
	zlib   io.ReadCloser
	raw    io.ReadCloser // deflate without zlib's frame
	br     *brotli.Reader
}

var inflaters = sync.Pool{New: func() any {
	return &inflater{in: bufio.NewReaderSize(nil, 16<<10)}
}}

// decompress is f.in without the coding, and what the decoder takes. That is taken
// of h before.
func (f *inflater) decompress(coding string, h *wire.Reservation) (out io.Reader, err error) {
	switch coding {
	case "gzip":
		if err := h.Reserve(flateCost); err != nil {
			return nil, err
		}
		if f.gzip == nil {
			f.gzip = new(gzip.Reader)
		}
		return f.gzip, f.gzip.Reset(f.in)
	case "deflate":
		if err := h.Reserve(flateCost); err != nil {
			return nil, err
		}
		return f.deflate()
	case "br":
		if err := h.Reserve(brotliCost + brotliWindow(f.in)); err != nil {
			return nil, err
		}
		if f.br == nil {
			f.br = new(brotli.Reader)
		}
		return f.br, f.br.Reset(f.in)
	}
	return f.zstandard(h)
}

// zstandard reads frames whose windows are at most that of the first, or minWindow.
func (f *inflater) zstandard(h *wire.Reservation) (io.Reader, error) {
	window := zstdWindow(f.in)
	if err := h.Reserve(zstdCost + max(window, f.window)); err != nil {
		return nil, err
	}
	f.window = max(window, f.window)
	if f.zstd == nil {
		var err error
		// One at a time: no goroutine, so the garbage collector may have it.
		if f.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true)); err != nil {
			return nil, err
		}
	}
	// The option is one for the window of a stream and for what fits into memory of
	// a frame alone, neither of which may be larger.
	return f.zstd, f.zstd.ResetWithOptions(f.in, zstd.WithDecoderMaxWindow(uint64(window))) //nolint:gosec // not below 0
}

// zstdWindow is the window of the frame that the data begins with, from minWindow to
// maxWindow.
func zstdWindow(in *bufio.Reader) int64 {
	var head zstd.Header
	data, _ := in.Peek(zstd.HeaderMaxSize) // an error comes up again when the data is read
	if head.Decode(data) != nil || head.Skippable {
		return maxWindow
	}
	window := head.WindowSize
	if head.SingleSegment {
		window = head.FrameContentSize
	}
	return int64(min(max(window, minWindow), maxWindow)) //nolint:gosec // bounded
}

// brotliWindow is the size of the window that a stream begins with (RFC 7932, 9.1).
func brotliWindow(in *bufio.Reader) int64 {
	head, _ := in.Peek(1) // an error comes up again when the data is read
	bits := 24
	if len(head) == 1 {
		switch b := head[0]; {
		case b&1 == 0:
			bits = 16
		case b>>1&7 != 0:
			bits = 17 + int(b>>1&7)
		case b>>4&7 == 0:
			bits = 17
		case b>>4&7 != 1: // 1 is none of RFC 7932
			bits = 8 + int(b>>4&7)
		}
	}
	return 1 << bits
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
	if f.window > pooledWindow {
		f.zstd, f.window = nil, 0
	}
	if f.zstd != nil {
		if f.zstd.Reset(nil) != nil {
			return
		}
	}
	inflaters.Put(f)
}

// magicSize is how many bytes sniffed needs.
const magicSize = 4

// sniffed names the compression that the data begins with: RFC 1952's magic with
// its only method, or RFC 8878's. JSON begins with neither.
func sniffed(magic []byte) string {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b, 8}):
		return "gzip"
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "zstd"
	}
	return ""
}
