package redis_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// storeOn opens a store for a test. A call of its client ends with the store's
// Timeout too.
func storeOn(t testing.TB, url string, o redis.Options) *store {
	t.Helper()
	u, err := redisconn.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	client, err := redisconn.Open(t.Context(), u, redisconn.Options{Wait: 20 * time.Second, Timeout: o.Timeout, Durable: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s, err := redis.Open(t.Context(), client, u.Prefix, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &store{Store: s, client: client}
}

// soon waits until ok, for half a minute.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not in half a minute", what)
		}
	}
}

// crowd is some writers that append calls of their own devices, one append
// after the other. What a writer was not told of it sends again, under the same
// ids, until it is told.
type crowd struct {
	t    testing.TB
	to   *store
	name string
	stop chan struct{}
	done sync.WaitGroup

	pause time.Duration

	mu      sync.Mutex
	acked   map[string]int // 1 as new, 0 as a duplicate
	errs    []error
	slowest time.Duration // append, failed or not
	last    time.Time     // acknowledgement
	gap     time.Duration // longest time from one acknowledgement to the next
}

// startCrowd starts it. A writer pauses for a time after each append.
func startCrowd(t testing.TB, to *store, name string, writers int, pause time.Duration) *crowd {
	t.Helper()
	c := &crowd{t: t, to: to, name: name, pause: pause, stop: make(chan struct{}), acked: map[string]int{}, last: time.Now()}
	for w := range writers {
		c.done.Go(func() { c.write(w) })
	}
	t.Cleanup(c.end)
	return c
}

func (c *crowd) write(w int) {
	for n := 0; ; n++ {
		items := c.items(w, n)
		for {
			select {
			case <-c.stop:
				return
			default:
			}
			began := time.Now()
			known, err := c.to.Append(context.Background(), items)
			c.told(items, known, err, time.Since(began))
			wait := c.pause
			if err != nil {
				wait = 5 * time.Millisecond
			}
			select {
			case <-c.stop:
				return
			case <-time.After(wait):
			}
			if err == nil {
				break
			}
		}
	}
}

// items returns one to five calls, of two devices that are in a shard each.
func (c *crowd) items(w, n int) []hot.Item {
	items := make([]hot.Item, 1+n%5)
	for i := range items {
		now := time.Now()
		items[i] = hot.Item{Location: time.UTC, Event: &weir.Event{
			ID: fmt.Sprintf("%s-%d-%d-%d", c.name, w, n, i), ProjectID: "p", Name: weir.NameCall, Time: now, ReceivedAt: now,
			DeviceID: fmt.Sprintf("%s-%d-%d", c.name, w, i%2),
			Call:     &weir.Call{Method: "GET", Route: fmt.Sprint("/", n%7), Status: 200 + n%3, Consumer: fmt.Sprint("c", n%5)},
		}}
	}
	return items
}

func (c *crowd) told(items []hot.Item, known []int, err error, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slowest = max(c.slowest, took)
	if err != nil {
		c.errs = append(c.errs, err)
		return
	}
	now := time.Now()
	c.gap = max(c.gap, now.Sub(c.last))
	c.last = now
	for i, it := range items {
		if slices.Contains(known, i) {
			c.acked[it.Event.ID] = 0
		} else {
			c.acked[it.Event.ID] = 1
		}
	}
}

// more waits until so many more events were acknowledged.
func (c *crowd) more(n int) {
	c.t.Helper()
	want := c.count() + n
	soon(c.t, fmt.Sprintf("%d more events", n), func() bool { return c.count() >= want })
}

func (c *crowd) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.acked)
}

// failed returns how many appends have failed.
func (c *crowd) failed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.errs)
}

// end stops the writers, after the appends that they are at.
func (c *crowd) end() {
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.done.Wait()
}

// contents returns what the logs of a store hold now: how often each id.
func contents(t testing.TB, s hot.Log) map[string]int {
	t.Helper()
	got := map[string]int{}
	for shard := range s.Shards() {
		p, err := s.Progress(t.Context(), shard)
		if err != nil {
			t.Fatal(err)
		}
		next := p.Committed
		for {
			records, err := s.Read(t.Context(), shard, next, hot.Limit{Events: 500})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				if next++; r.Seq != next {
					t.Fatalf("shard %d: seq %d where %d was due", shard, r.Seq, next)
				}
				if at := hot.ShardOf(&r.Event, s.Shards()); at != shard {
					t.Fatalf("event %s of shard %d stands in shard %d", r.Event.ID, at, shard)
				}
				got[r.Event.ID]++
			}
			if len(records) == 0 {
				break
			}
		}
		head, err := s.Head(t.Context(), shard)
		if err != nil || head != next {
			t.Fatalf("shard %d: head %d, the log ends at %d (%v)", shard, head, next, err)
		}
	}
	return got
}

// exactlyOnce checks that each acknowledged event stands once in what was
// drained and what the log holds, that nothing else stands there twice, and
// that the counters are the log's own count.
func exactlyOnce(t testing.TB, s *store, drained map[string]int, crowds ...*crowd) {
	t.Helper()
	all := contents(t, s)
	for id, n := range drained {
		all[id] += n
	}
	for id, n := range all {
		if n != 1 {
			t.Errorf("event %s stands %d times", id, n)
		}
	}
	for _, c := range crowds {
		c.mu.Lock()
		lost := 0
		for id := range c.acked {
			if all[id] == 0 {
				lost++
			}
		}
		if lost > 0 {
			t.Errorf("%d of %d acknowledged events of %s are lost", lost, len(c.acked), c.name)
		}
		c.mu.Unlock()
	}
	countersAgree(t, s, len(all))
}

// countersAgree checks that each counter adds up to n calls.
func countersAgree(t testing.TB, s hot.Counters, n int) {
	t.Helper()
	from, to := time.Now().Add(-72*time.Hour), time.Now().Add(time.Hour)
	for _, g := range hot.Grains {
		for _, d := range []hot.Dimension{hot.Total, hot.Calls, hot.Name, hot.Status, hot.Route, hot.Consumer} {
			members, err := s.Members(t.Context(), "p", g, d, from, to, 0)
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for _, m := range members {
				sum += m.Count
			}
			if sum != int64(n) {
				t.Errorf("counters of %c by %c say %d, there are %d events", g, d, sum, n)
			}
		}
	}
}

// said returns the different errors that the writers met, without what differs from
// one time to the next.
func (c *crowd) said() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := map[string]bool{}
	for _, err := range c.errs {
		all[err.Error()] = true
	}
	return slices.Sorted(maps.Keys(all))
}
