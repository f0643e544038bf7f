package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

// fault is what a proxy does to connections, those that are there and new ones.
type fault struct {
	kind  faultKind
	bytes int           // of cut, halfClose and stall: they strike after so many at most
	delay time.Duration // of late: at the most, for each piece
}

type faultKind int

const (
	none      faultKind = iota
	reset               // a connection is reset (RST) at once, a new one when it is accepted
	cut                 // it is reset when n bytes went through in one direction
	halfClose           // one direction ends (FIN) after n bytes, and the other goes on
	late                // each piece comes later, in its order
	stall               // nothing goes through until the fault is another; with bytes, in one direction after n of them
)

func (k faultKind) String() string {
	return [...]string{"none", "reset", "cut", "half-close", "late", "stall"}[k]
}

// direction is that of bytes.
type direction int

const (
	toServer direction = iota
	toClient
)

// proxy passes TCP connections on to a server, and does to them what networks do.
// What it draws, such as after how many bytes in which direction a connection is
// cut, follows from the seed, the connection's number and how many faults were set
// before. What it has read it delivers, also when the sender is gone since. Its
// methods are safe for concurrent use.
type proxy struct {
	addr   string // where it listens
	target string // the server's
	seed   uint64

	listener *net.TCPListener
	running  sync.WaitGroup

	mu      sync.Mutex
	fault   fault
	turn    uint64        // how many faults were set
	changed chan struct{} // closed when there is another
	links   map[*link]bool
	count   uint64 // connections accepted
	struck  map[faultKind]int
	closed  bool
}

// startProxy starts a proxy that the test's end closes. The server need not be there.
func startProxy(t *testing.T, target string, seed uint64) *proxy {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{
		addr: l.Addr().String(), target: target, seed: seed, listener: l,
		changed: make(chan struct{}), links: map[*link]bool{}, struck: map[faultKind]int{},
	}
	p.running.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// set makes another fault the one that holds from now on; fault{} is none.
func (p *proxy) set(f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = f
	p.turn++
	close(p.changed)
	p.changed = make(chan struct{})
	if f.kind != reset {
		return
	}
	for l := range p.links {
		p.struck[reset]++
		l.reset()
	}
}

// strikes is how often faults of each kind struck.
func (p *proxy) strikes() map[faultKind]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.struck)
}

func (p *proxy) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.set(fault{kind: reset})
	p.listener.Close()
	p.running.Wait()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.AcceptTCP()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			panic(fmt.Sprintf("proxy: accept: %v", err))
		}
		p.mu.Lock()
		p.count++
		l := &link{proxy: p, number: p.count, ends: [2]*net.TCPConn{toClient: client}}
		refused := p.fault.kind == reset || p.closed
		if refused {
			p.struck[reset]++
		} else {
			p.links[l] = true
		}
		p.mu.Unlock()
		if refused {
			l.reset()
			continue
		}
		p.running.Go(l.run)
	}
}

// link is a connection through the proxy.
type link struct {
	*proxy
	number uint64
	mu     sync.Mutex
	ends   [2]*net.TCPConn // by the direction in which an end is written to
	gone   bool            // it was reset
}

// run passes on what comes until both directions have ended.
func (l *link) run() {
	defer func() {
		l.close()
		l.proxy.mu.Lock()
		delete(l.links, l)
		l.proxy.mu.Unlock()
	}()
	l.hold()
	server, err := net.Dial("tcp", l.target)
	if err != nil {
		l.reset()
		return
	}
	l.mu.Lock()
	l.ends[toServer] = server.(*net.TCPConn)
	gone := l.gone
	l.mu.Unlock()
	if gone {
		l.reset()
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.copy(toServer) })
	both.Go(func() { l.copy(toClient) })
	both.Wait()
}

// reset ends both sides at once: what is under way is lost.
func (l *link) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		if c != nil {
			_ = c.SetLinger(0)
			_ = c.Close()
		}
	}
	l.gone = true
}

// close ends both sides; what was written still arrives.
func (l *link) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.ends {
		if c != nil {
			_ = c.Close()
		}
	}
	l.gone = true
}

// now is what holds, until changed is closed.
func (p *proxy) now() (f fault, turn uint64, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault, p.turn, p.changed
}

// hold waits while nothing at all goes through.
func (l *link) hold() {
	for {
		f, _, changed := l.now()
		if f.kind != stall || f.bytes > 0 {
			return
		}
		l.strike(stall)
		<-changed
	}
}

// copy passes on one direction until it ends.
func (l *link) copy(d direction) {
	to, from := l.ends[d], l.ends[1-d]
	buf := make([]byte, 16<<10)
	var way way
	for {
		n, err := from.Read(buf)
		for rest := buf[:n]; ; {
			f, turn, changed := l.now()
			if way.rand == nil || way.turn != turn {
				way = l.way(d, f, turn)
			}
			through, strikes := way.take(len(rest))
			if f.kind == late && through > 0 {
				l.strike(late)
				time.Sleep(time.Duration(way.rand.Int64N(int64(f.delay)) + 1))
			}
			if _, e := to.Write(rest[:through]); e != nil {
				err = e
			}
			rest = rest[through:]
			if !strikes {
				break
			}
			l.strike(f.kind)
			switch f.kind {
			case cut:
				l.reset()
				return
			case halfClose:
				_ = to.CloseWrite()
				_, _ = io.Copy(io.Discard, from)
				return
			}
			<-changed
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.CloseWrite()
			return
		case err != nil:
			l.reset()
			return
		}
	}
}

func (l *link) strike(k faultKind) {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	l.struck[k]++
}

// way is what a fault does to one direction of a link.
type way struct {
	turn    uint64
	rand    *rand.Rand
	strikes bool // when left is 0
	left    int  // bytes
}

func (l *link) way(d direction, f fault, turn uint64) way {
	// The same for both directions, so that it strikes one of them.
	both := rand.New(rand.NewPCG(l.seed, l.number<<32|turn))
	one, left := direction(both.IntN(2)), 0
	if f.bytes > 0 {
		left = both.IntN(f.bytes + 1)
	}
	w := way{turn: turn, rand: rand.New(rand.NewPCG(both.Uint64(), uint64(d))), left: left}
	switch f.kind {
	case cut, halfClose:
		w.strikes = d == one
	case stall:
		w.strikes = d == one || f.bytes == 0
	}
	return w
}

// take is how many of n bytes go through, and whether the fault strikes then.
func (w *way) take(n int) (through int, strikes bool) {
	if !w.strikes || n < w.left {
		w.left -= n
		return n, false
	}
	through, w.left = w.left, 0
	return through, true
}
