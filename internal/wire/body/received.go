package body

import (
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/weir-analytics/weir/internal/wire"
)

// pieceSizes are in how large pieces a body is read, in bytes. One that grows is moved
// into the next larger piece; one that is larger than the largest has several of these.
// So who sends little, and waits, holds little.
var pieceSizes = [...]int{4 << 10, 16 << 10, pieceSize}

const pieceSize = 64 << 10

var pieces [len(pieceSizes)]sync.Pool

// getPiece is a piece of a size, by its place in pieceSizes.
func getPiece(size int) *[]byte {
	if p, ok := pieces[size].Get().(*[]byte); ok {
		return p
	}
	p := make([]byte, pieceSizes[size])
	return &p
}

func putPiece(p *[]byte) {
	if p != nil {
		pieces[slices.Index(pieceSizes[:], len(*p))].Put(p)
	}
}

// received is data as far as it has come, in pieces. What is taken of holding is their
// size.
type received struct {
	holding *wire.Reservation
	shownTo *Reading  // nil for data that is no text
	pieces  []*[]byte // all full but the last
	last    int       // bytes in the last
	at      int       // the piece that is being read
	read    int       // of it
}

// show shows a text.
func (d *received) show(text []byte) {
	if d.shownTo != nil {
		d.shownTo.show(text)
	}
}

// all takes head and then all of r. It shows the data each time that its only piece is
// full.
func (d *received) all(head []byte, r io.Reader) error {
	for {
		piece, err := d.room()
		if err != nil {
			return err
		}
		d.last += copy(piece[d.last:], head)
		head = nil
		n, err := fill(r, piece[d.last:])
		d.last += n
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(d.pieces) == 1 {
			d.show(piece)
		}
	}
}

// room is the last piece, with room in it.
func (d *received) room() ([]byte, error) {
	size := 0 // by its place in pieceSizes
	if len(d.pieces) > 0 {
		for pieceSizes[size] <= d.last && size < len(pieceSizes)-1 {
			size++
		}
	}
	more := pieceSizes[size]
	if len(d.pieces) == 1 && len(*d.pieces[0]) < more {
		before := d.pieces[0]
		if err := d.holding.Reserve(int64(more - len(*before))); err != nil {
			return nil, err
		}
		d.pieces[0] = getPiece(size)
		copy(*d.pieces[0], *before)
		putPiece(before)
		return *d.pieces[0], nil
	}
	if err := d.holding.Reserve(int64(more)); err != nil {
		return nil, err
	}
	p := getPiece(size)
	d.pieces, d.last = append(d.pieces, p), 0
	return *p, nil
}

// size is how many bytes there are.
func (d *received) size() int {
	n := 0
	for i := range d.pieces {
		n += len(d.part(i))
	}
	return n
}

// part is the piece at a place, as far as it is filled.
func (d *received) part(i int) []byte {
	if i == len(d.pieces)-1 {
		return (*d.pieces[i])[:d.last]
	}
	return *d.pieces[i]
}

// Read implements io.Reader.
func (d *received) Read(p []byte) (int, error) {
	for ; d.at < len(d.pieces); d.at, d.read = d.at+1, 0 {
		if n := copy(p, d.part(d.at)[d.read:]); n > 0 {
			d.read += n
			return n, nil
		}
	}
	return 0, io.EOF
}

// release gives all back. A second call does nothing.
func (d *received) release() {
	for _, p := range d.pieces {
		d.holding.Release(int64(len(*p)))
		putPiece(p)
	}
	d.pieces = nil
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
