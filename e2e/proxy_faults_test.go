package e2e_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// far is a server behind a proxy that takes connections and does nothing by itself.
func far(t *testing.T, seed uint64) (*proxy, <-chan *net.TCPConn) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	taken := make(chan *net.TCPConn, 16)
	go func() {
		for {
			c, err := l.AcceptTCP()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			taken <- c
		}
	}()
	return startProxy(t, l.Addr().String(), seed), taken
}

// near connects to the proxy.
func near(t *testing.T, p *proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", p.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.(*net.TCPConn)
}

func say(t *testing.T, c net.Conn, what string) {
	t.Helper()
	if _, err := io.WriteString(c, what); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("%q, %v: want %q", got, err, want)
	}
}

func TestAProxyPassesBothDirectionsAndTheirEnds(t *testing.T) {
	p, taken := far(t, 1)
	client := near(t, p)
	server := <-taken
	say(t, client, "question")
	hear(t, server, "question")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(server); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v", rest, err)
	}
	say(t, server, "answer")
	hear(t, client, "answer")
	server.Close()
	if rest, err := io.ReadAll(client); err != nil || len(rest) > 0 {
		t.Fatalf("%q, %v", rest, err)
	}
}

func TestAProxyResetsWhatIsThereAndWhatComes(t *testing.T) {
	p, taken := far(t, 1)
	old := near(t, p)
	server := <-taken
	p.set(fault{kind: reset})
	for name, c := range map[string]net.Conn{"the client's": old, "the server's": server} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s: %v", name, err)
		}
	}
	young, err := net.Dial("tcp", p.addr)
	if err == nil {
		_, err = young.Read(make([]byte, 1))
		young.Close()
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a new one: %v", err)
	}
	p.set(fault{})
	say(t, near(t, p), "again")
	hear(t, <-taken, "again")
}

// through sends much in both directions, and returns how much of it came.
func through(t *testing.T, seed uint64, f fault) (got [2]int, errs [2]error) {
	t.Helper()
	p, taken := far(t, seed)
	client := near(t, p)
	server := <-taken
	p.set(f)
	much := bytes.Repeat([]byte("0123456789"), 20_000)
	type half struct {
		d   direction
		n   int
		err error
	}
	done := make(chan half, 2)
	for d, c := range [2]*net.TCPConn{toServer: client, toClient: server} {
		go func() {
			_, _ = c.Write(much)
			_ = c.CloseWrite()
		}()
		go func() {
			raw, err := io.ReadAll(c)
			if !bytes.HasPrefix(much, raw) {
				err = errors.New("something else came")
			}
			done <- half{direction(1 - d), len(raw), err}
		}()
	}
	for range 2 {
		h := <-done
		got[h.d], errs[h.d] = h.n, h.err
	}
	return got, errs
}

func TestAProxyCutsAfterBytesThatFollowFromTheSeed(t *testing.T) {
	f := fault{kind: cut, bytes: 100_000}
	seen := map[int]bool{}
	struck := [2]int{}
	for seed := range uint64(8) {
		w := (&link{proxy: &proxy{seed: seed}, number: 1}).way(toServer, f, 1)
		d := toServer
		if !w.strikes {
			w = (&link{proxy: &proxy{seed: seed}, number: 1}).way(toClient, f, 1)
			d = toClient
		}
		// Whether the reader or the writer beside it sees the reset is left to chance.
		if got, _ := through(t, seed, f); got[d] != w.left {
			t.Errorf("seed %d: cut after %d bytes, want %d", seed, got[d], w.left)
		}
		seen[w.left] = true
		struck[d]++
	}
	if len(seen) < 7 || struck[toServer] == 0 || struck[toClient] == 0 {
		t.Errorf("the seed matters little: %v, directions %v", seen, struck)
	}
}

func TestAProxyEndsOneDirectionAndTheOtherGoesOn(t *testing.T) {
	for seed := range uint64(8) {
		got, errs := through(t, seed, fault{kind: halfClose, bytes: 100_000})
		if errs[toServer] != nil || errs[toClient] != nil {
			t.Errorf("seed %d: %v", seed, errs)
		}
		if min(got[toServer], got[toClient]) > 100_000 || max(got[toServer], got[toClient]) != 200_000 {
			t.Errorf("seed %d: %d and %d bytes came", seed, got[toServer], got[toClient])
		}
	}
}

func TestAProxyThatIsLateBringsAllInOrder(t *testing.T) {
	p, taken := far(t, 1)
	client := near(t, p)
	server := <-taken
	p.set(fault{kind: late, delay: time.Millisecond})
	for _, piece := range []string{"one", "two", "three"} {
		say(t, client, piece)
	}
	hear(t, server, "onetwothree")
	if p.strikes()[late] == 0 {
		t.Error("nothing was late")
	}
}

func TestAStalledProxyAcceptsAndIsSilentUntilItGoesOn(t *testing.T) {
	p, taken := far(t, 1)
	old := near(t, p)
	server := <-taken
	p.set(fault{kind: stall})
	say(t, old, "held")
	young := near(t, p)
	say(t, young, "held too")
	young.Close() // what it said is said
	deadline := time.Now().Add(100 * time.Millisecond)
	if err := server.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	if n, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d bytes came, %v", n, err)
	}
	if len(taken) > 0 {
		t.Fatal("the server got a connection")
	}
	if err := server.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.set(fault{})
	hear(t, server, "held")
	hear(t, <-taken, "held too")
}

func TestAProxyStallsAfterBytesAndLosesNone(t *testing.T) {
	p, taken := far(t, 1)
	client := near(t, p)
	server := <-taken
	const all = 3000
	p.set(fault{kind: stall, bytes: 1000})
	for _, c := range []net.Conn{client, server} {
		say(t, c, strings.Repeat("x", all))
	}
	until(t, "it stalls", func() bool { return p.strikes()[stall] == 1 })
	held := 0
	for _, c := range []*net.TCPConn{client, server} {
		if err := c.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := io.ReadFull(c, make([]byte, all))
		if n < all {
			held += all - n
		}
		if n < all && (n > 1000 || !errors.Is(err, os.ErrDeadlineExceeded)) {
			t.Errorf("%d bytes came, %v", n, err)
		}
	}
	if held < all-1000 {
		t.Errorf("%d bytes were held", held)
	}
	p.set(fault{})
	for _, c := range []*net.TCPConn{client, server} {
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []*net.TCPConn{client, server} {
		if err := c.SetReadDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(c)
		if err != nil {
			t.Fatal(err)
		}
		held -= len(rest)
	}
	if held != 0 {
		t.Errorf("%d bytes were lost", held)
	}
}
