package body

import (
	"encoding/binary"
	"errors"
	"io"

	weir "github.com/weir-analytics/weir"
)

// messageHead is before a message: whether it is compressed (0 or 1), and its length in four bytes.
const messageHead = 5

// Message returns a reader of the one message that a unary gRPC call sends, without its head. The
// message may still be compressed: Open finds out by its first bytes. Errors: EINVALID for no
// message, more than one, and one that is cut off; ETOOLARGE for a message of more than most bytes,
// before any of it is read.
//
// Source: "Length-Prefixed-Message" in github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
func Message(r io.Reader, most int64) io.Reader { return &message{r: r, most: most} }

type message struct {
	r     io.Reader
	most  int64
	begun bool
	left  int64
}

// Read implements io.Reader.
func (m *message) Read(p []byte) (int, error) {
	if !m.begun {
		m.begun = true
		if err := m.head(); err != nil {
			return 0, err
		}
	}
	if m.left == 0 {
		return 0, m.end()
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = nil
		if m.left > 0 {
			err = weir.Errorf(weir.EINVALID, "the message is cut off: %d bytes are missing", m.left)
		}
	}
	return n, err
}

func (m *message) head() error {
	var head [messageHead]byte
	switch _, err := io.ReadFull(m.r, head[:]); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return weir.Errorf(weir.EINVALID, "the request has no message: it ends before the message's length")
	case err != nil:
		return err
	}
	m.left = int64(binary.BigEndian.Uint32(head[1:]))
	switch {
	case head[0] > 1:
		return weir.Errorf(weir.EINVALID, "the message begins with %d, want 0, or 1 if it is compressed", head[0])
	case m.left > m.most:
		return weir.Errorf(weir.ETOOLARGE, "the message has %d bytes, at most %d", m.left, m.most)
	}
	return nil
}

// end is io.EOF if nothing follows.
func (m *message) end() error {
	var more [1]byte
	switch n, err := io.ReadFull(m.r, more[:]); {
	case n > 0:
		return weir.Errorf(weir.EINVALID, "more than one message, in a call that takes one")
	case errors.Is(err, io.EOF):
		return io.EOF
	default:
		return err
	}
}
