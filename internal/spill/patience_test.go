package spill_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/spill"
)

// hanging is a hot tier that answers nothing.
type hanging struct{}

func (hanging) Append(ctx context.Context, _ []hot.Item) ([]int, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hanging) Seen(ctx context.Context, _ string, _ []hot.SeenQuery, _ time.Time) ([]hot.SeenResult, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// instant is a local log that takes no time: a real one has goroutines and a
// disk, which a bubble of synctest does not go with.
type instant struct{ spill.Local }

func (instant) Shards() int                                       { return 1 }
func (instant) Append(context.Context, []hot.Item) ([]int, error) { return nil, nil }
func (instant) Seen(context.Context, string, []hot.SeenQuery, time.Time) ([]hot.SeenResult, error) {
	return make([]hot.SeenResult, 1), nil
}

func (instant) Progress(context.Context, int) (hot.Progress, error) { return hot.Progress{}, nil }

func (instant) Read(context.Context, int, uint64, hot.Limit) ([]hot.Record, error) { return nil, nil }

func TestAHangingHotTierHoldsARequestForThePatienceOnce(t *testing.T) {
	for name, first := range map[string]func(*spill.Spillway) error{
		"append": func(s *spill.Spillway) error {
			_, err := s.Append(context.Background(), items([]weir.Event{event("1", "d")}))
			return err
		},
		"seen": func(s *spill.Spillway) error {
			_, err := s.Seen(context.Background(), "p", []hot.SeenQuery{{Device: "d"}}, time.Now())
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := spill.New(t.Context(), hanging{}, instant{}, spill.Options{})
				if err != nil {
					t.Fatal(err)
				}
				took := func(n int, call func(*spill.Spillway) error) time.Duration {
					began := time.Now()
					for range n {
						if err := call(s); err != nil {
							t.Fatal(err)
						}
					}
					return time.Since(began)
				}
				if d := took(1, first); d != 2*time.Second {
					t.Errorf("the first call took %s", d)
				}
				if d := took(100, first); d != 0 {
					t.Errorf("100 calls of the outage took %s", d)
				}
			})
		})
	}
}

func TestRequestsAtOnceWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := spill.New(t.Context(), hanging{}, instant{}, spill.Options{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if _, err := s.Append(context.Background(), items([]weir.Event{event("1", "d")})); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if d := time.Since(began); d != 2*time.Second {
			t.Errorf("50 requests took %s", d)
		}
	})
}

// hurried notes how long each append may take.
type hurried struct {
	*shaky
	mu   sync.Mutex
	left []time.Duration
}

func (h *hurried) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	deadline, ok := ctx.Deadline()
	h.mu.Lock()
	if !ok {
		deadline = time.Now().Add(time.Hour)
	}
	h.left = append(h.left, time.Until(deadline))
	h.mu.Unlock()
	return h.shaky.Append(ctx, items)
}

func TestTheEndOfAnOutageHoldsRequestsForHalfThePatience(t *testing.T) {
	o := quick
	o.Batch = 1
	r := newRig(t, o)
	h := &hurried{shaky: r.primary}
	r.startBetween(h, r.local)
	r.primary.now(refuses)
	for range 20 {
		r.send(1)
	}
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	r.check()
	// The first was straight; 16 batches were replayed beside the appends, and
	// the last four with the appends waiting.
	if len(h.left) != 1+20 {
		t.Fatalf("%d appends, want 21", len(h.left))
	}
	for i, left := range h.left {
		most := o.Patience
		switch {
		case i > 16:
			most = o.Patience / 2
		case i > 0:
			most = 5 * o.Patience
		}
		if left > most {
			t.Errorf("append %d may take %s, want %s at most", i, left, most)
		}
	}
}

// shut is a hot tier whose replay stops with the appends waiting, once.
type shut struct {
	*shaky
	n      int
	inside chan struct{}
}

func (s *shut) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	s.n++
	if s.n == 3 { // refused; replayed; and this one, with the gate shut
		close(s.inside)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.shaky.Append(ctx, items)
}

func TestARequestGoesOnThoughTheHotTierHangsAtTheEndOfAnOutage(t *testing.T) {
	o := quick
	o.Batch, o.Patience = 1, 100*time.Millisecond
	r := newRig(t, o)
	s := &shut{shaky: r.primary, inside: make(chan struct{})}
	r.startBetween(s, r.local)
	r.primary.now(refuses)
	r.send(2)
	r.primary.now(none)
	r.run()
	<-s.inside
	r.send(3) // waits for the gate, and goes to the local log
	if n := r.spilled(); n != 5 {
		t.Errorf("%d events in the local log, want 5", n)
	}
	r.untilCaughtUp()
	r.check()
}
