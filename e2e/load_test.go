package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// sent is an event as a client sent it.
type sent struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Device  string    `json:"device_id"`
	Profile string    `json:"profile_id,omitempty"` // the device's, or none
	Path    string    `json:"path,omitempty"`
	Time    time.Time `json:"ts"`

	Properties map[string]string `json:"properties,omitempty"` // as sent; not kept
}

// names are those of the events that clients send.
var names = []string{"screen_view", "screen_view", "click", "buy"}

// load is clients that post events with ids that they know, and try again on any
// doubt. A device is one client's alone, and its next batch goes out when its
// last one is acknowledged, so that its events keep their order.
type load struct {
	t       *testing.T
	key     string
	addrs   []string      // a client tries any of them
	pause   time.Duration // of a client between two batches
	hangUp  time.Duration // half of the attempts wait no longer than up to this, and try again at once; 0: no attempt does
	doubts  bool          // some batches are sent again after they were acknowledged
	wild    bool          // times of the last 30 days in no order, and a body near a limit now and then
	clock   *clock        // of the servers, nil: the machine's
	clients []*client

	made    atomic.Int64 // events that were to be sent
	again   atomic.Int64 // batches sent again
	hung    atomic.Int64 // of them those whose sender hung up
	refused atomic.Int64 // of them those that were answered with 503 and Retry-After

	mu    sync.Mutex
	acked []sent
}

// client is one of them, with what it must remember from one run to the next.
type client struct {
	*load
	name    string
	rand    *rand.Rand
	http    *http.Client
	last    map[string]time.Time // by device: its last event
	batches int
}

// newLoad makes n clients, whose names begin with the prefix.
func newLoad(t *testing.T, prefix string, n int, key string, addrs ...string) *load {
	l := &load{t: t, key: key, addrs: addrs}
	for i := range n {
		l.clients = append(l.clients, &client{
			load: l, name: fmt.Sprint(prefix, i), rand: rand.New(rand.NewPCG(uint64(i), 7)),
			http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{}},
			last: map[string]time.Time{},
		})
	}
	return l
}

// start lets the clients send until stop is called, which waits until all that
// they sent is acknowledged. It may be started again then.
func (l *load) start() (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	for _, c := range l.clients {
		running.Go(func() { c.run(done) })
	}
	return func() {
		close(done)
		running.Wait()
	}
}

// count is how many events are acknowledged.
func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// ackedWithin is how long a client tries to get rid of a batch.
const ackedWithin = 3 * time.Minute

func (c *client) run(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		if !c.send(c.batch(1 + c.rand.IntN(60))) {
			return
		}
		time.Sleep(c.pause)
	}
}

// send posts the batch until it is acknowledged, and says whether it was.
func (c *client) send(batch []sent) bool {
	c.made.Add(int64(len(batch)))
	body, err := json.Marshal(batch)
	if err != nil {
		panic(err)
	}
	for began := time.Now(); ; {
		acked, hung := c.post(body, len(batch))
		if acked {
			break
		}
		if time.Since(began) > ackedWithin {
			c.t.Errorf("a batch is not acknowledged within %v: %.2000s", ackedWithin, body)
			return false
		}
		c.again.Add(1)
		if hung {
			c.hung.Add(1)
		} else {
			time.Sleep(20 * time.Millisecond)
		}
	}
	if c.doubts && c.rand.IntN(10) == 0 {
		c.again.Add(1)
		_, _ = c.post(body, len(batch))
	}
	for i := range batch {
		batch[i].Properties = nil
	}
	c.mu.Lock()
	c.acked = append(c.acked, batch...)
	c.mu.Unlock()
	return true
}

// steady lets the clients send so many events a second, until stop is called. When
// a batch goes out follows from the clock and not from the answers, but that a
// client which is late sends its next ones at once. late is the most that one was.
func (l *load) steady(perSecond int) (stop func() (late time.Duration)) {
	const every = 100 * time.Millisecond
	size := perSecond / len(l.clients) * int(every) / int(time.Second)
	done := make(chan struct{})
	began := time.Now()
	var most atomic.Int64
	var running sync.WaitGroup
	for i, c := range l.clients {
		running.Go(func() {
			at := began.Add(time.Duration(i) * every / time.Duration(len(l.clients)))
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Until(at)):
				}
				for late, was := int64(time.Since(at)), most.Load(); late > was && !most.CompareAndSwap(was, late); was = most.Load() {
				}
				if !c.send(c.batch(size)) {
					return
				}
				at = at.Add(every)
			}
		})
	}
	return func() time.Duration {
		close(done)
		running.Wait()
		return time.Duration(most.Load())
	}
}

// batch makes up what some devices do next, n events.
func (c *client) batch(n int) []sent {
	batch := make([]sent, n)
	for i := range batch {
		number := c.rand.IntN(12)
		device := fmt.Sprintf("%s-d%d", c.name, number)
		at, ok := c.last[device]
		if !ok {
			at = time.Now().UTC().Add(-20 * time.Hour).Truncate(time.Millisecond)
		}
		at = at.Add([]time.Duration{time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond, time.Second}[c.rand.IntN(4)])
		if c.rand.IntN(100) == 0 && time.Since(at) > time.Hour {
			at = at.Add(31 * time.Minute)
		}
		c.last[device] = at
		if c.wild {
			at = time.Now().UTC().Add(-time.Duration(c.rand.Int64N(int64(30 * 24 * time.Hour)))).Truncate(time.Millisecond)
		}
		e := sent{ID: fmt.Sprintf("%s-%d-%d", c.name, c.batches, i), Name: names[c.rand.IntN(len(names))], Device: device, Time: at}
		if number%3 == 0 {
			e.Profile = "of " + device
		}
		if e.Name == "screen_view" {
			e.Path = fmt.Sprint("/", c.rand.IntN(20))
		}
		batch[i] = e
	}
	if c.wild && c.batches%20 == 0 {
		swell(batch, c.rand.IntN(2) == 0)
	}
	c.batches++
	return batch
}

// swell makes the batch's body as large as one may be: its first event alone, or all
// of them together.
func swell(batch []sent, one bool) {
	size, parts := 8<<20/len(batch), batch // 20 MiB may be sent, and not in each of many tests
	if one {
		size, parts = 900<<10, batch[:1] // an event may have 1 MiB
	}
	for i := range parts {
		parts[i].Properties = map[string]string{}
		for n := range min(size, 900<<10) / 2100 { // a text may have 2 KiB
			parts[i].Properties[fmt.Sprint("p", n)] = strings.Repeat("text ", 400)
		}
	}
}

// post says whether the batch of n events is acknowledged whole, and whether it is
// not because its sender hung up.
func (c *client) post(body []byte, n int) (acked, hung bool) {
	ctx := context.Background()
	if c.hangUp > 0 && c.rand.IntN(2) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(1+c.rand.Int64N(int64(c.hangUp))))
		defer cancel()
	}
	addr := c.addrs[c.rand.IntN(len(c.addrs))]
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/v1/events", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.key)
	resp, err := c.http.Do(req)
	if err != nil {
		return false, ctx.Err() != nil
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return false, ctx.Err() != nil
	}
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "" {
		c.refused.Add(1)
	}
	var r reply
	return resp.StatusCode == http.StatusOK && json.Unmarshal(raw, &r) == nil && r.Accepted+r.Duplicates == n && len(r.Rejected) == 0, false
}
