// Package hottest proves a hot tier's backend: every promise of package hot as
// a test. A backend is done when Run passes.
package hottest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Config is what a test asks of the store that it opens; zero is the default.
type Config struct {
	Clock      weir.Clock
	Elapsed    func() time.Duration // what really has passed, whatever the clock says
	Window     time.Duration        // of duplicates
	MaxMembers int
	Full       func() bool // when it says so, the store has no room
}

// Open opens the store that lives at place: the same place is the same store,
// after a Close or a kill too.
type Open func(place string, c Config) (hot.Store, error)

// Run runs the whole suite. place makes a new, empty place.
func Run(t *testing.T, open Open, place func(t *testing.T) string) {
	s := suite{open, place}
	for _, group := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"append", s.testAppend},
		{"duplicates", s.testDuplicates},
		{"hang up", s.testHangUp},
		{"log", s.testLog},
		{"lease", s.testLease},
		{"clock", s.testClock},
		{"counters", s.testCounters},
		{"uniques", s.testUniques},
		{"bots", s.testBots},
		{"inquire", s.testInquire},
		{"presence", s.testPresence},
		{"erase", s.testErase},
		{"drop project", s.testDropProject},
		{"correct", s.testCorrect},
		{"recount", s.testRecount},
		{"kill", s.testKill},
	} {
		t.Run(group.name, group.run)
	}
}

type suite struct {
	open  Open
	place func(*testing.T) string
}

// clock is a clock that tests move.
type clock struct {
	mu      sync.Mutex
	now     time.Time
	elapsed time.Duration
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 14, 10, 0, 30, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add lets time pass.
func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.elapsed += d
}

// Step sets the clock forward or back, while no time passes.
func (c *clock) Step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Elapsed returns the time that has passed.
func (c *clock) Elapsed() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.elapsed
}

// fixture is an open store with a clock.
type fixture struct {
	hot.Store
	*clock
	t     *testing.T
	place string
	conf  Config
	open  Open
}

func (s suite) new(t *testing.T, change ...func(*Config)) *fixture {
	t.Helper()
	f := &fixture{clock: newClock(), t: t, place: s.place(t), open: s.open}
	f.conf = Config{Clock: f.clock.Now, Elapsed: f.clock.Elapsed}
	for _, c := range change {
		c(&f.conf)
	}
	f.reopen()
	t.Cleanup(func() { f.Store.Close() })
	return f
}

// reopen closes the store, if open, and opens it again.
func (f *fixture) reopen() {
	f.t.Helper()
	if f.Store != nil {
		if err := f.Store.Close(); err != nil {
			f.t.Fatal(err)
		}
	}
	st, err := f.open(f.place, f.conf)
	if err != nil {
		f.t.Fatal(err)
	}
	f.Store = st
}

// event returns an event of device d at the clock's time.
func (f *fixture) event(id, device string) weir.Event {
	now := f.clock.Now()
	return weir.Event{
		ID: id, ProjectID: "p", Name: "signup", Time: now, ReceivedAt: now, DeviceID: device,
		Properties: []byte(`{"n":1}`),
	}
}

func items(events []weir.Event) []hot.Item {
	its := make([]hot.Item, len(events))
	for i := range events {
		its[i] = hot.Item{Event: &events[i], Location: time.UTC}
	}
	return its
}

// append appends the events and returns the duplicates.
func (f *fixture) append(events ...weir.Event) []int {
	f.t.Helper()
	dups, err := f.Append(f.t.Context(), items(events))
	if err != nil {
		f.t.Fatalf("append: %v", err)
	}
	return dups
}

// all reads every shard whole, keyed by event id; each id must be there once.
func all(t *testing.T, s hot.Store) map[string]weir.Event {
	t.Helper()
	got := map[string]weir.Event{}
	for shard := range s.Shards() {
		p, err := s.Progress(t.Context(), shard)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range read(t, s, shard, p.Committed) {
			if _, twice := got[r.Event.ID]; twice {
				t.Fatalf("event %s stands twice in the log", r.Event.ID)
			}
			got[r.Event.ID] = r.Event
		}
	}
	return got
}

// read reads a shard's log after a seq to its head, and checks that seqs have no gap.
func read(t *testing.T, s hot.Store, shard int, after uint64) []hot.Record {
	t.Helper()
	var got []hot.Record
	for {
		rs, err := s.Read(t.Context(), shard, after, hot.Limit{Events: 7})
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) > 7 {
			t.Fatalf("read returned %d records, limit 7", len(rs))
		}
		for _, r := range rs {
			if after++; r.Seq != after {
				t.Fatalf("shard %d: seq %d where %d was due", shard, r.Seq, after)
			}
		}
		got = append(got, rs...)
		if len(rs) == 0 {
			break
		}
	}
	head, err := s.Head(t.Context(), shard)
	if err != nil {
		t.Fatal(err)
	}
	if head < after {
		t.Fatalf("shard %d: head %d, but read up to %d", shard, head, after)
	}
	return got
}

// drain commits everything that a shard holds.
func drain(t *testing.T, s hot.Store, shard int, now time.Time) {
	t.Helper()
	ctx := context.Background()
	l, err := s.Claim(ctx, shard, "drain", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Progress(ctx, shard)
	if err != nil {
		t.Fatal(err)
	}
	head, err := s.Head(ctx, shard)
	if err != nil {
		t.Fatal(err)
	}
	in := hot.Intent{First: p.Committed + 1, Last: head, Now: now}
	if err := s.Intend(ctx, l, in); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, l, in, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Release(ctx, l); err != nil {
		t.Fatal(err)
	}
}

func ids(prefix string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("%s%d", prefix, i)
	}
	return out
}
