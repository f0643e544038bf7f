package httpd

import (
	"container/list"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
)

// Conns bounds how many connections are open at once, in all and from one address.
// When a bound is reached the connection that has been idle for longest is closed
// for the new one; when none is idle the new one is. It is safe for concurrent use.
type Conns struct {
	max, share int
	exempt     func(netip.Addr) bool

	mu     sync.Mutex
	open   int
	by     map[netip.Addr]int // open, by address; not of the exempt
	idle   list.List          // of *conn, the one that has been idle for longest first
	closed *prometheus.CounterVec

	// Of HTTP/2, see http2.go.
	http2, streams     int                // connections, and requests under way on them
	http2By, streamsBy map[netip.Addr]int // the same by address; not of the exempt
}

// Reasons for which a connection is closed by Conns.
const (
	tooMany     = "total"
	tooManyFrom = "address"
)

// Kinds of what is closed or refused.
const (
	kindIdle   = "idle"
	kindNew    = "new"
	kindHTTP2  = "http2"
	kindStream = "stream"
)

// NewConns makes a Conns: most connections in all, and most from one address unless
// it is in one of exempt, such as a proxy's. The registry is optional.
func NewConns(most, share int, exempt []netip.Prefix, reg prometheus.Registerer) *Conns {
	c := &Conns{max: most, share: share, exempt: within(exempt), by: map[netip.Addr]int{}, http2By: map[netip.Addr]int{}, streamsBy: map[netip.Addr]int{}}
	c.closed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "weir_http_connections_closed_total", Help: "Connections that were closed because there were too many in all (total) or from one address (address): idle ones to make room, new ones when none was idle, those of HTTP/2 (http2) of which fewer may be open. A stream is a request on one of these that was refused.",
	}, []string{"reason", "kind"})
	for _, reason := range []string{tooMany, tooManyFrom} {
		for _, kind := range []string{kindIdle, kindNew, kindHTTP2, kindStream} {
			c.closed.WithLabelValues(reason, kind)
		}
	}
	if reg != nil {
		reg.MustRegister(c.closed,
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "weir_http_connections", Help: "Connections open now."}, func() float64 {
				c.mu.Lock()
				defer c.mu.Unlock()
				return float64(c.open)
			}),
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "weir_http_connections_max", Help: "Most connections at once."}, func() float64 { return float64(c.max) }),
		)
	}
	return c
}

func within(prefixes []netip.Prefix) func(netip.Addr) bool {
	return func(a netip.Addr) bool {
		for _, p := range prefixes {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
}

// conn is a connection that is counted until it is closed.
type conn struct {
	net.Conn
	raw   net.Conn // below TLS, or the same
	conns *Conns
	from  netip.Addr // zero for the exempt
	once  sync.Once
	idle  *list.Element // nil while a request is under way
	next  atomic.Bool   // another head comes
	head  headLines

	handshake sync.Once
	shaken    error

	preface preface
	http2   bool // counted as such
	gone    bool // counted out; guarded by Conns.mu, as http2 and idle are
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if secure, ok := c.Conn.(*tls.Conn); ok {
		c.handshake.Do(func() { c.shaken = shake(secure) })
		if c.shaken != nil {
			return 0, io.EOF // nobody can read an answer
		}
	}
	n, err := c.Conn.Read(p)
	if c.preface.whole() {
		return n, err // frames, which have no lines
	}
	if c.preface.read(p[:n]) {
		if !c.conns.addHTTP2(c) {
			_ = c.Conn.Close() // net/http would read on, as HTTP/1.1
			return 0, errHTTP2Conns
		}
		return n, err
	}
	if c.next.CompareAndSwap(true, false) {
		c.head = headLines{}
	}
	if long := c.head.read(p[:n]); long != nil {
		return 0, long
	}
	return n, err
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.once.Do(func() { c.conns.remove(c) })
	return c.Conn.Close()
}

// cut closes the connection without a word, which a client could delay.
func (c *conn) cut() {
	c.once.Do(func() { c.conns.remove(c) })
	_ = c.raw.Close() // it is given up
}

// listener is l within the bounds. With a configuration its connections speak TLS. That is below
// conn, which looks at what a request begins with. So net/http sees no TLS, and takes
// HTTP/2 by its preface, with and without TLS.
func (c *Conns) listener(l net.Listener, secure *tls.Config) net.Listener {
	return &boundedListener{l, c, secure}
}

type boundedListener struct {
	net.Listener
	conns  *Conns
	secure *tls.Config // nil is without TLS
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: raw, raw: raw, conns: l.conns}
		if a, ok := weir.ParseHop(raw.RemoteAddr().String()); ok && !l.conns.exempt(a) {
			c.from = sharer(a)
		}
		if l.secure != nil {
			c.Conn = tls.Server(raw, l.secure)
		}
		if l.conns.add(c) {
			return c, nil
		}
		_ = raw.Close() // nobody has read or written
	}
}

// sharer returns the key under which the connections of an address are counted: the address,
// or its /64 in IPv6, since one customer has all addresses of a /64.
func sharer(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// add counts a new connection in, and says whether there is room for it.
func (c *Conns) add(n *conn) bool {
	c.mu.Lock()
	victim, reason := (*conn)(nil), ""
	switch {
	case n.from.IsValid() && c.by[n.from] >= c.share:
		victim, reason = c.longestIdle(func(o *conn) bool { return o.from == n.from }), tooManyFrom
	case c.open >= c.max:
		victim, reason = c.longestIdle(func(*conn) bool { return true }), tooMany
	}
	if reason != "" && victim == nil {
		c.mu.Unlock()
		c.closed.WithLabelValues(reason, kindNew).Inc()
		return false
	}
	c.open++
	if n.from.IsValid() {
		c.by[n.from]++
	}
	n.idle = c.idle.PushBack(n)
	c.mu.Unlock()
	if victim != nil {
		c.closed.WithLabelValues(reason, kindIdle).Inc()
		victim.cut()
	}
	return true
}

// longestIdle takes it off the list, so that it is chosen once. c.mu is held.
func (c *Conns) longestIdle(of func(*conn) bool) *conn {
	for e := c.idle.Front(); e != nil; e = e.Next() {
		if o, _ := e.Value.(*conn); of(o) {
			c.idle.Remove(e)
			o.idle = nil
			return o
		}
	}
	return nil
}

func (c *Conns) remove(n *conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open--
	if n.from.IsValid() {
		if c.by[n.from]--; c.by[n.from] == 0 {
			delete(c.by, n.from)
		}
	}
	c.removeHTTP2(n)
	c.setIdle(n, false)
	n.gone = true
}

// setIdle moves a connection on or off the list. c.mu is held.
func (c *Conns) setIdle(n *conn, idle bool) {
	if n.gone { // closed to make room, while net/http still works on it
		return
	}
	if n.idle != nil {
		c.idle.Remove(n.idle)
		n.idle = nil
	}
	if idle {
		n.idle = c.idle.PushBack(n)
	}
}

// state is for http.Server.ConnState.
func (c *Conns) state(raw net.Conn, to http.ConnState) {
	n, ok := raw.(*conn)
	if !ok || to != http.StateActive && to != http.StateIdle {
		return // new ones are counted in, closed ones out
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setIdle(n, to == http.StateIdle)
	if to == http.StateIdle {
		n.next.Store(true)
	}
}
