// Package fleettest proves a backend of package fleet: every promise as a test. A backend
// is done when Run passes.
package fleettest

import (
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Node is what one node has of the fleet.
type Node struct {
	Cache   fleet.Cache
	Limiter fleet.Limiter
	Locks   fleet.Locks
	Bus     fleet.Bus
	Roster  fleet.Roster
}

// Open makes a new, empty fleet under a clock, nil for the real one, and returns
// what lets a node join it. Nodes leave with the test.
type Open func(t *testing.T, clock weir.Clock) (join func() Node)

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	s := suite{open}
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"cache", s.testCache},
		{"limiter", s.testLimiter},
		{"locks", s.testLocks},
		{"bus", s.testBus},
		{"roster", s.testRoster},
		{"kinds", s.testKinds},
	} {
		t.Run(part.name, part.run)
	}
}

type suite struct{ open Open }

// two returns a new fleet of two nodes.
func (s suite) two(t *testing.T, clock weir.Clock) (a, b Node) {
	t.Helper()
	join := s.open(t, clock)
	return join(), join()
}

// clock is a clock that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 3, 14, 10, 0, 30, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// short is a time to live that a test can wait for, long one that it cannot.
const (
	short = 50 * time.Millisecond
	long  = time.Hour
)

// eventually asks until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for !so() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

// together calls f n times at once, with 0 to n-1, and waits for all.
func together(n int, f func(i int)) {
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	wg.Wait()
}

// testKinds says that the kinds keep out of each other's way.
func (s suite) testKinds(t *testing.T) {
	n := s.open(t, nil)()
	const name = "one:{name}\x00 of *many"
	if err := n.Cache.Set(t.Context(), name, []byte("v"), long); err != nil {
		t.Fatal(err)
	}
	if ok, err := n.Locks.Acquire(t.Context(), name, "o", long); !ok || err != nil {
		t.Fatalf("lock: %v, %v", ok, err)
	}
	if wait, _, err := n.Limiter.Take(t.Context(), name, fleet.Limit{Every: long, Burst: 1}, 1); wait != 0 || err != nil {
		t.Fatalf("take: %v, %v", wait, err)
	}
	if names, err := n.Roster.Announce(t.Context(), name, name, long); len(names) != 1 || names[0] != name || err != nil {
		t.Fatalf("announce: %q, %v", names, err)
	}
	if v, ok, err := n.Cache.Get(t.Context(), name); string(v) != "v" || !ok || err != nil {
		t.Fatalf("get: %q, %v, %v", v, ok, err)
	}
}
