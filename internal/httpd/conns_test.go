package httpd_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/httpd"
)

// bounded is a Front with at most so many connections, which answers /healthz alone.
func bounded(t *testing.T, c *httpd.Conns) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	f := &httpd.Front{Logger: slog.New(slog.DiscardHandler), Conns: c}
	go func() { done <- f.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// dial connects from an address of this machine's own.
func dial(t *testing.T, from, to string) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// healthy asks on a connection, and keeps it open.
func healthy(c net.Conn) bool {
	fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
	res, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func TestIdleConnectionsMakeRoomForNewOnes(t *testing.T) {
	reg := prometheus.NewRegistry()
	addr := bounded(t, httpd.NewConns(8, 8, nil, reg))
	var idle []net.Conn
	for range 40 {
		idle = append(idle, dial(t, "127.0.0.1", addr))
	}
	if !healthy(dial(t, "127.0.0.2", addr)) {
		t.Error("a new connection is not served")
	}
	if healthy(idle[0]) {
		t.Error("the one that was idle for longest is still open")
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			open, closed := m.GetGauge().GetValue(), m.GetCounter().GetValue()
			if f.GetName() == "weir_http_connections" && open > 8 || closed > 0 && len(m.GetLabel()) != 2 {
				t.Errorf("%s: %v", f.GetName(), m)
			}
		}
	}
}

func TestOneAddressCannotTakeAllConnections(t *testing.T) {
	addr := bounded(t, httpd.NewConns(8, 4, nil, nil))
	kept := dial(t, "127.0.0.2", addr)
	if !healthy(kept) {
		t.Fatal("not served")
	}
	for range 20 {
		dial(t, "127.0.0.1", addr)
	}
	if !healthy(dial(t, "127.0.0.3", addr)) || !healthy(kept) {
		t.Error("other addresses are not served")
	}
}

func TestAProxysConnectionsHaveNoShare(t *testing.T) {
	addr := bounded(t, httpd.NewConns(8, 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, nil))
	var all []net.Conn
	for range 8 {
		all = append(all, dial(t, "127.0.0.1", addr))
	}
	for i, c := range all {
		if !healthy(c) {
			t.Errorf("connection %d is not served", i)
		}
	}
}

func TestAllAddressesOfANetworkOfIPv6HaveOneShare(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::", "2001:db8:1:2:ffff::1": "2001:db8:1:2::", "2001:db8:1:3::1": "2001:db8:1:3::",
	} {
		if got := httpd.Sharer(netip.MustParseAddr(addr)); got != netip.MustParseAddr(want) {
			t.Errorf("%s shares with %s, want %s", addr, got, want)
		}
	}
}

// 60 KB of the shortest lines take 1 MB in memory.
func TestAHeadIsBoundedInBytesAndInLines(t *testing.T) {
	to := bounded(t, httpd.NewConns(64, 64, nil, nil))
	lines := func(n int) (b string) {
		for i := range n {
			b += fmt.Sprintf("A%d:\r\n", i)
		}
		return b
	}
	text := func(n int) string { return "Cookie: " + strings.Repeat("x", n) + "\r\n" }
	for _, c := range []struct {
		name, head string
		taken      bool
	}{
		{"200 lines", lines(200), true},
		{"30 KB", text(30_000), true},
		{"300 lines", lines(300), false},
		{"300 lines that do not end", lines(300) + "\x00", false},
		{"40 KB", text(40_000), false},
	} {
		conn := dial(t, "127.0.0.1", to)
		ask := func() bool {
			head, ends := strings.CutSuffix(c.head, "\x00")
			if !ends {
				head += "\r\n"
			}
			go func() { _, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: h\r\n%s", head) }()
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				return false
			}
			_ = res.Body.Close()
			return res.StatusCode == http.StatusOK
		}
		if got := ask(); got != c.taken {
			t.Errorf("%s: taken %v", c.name, got)
		}
		if c.taken && !ask() { // the same again on the same connection
			t.Errorf("%s: not taken twice", c.name)
		}
	}
}

func TestABodyMayHaveAnyNumberOfLines(t *testing.T) {
	f := prepare(t)
	front := &httpd.Front{Logger: slog.New(slog.DiscardHandler), Conns: httpd.NewConns(8, 8, nil, nil)}
	front.Pass(f.served)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- front.Run(ctx, l) }()
	body := strings.Repeat("{}\n", 5000)
	conn := dial(t, "127.0.0.1", l.Addr().String())
	for range 3 {
		go func() { _, _ = fmt.Fprint(conn, head("/v1/events", f.key, len(body))+body) }()
		if status, text := answerOf(t, conn); status != 200 {
			t.Errorf("%d %s", status, text)
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// scripted is a connection that reads what it is given.
type scripted struct {
	net.Conn
	from net.Addr
	text chan string
}

func (c *scripted) RemoteAddr() net.Addr { return c.from }
func (c *scripted) Close() error         { return nil }

func (c *scripted) Read(p []byte) (int, error) { return copy(p, <-c.text), nil }

// scriptedListener accepts one new scripted connection after the other.
type scriptedListener struct {
	net.Listener
	last *scripted
}

func (l *scriptedListener) Accept() (net.Conn, error) {
	l.last = &scripted{from: &net.TCPAddr{IP: net.ParseIP("203.0.113.5"), Port: 4001}, text: make(chan string, 1)}
	return l.last, nil
}

func TestAConnectionThatIsClosedToMakeRoomTakesNoPlaceOfHTTP2(t *testing.T) {
	c := httpd.NewConns(4, 4, nil, nil) // one of HTTP/2
	from := &scriptedListener{}
	l := c.Listener(from)
	accept := func() (net.Conn, *scripted) {
		t.Helper()
		n, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return n, from.last
	}
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	read := func(n net.Conn) error { _, err := n.Read(make([]byte, 100)); return err }

	late, script := accept()
	if err := late.Close(); err != nil {
		t.Fatal(err)
	}
	script.text <- preface // it was on its way already
	if err := read(late); err == nil {
		t.Error("a connection that is closed is served as HTTP/2")
	}
	c.State(late, http.StateIdle) // net/http does not know yet

	next, script := accept()
	script.text <- preface
	if err := read(next); err != nil {
		t.Errorf("the only connection of HTTP/2 is refused: %v", err)
	}
	// The one that is closed is not there to make room for others.
	c.State(next, http.StateActive)
	for range 3 {
		n, _ := accept()
		c.State(n, http.StateActive)
	}
	if c.Room(netip.MustParseAddr("203.0.113.5")) {
		t.Error("a fifth connection is accepted")
	}
}
