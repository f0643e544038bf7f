package redis_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// holder is a proxy before a Redis that holds back answers, so that a test can do
// something while a call is under way.
type holder struct {
	addr string

	mu    sync.Mutex
	holds []*hold
}

// hold is for the next request that has a text in it.
type hold struct {
	text    []byte
	arrived chan struct{} // closed when the request was passed on to Redis
	release chan struct{} // lets its answer through when closed
}

func newHolder(t *testing.T, server *redistest.Server) *holder {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	h := &holder{addr: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go h.serve(client, server.Addr)
		}
	}()
	return h
}

func (h *holder) url() string { return "redis://" + h.addr }

// next holds the answer to the next request that contains the text.
func (h *holder) next(text string) *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := &hold{[]byte(text), make(chan struct{}), make(chan struct{})}
	h.holds = append(h.holds, o)
	return o
}

func (h *holder) take(request []byte) *hold {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, o := range h.holds {
		if bytes.Contains(request, o.text) {
			h.holds = append(h.holds[:i], h.holds[i+1:]...)
			return o
		}
	}
	return nil
}

func (h *holder) serve(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr) //nolint:noctx // a test's
	if err != nil {
		return
	}
	defer server.Close()
	held := make(chan *hold, 1)
	go func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			select {
			case o := <-held:
				<-o.release
			default:
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 1<<16) // more than a request of these tests has
	for {
		n, err := client.Read(buf)
		if err != nil {
			return
		}
		o := h.take(buf[:n])
		if o != nil {
			held <- o
		}
		if _, err := io.Copy(server, bytes.NewReader(buf[:n])); err != nil {
			return
		}
		if o != nil {
			close(o.arrived)
		}
	}
}

// attempt is one sender's try to deliver an event.
type attempt struct {
	hangUp context.CancelFunc
	answer chan answered
}

type answered struct {
	known []int
	err   error
}

func send(t *testing.T, s *store, it hot.Item) attempt {
	t.Helper()
	ctx, hangUp := context.WithCancel(t.Context())
	a := attempt{hangUp, make(chan answered, 1)}
	go func() {
		known, err := s.Append(ctx, []hot.Item{it})
		a.answer <- answered{known, err}
	}()
	return a
}

// wait sends an attempt that has to wait for the call that is under way, as the n-th.
func wait(t *testing.T, s *store, it hot.Item, n int) attempt {
	t.Helper()
	a := send(t, s, it)
	soon(t, "the attempt waits", func() bool { return redis.Queued(s.Store, 0) == n })
	return a
}

func of(project, id string) hot.Item {
	it := item(id, "d")
	it.Event.ProjectID = project
	return it
}

// inLog returns how many times the event stands in the log.
func inLog(t *testing.T, s *store, project, id string) (n int) {
	t.Helper()
	records, err := s.Read(t.Context(), 0, 0, hot.Limit{Events: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Event.ProjectID == project && r.Event.ID == id {
			n++
		}
	}
	return n
}

// Two attempts of one event wait in the same call of the script, and the sender
// of the first hangs up while Redis works.
func TestRetryIsStoredOnceWhenFirstSenderHangsUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		turn time.Duration // of the clock, so that the call is answered "generation" and made again
		want int           // duplicates of the second
	}{
		{"its call stores the event", 0, 1},
		{"its call stores nothing", 2 * twoHours, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := redistest.Start(t)
			proxy := newHolder(t, server)
			var mu sync.Mutex
			now := time.Now()
			clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
			s := storeOn(t, proxy.url(), redis.Options{Shards: 1, Window: twoHours, Clock: clock})

			if _, err := s.Append(t.Context(), []hot.Item{of("before", "so that the generation is known")}); err != nil {
				t.Fatal(err)
			}
			before := proxy.next(":live:before")
			first := send(t, s, of("before", "0"))
			<-before.arrived
			one, two := wait(t, s, of("p", "x"), 1), wait(t, s, of("p", "x"), 2)
			mu.Lock()
			now = now.Add(test.turn)
			mu.Unlock()
			both := proxy.next(":live:p")
			close(before.release)
			if a := <-first.answer; a.err != nil {
				t.Fatal(a.err)
			}
			<-both.arrived
			one.hangUp()
			if a := <-one.answer; !errors.Is(a.err, context.Canceled) {
				t.Fatalf("the sender that hung up was answered %v", a)
			}
			close(both.release)
			a := <-two.answer
			if a.err != nil || len(a.known) != test.want {
				t.Fatalf("the retry was answered %v, want %d duplicates", a, test.want)
			}
			if n := inLog(t, s, "p", "x"); n != 1 {
				t.Fatalf("the event is acknowledged and stands %d times in the log", n)
			}
		})
	}
}

func TestManyRetriesOfAKnownEventTakeOneCall(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := newHolder(t, server)
	s := storeOn(t, proxy.url(), redis.Options{Shards: 1})
	if _, err := s.Append(t.Context(), []hot.Item{of("p", "x")}); err != nil {
		t.Fatal(err)
	}
	before := proxy.next(":live:before")
	first := send(t, s, of("before", "0"))
	<-before.arrived
	var retries []attempt
	for i := range 50 {
		retries = append(retries, wait(t, s, of("p", "x"), i+1))
	}
	had := calls(server, "evalsha")
	close(before.release)
	<-first.answer
	for _, r := range retries {
		if a := <-r.answer; a.err != nil || len(a.known) != 1 {
			t.Fatalf("a retry was answered %v", a)
		}
	}
	if n := calls(server, "evalsha") - had; n > 1 {
		t.Errorf("%d calls for 50 retries that waited together", n)
	}
	if n := inLog(t, s, "p", "x"); n != 1 {
		t.Errorf("the event stands %d times in the log", n)
	}
}
