// Package client sends events to a Weir server, and records the calls of a
// net/http service with one line:
//
//	http.ListenAndServe(":8000", weir.Record(mux))
//
// Events gather in memory and go out in batches, in the background. Nothing that
// this package does waits for the server but Flush and Close: while it is away,
// events stay within Config.QueueBytes, and those beyond are dropped and counted.
//
// A batch is sent again, under the same ids, until the server has acknowledged
// it; the server takes an id once. So each event is counted exactly once, unless
// Stats says that it was dropped or rejected, or the process died with it.
package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Errors of Send. The event is dropped and counted in Stats.
var (
	ErrFull     = errors.New("client: the queue is full")
	ErrClosed   = errors.New("client: closed")
	ErrTooLarge = errors.New("client: the event is larger than a batch")
)

// Config says where events go, and how. Only URL and Key must be set.
type Config struct {
	URL string // of the server, such as https://weir.example.com
	Key string // a write key of the project

	BatchEvents int           // most events of one request; 1000
	BatchBytes  int           // most bytes of one request before compression; 256 KiB
	Interval    time.Duration // how long an event waits for others; 1 s
	QueueBytes  int           // most memory for events, at least two batches; 16 MiB
	Timeout     time.Duration // of one request; 10 s
	MaxBackoff  time.Duration // most time between two tries, if the server does not ask for more; 30 s
	// RetryFor is how long a batch is tried; 12 h. It must be less than the
	// server's dedup window (24 h), or an event may count twice.
	RetryFor time.Duration

	// Rejected, when not nil, is called with events that the server rejected. It
	// must not call Flush or Close.
	Rejected func([]Rejection)
	// Dropped, when not nil, is called when events are given up: how many, and
	// the reason's name in Drops. It must not call Flush or Close.
	Dropped func(reason string, events uint64)

	HTTP   *http.Client // one of its own when nil; redirects are never followed
	Logger *slog.Logger // slog.Default() when nil

	Now   func() time.Time          // the time of events; time.Now when nil
	NewID func(at time.Time) string // NewID when nil; safe for concurrent use
}

// Rejection is an event that the server did not take.
type Rejection struct {
	Reason string          // a stable word
	Detail string          // for people
	Event  json.RawMessage // as it was sent
}

// Stats count events since New. Offered is the sum of all that follow it but
// Retries.
type Stats struct {
	Offered    uint64 // to Send, and by Record
	Accepted   uint64 // by the server
	Duplicates uint64 // taken by the server before; the answer to it was lost
	Rejected   uint64 // by the server, as wrong
	Dropped    Drops
	Queued     uint64 // waiting, or under way

	Retries     uint64 // requests that were sent again
	QueuedBytes int    // memory held for events
}

// Drops count events that were given up, by reason.
type Drops struct {
	Full    uint64 // there was no room
	Large   uint64 // larger than a batch, or than the server takes
	Invalid uint64 // cannot be written as JSON
	Refused uint64 // the server refused the request: a wrong key, a wrong address
	Expired uint64 // tried for RetryFor
	Closed  uint64 // after Close, or when its deadline passed
}

// Sum returns all of them.
func (d Drops) Sum() uint64 {
	return d.Full + d.Large + d.Invalid + d.Refused + d.Expired + d.Closed
}

// Client sends events. It is safe for concurrent use; its owner closes it.
type Client struct {
	cfg      Config
	endpoint string
	http     *http.Client
	queue    *queue
	gzip     *gzip.Writer // of the sending goroutine
	failing  bool         // the last request failed; of the sending goroutine

	life    context.Context // of requests; ends when Close's deadline passes
	end     context.CancelFunc
	closing chan struct{}             // closed by the first Close
	closeBy atomic.Pointer[time.Time] // then: its deadline
	done    chan struct{}             // closed when all is settled after Close

	offered   atomic.Uint64
	abandoned atomic.Uint64 // of stats.Dropped.Closed, those that Close had no time for
	mu        sync.Mutex
	stats     Stats // but for Offered
	warned    Drops // of stats.Dropped, what was told
}

// New starts a client. It does not connect: a server that is away is no error.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("client: URL: %w", err)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.RawQuery != "" || base.Fragment != "" {
		return nil, fmt.Errorf("client: URL: want http:// or https:// and a host, got %q", base.Redacted())
	}
	if strings.TrimSpace(cfg.Key) == "" || strings.ContainsAny(cfg.Key, "\r\n") {
		return nil, errors.New("client: Key: want a write key")
	}
	setDefault(&cfg.BatchEvents, 1000)
	setDefault(&cfg.BatchBytes, 256<<10)
	setDefault(&cfg.Interval, time.Second)
	setDefault(&cfg.QueueBytes, 16<<20)
	setDefault(&cfg.Timeout, 10*time.Second)
	setDefault(&cfg.MaxBackoff, 30*time.Second)
	setDefault(&cfg.RetryFor, 12*time.Hour)
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.NewID == nil {
		cfg.NewID = NewID
	}
	sender := http.Client{}
	if cfg.HTTP != nil {
		sender = *cfg.HTTP
	} else {
		sender.Transport = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 90 * time.Second,
		}
	}
	// A redirect may turn a POST into a GET, whose 200 says nothing of the events.
	sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

	c := &Client{
		cfg: cfg, http: &sender, endpoint: base.JoinPath("v1", "events").String(),
		queue:   newQueue(cfg.BatchEvents, cfg.BatchBytes, cfg.QueueBytes),
		closing: make(chan struct{}), done: make(chan struct{}),
	}
	c.life, c.end = context.WithCancel(context.Background())
	go c.run()
	return c, nil
}

func setDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// scratch has buffers that events are written in, of up to keptScratch bytes.
var scratch = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptScratch = 64 << 10

// Send takes an event to be sent; it does not wait for anything. The event is
// copied. An error says why it was dropped, which Stats count too: ErrFull,
// ErrClosed, ErrTooLarge, or that it cannot be written as JSON.
func (c *Client) Send(e Event) error {
	now := c.cfg.Now()
	if e.Time.IsZero() {
		e.Time = now
	}
	if e.ID == "" {
		e.ID = c.cfg.NewID(now)
	}
	buf := scratch.Get().(*bytes.Buffer)
	defer scratch.Put(buf)
	buf.Reset()
	line, err := e.append(buf.AvailableBuffer())
	if cap(line) <= keptScratch {
		buf.Write(line) // where it stands already, unless it has grown
	}
	c.offered.Add(1)
	invalid := err != nil
	if !invalid {
		err = c.queue.push(line, time.Now())
	}
	if err == nil {
		return nil
	}
	c.count(func(s *Stats) {
		switch d := &s.Dropped; {
		case invalid:
			d.Invalid++
		case errors.Is(err, ErrClosed):
			d.Closed++
		case errors.Is(err, ErrTooLarge):
			d.Large++
		default:
			d.Full++
		}
	})
	return err
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	s := c.stats
	c.mu.Unlock()
	s.Offered = c.offered.Load() // after the others, which it is never less than
	s.QueuedBytes = c.queue.held()
	s.Queued = s.Offered - s.Accepted - s.Duplicates - s.Rejected - s.Dropped.Sum()
	return s
}

// Flush sends what there is at once, and waits until it is delivered or given up.
// It returns ctx's error if that takes too long; the events stay.
func (c *Client) Flush(ctx context.Context) error { return c.queue.wait(ctx) }

// closeWithin is Close's deadline when its context has none.
const closeWithin = 5 * time.Second

// Close sends what there is and ends the client: afterwards nothing of it runs.
// With ctx's deadline, or 5 s without one, what is still there is dropped, and as
// soon as it is clear that it will be; then the error says how many events. A
// second Close waits for the first.
func (c *Client) Close(ctx context.Context) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, closeWithin)
		defer cancel()
	}
	by, _ := ctx.Deadline()
	if c.closeBy.CompareAndSwap(nil, &by) {
		c.queue.close()
		close(c.closing)
	}
	defer context.AfterFunc(ctx, c.end)()
	<-c.done
	c.end()
	if c.cfg.HTTP == nil {
		c.http.CloseIdleConnections()
	}
	if n := c.abandoned.Load(); n > 0 {
		return fmt.Errorf("client: close: %d events were dropped", n)
	}
	return nil
}
