package httpd

import (
	"errors"
	"net/http"
	"time"

	weir "github.com/weir-analytics/weir"
)

// HTTP/2 without TLS is for OTLP over gRPC, on the port of all else. A client begins a connection
// with the preface (RFC 9113, section 3.3); there is no upgrade from HTTP/1.1.
//
// An HTTP/2 connection takes more memory than one of HTTP/1.1, and has many requests at once. So
// there are bounds beside those of Conns: of these connections, of their windows, and of the
// requests under way on them all. net/http ends a connection that resets streams or asks for
// answers (PING, SETTINGS) faster than it reads them.
const (
	http2Streams = 32       // requests at once on a connection
	http2Window  = 64 << 10 // bytes of bodies that a connection may send before a handler reads them
	http2Frame   = 16 << 10 // bytes of the largest frame
	http2Share   = 4        // a fourth of all connections may be of HTTP/2, and of those from one address
)

var http2Config = &http.HTTP2Config{
	MaxConcurrentStreams:          http2Streams,
	MaxDecoderHeaderTableSize:     4 << 10,
	MaxEncoderHeaderTableSize:     4 << 10,
	MaxReadFrameSize:              http2Frame,
	MaxReceiveBufferPerConnection: http2Window,
	MaxReceiveBufferPerStream:     http2Window,
	WriteByteTimeout:              30 * time.Second,
}

func httpVersions() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// preface follows the beginning of a connection.
type preface struct {
	seen  int // bytes of http2Preface
	other bool
}

// read returns whether the preface ends in p.
func (f *preface) read(p []byte) bool {
	if f.other || f.whole() || len(p) == 0 {
		return false
	}
	n := min(len(p), len(http2Preface)-f.seen)
	if string(p[:n]) != http2Preface[f.seen:f.seen+n] {
		f.other = true
		return false
	}
	f.seen += n
	return f.whole()
}

// whole says whether the connection is one of HTTP/2.
func (f *preface) whole() bool { return f.seen == len(http2Preface) }

var errHTTP2Conns = errors.New("httpd: too many HTTP/2 connections")

// addHTTP2 counts a connection among those of HTTP/2, and says whether there is room for it.
func (c *Conns) addHTTP2(n *conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case n.gone: // closed to make room, when its preface was read already
		return false
	case n.from.IsValid() && c.http2By[n.from] >= max(c.share/http2Share, 1):
		c.closed.WithLabelValues(tooManyFrom, kindHTTP2).Inc()
		return false
	case c.http2 >= max(c.max/http2Share, 1):
		c.closed.WithLabelValues(tooMany, kindHTTP2).Inc()
		return false
	}
	n.http2 = true
	c.http2++
	if n.from.IsValid() {
		c.http2By[n.from]++
	}
	return true
}

// removeHTTP2 is the inverse of addHTTP2. c.mu is held.
func (c *Conns) removeHTTP2(n *conn) {
	if !n.http2 {
		return
	}
	n.http2 = false
	c.http2--
	if n.from.IsValid() {
		if c.http2By[n.from]--; c.http2By[n.from] == 0 {
			delete(c.http2By, n.from)
		}
	}
}

// errStreams answers a request of HTTP/2 while too many are under way.
var errStreams = weir.Errorf(weir.EUNAVAILABLE, "too many requests are under way on HTTP/2 connections")

// enter counts a request of an HTTP/2 connection until leave is called. There may be as many
// requests at once as connections: in all, and from one address.
func (c *Conns) enter(r *http.Request) (leave func(), err error) {
	if c == nil || r.ProtoMajor != 2 {
		return func() {}, nil
	}
	from, ok := weir.ParseHop(r.RemoteAddr)
	shares := ok && !c.exempt(from)
	if shares {
		from = sharer(from)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case shares && c.streamsBy[from] >= c.share:
		c.closed.WithLabelValues(tooManyFrom, kindStream).Inc()
		return nil, errStreams
	case c.streams >= c.max:
		c.closed.WithLabelValues(tooMany, kindStream).Inc()
		return nil, errStreams
	}
	c.streams++
	if shares {
		c.streamsBy[from]++
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.streams--
		if shares {
			if c.streamsBy[from]--; c.streamsBy[from] == 0 {
				delete(c.streamsBy, from)
			}
		}
	}, nil
}
