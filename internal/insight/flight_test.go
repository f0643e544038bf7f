package insight_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/redistest"
)

// watched are locks that count who tried, and that a test takes away from a node.
type watched struct {
	fleet.Locks
	tried atomic.Int64
	gone  atomic.Bool // the node is no more: nothing of it gets anywhere
	fail  atomic.Bool
}

func (w *watched) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	w.tried.Add(1)
	if w.fail.Load() || w.gone.Load() {
		return false, errors.New("the locks are away")
	}
	return w.Locks.Acquire(ctx, name, owner, ttl)
}

func (w *watched) Release(ctx context.Context, name, owner string) error {
	if w.fail.Load() || w.gone.Load() {
		return errors.New("the locks are away")
	}
	return w.Locks.Release(ctx, name, owner)
}

// acrossNodes runs a test in fake time with two nodes over one fleet and one gate.
func acrossNodes(t *testing.T, test func(t *testing.T, nodes []*insight.Engine, locks []*watched, g *gate)) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		shared := local.New(local.Options{})
		store := newStore(t, rows()...)
		var nodes []*insight.Engine
		var locks []*watched
		for range 2 {
			w := &watched{Locks: shared.Locks}
			locks = append(locks, w)
			nodes = append(nodes, insight.New(store, g, g.clock, insight.Options{Cache: shared.Cache, Locks: w}))
		}
		test(t, nodes, locks, g)
	})
}

// total waits for the answer, kept or not.
func (a *asker) total(t *testing.T) float64 {
	t.Helper()
	<-a.done
	if a.err != nil {
		t.Fatal(a.err)
	}
	return *a.answer.Series[0].Total
}

func TestNodesThatAreAskedTheSameAskOnce(t *testing.T) {
	acrossNodes(t, func(t *testing.T, nodes []*insight.Engine, _ []*watched, g *gate) {
		p := berlin(t)
		var askers []*asker
		for i := range 20 {
			askers = append(askers, ask(t.Context(), nodes[i%2], p, 30*time.Second))
		}
		if n := g.questions(); n != 1 {
			t.Fatalf("%d questions for 20 who ask two nodes the same", n)
		}
		exact := ask(t.Context(), nodes[1], p, 0)
		other := ask(t.Context(), nodes[1], &weir.Project{ID: "q", Timezone: p.Timezone}, 30*time.Second)
		if n := g.questions(); n != 3 {
			t.Fatalf("%d questions, want 3: who wants what is now, and another project, wait for nobody", n)
		}
		close(g.open)
		for _, a := range append(askers, exact) {
			if n := a.total(t); n != 3 {
				t.Fatalf("total %v, want 3", n)
			}
		}
		if n := other.total(t); n != 0 {
			t.Fatalf("another project's total %v", n)
		}
		if n := g.questions(); n != 3 {
			t.Fatalf("%d questions in the end, want 3", n)
		}
		if a, b := nodes[0].CacheStats(), nodes[1].CacheStats(); a.Joined+b.Joined < 19 || a.Failures+b.Failures != 0 {
			t.Fatalf("%+v and %+v: 19 joined another", a, b)
		}
	})
}

func TestANodeThatDiesWhileItFindsOutHoldsNobodyUpForLong(t *testing.T) {
	acrossNodes(t, func(t *testing.T, nodes []*insight.Engine, locks []*watched, g *gate) {
		ctx, die := context.WithCancel(t.Context())
		first := ask(ctx, nodes[0], berlin(t), 30*time.Second)
		locks[0].gone.Store(true)
		die()
		if <-first.done; first.err == nil {
			t.Fatal("a dead node answered")
		}
		close(g.open)
		began := time.Now()
		if n := ask(t.Context(), nodes[1], berlin(t), 30*time.Second).total(t); n != 3 {
			t.Fatalf("total %v, want 3", n)
		}
		if took := time.Since(began); took == 0 || took > 4*time.Second {
			t.Fatalf("the other node answered after %v, want some 3 s", took)
		}
	})
}

func TestASlowNodeKeepsItsQuestionAndHoldsOthersUpForAWhileOnly(t *testing.T) {
	acrossNodes(t, func(t *testing.T, nodes []*insight.Engine, _ []*watched, g *gate) {
		slow := ask(t.Context(), nodes[0], berlin(t), 30*time.Second)
		second := ask(t.Context(), nodes[1], berlin(t), 30*time.Second)
		<-time.After(9 * time.Second)
		if n := g.questions(); n != 1 {
			t.Fatalf("%d questions while the first is well, want 1", n)
		}
		<-time.After(2 * time.Second)
		if n := g.questions(); n != 2 {
			t.Fatalf("%d questions, want 2: ten seconds are enough", n)
		}
		close(g.open)
		if a, b := slow.total(t), second.total(t); a != 3 || b != 3 {
			t.Fatalf("totals %v and %v", a, b)
		}
	})
}

func TestAnAskerThatLeavesGivesItsPlaceToAnotherNode(t *testing.T) {
	acrossNodes(t, func(t *testing.T, nodes []*insight.Engine, _ []*watched, g *gate) {
		ctx, leave := context.WithCancel(t.Context())
		first := ask(ctx, nodes[0], berlin(t), 30*time.Second)
		second := ask(t.Context(), nodes[1], berlin(t), 30*time.Second)
		leave()
		<-first.done
		<-time.After(time.Second) // fake: the next looks
		if n := g.questions(); n != 2 {
			t.Fatalf("%d questions, want 2: nobody asks any more", n)
		}
		waiting, stop := context.WithCancel(t.Context())
		third := ask(waiting, nodes[0], berlin(t), 30*time.Second)
		stop()
		if <-third.done; !errors.Is(third.err, context.Canceled) {
			t.Fatalf("who left while it waited got %v", third.err)
		}
		close(g.open)
		if n := second.total(t); n != 3 {
			t.Fatalf("total %v", n)
		}
	})
}

func TestLocksThatFailAreNoFailedQuestion(t *testing.T) {
	acrossNodes(t, func(t *testing.T, nodes []*insight.Engine, locks []*watched, g *gate) {
		close(g.open)
		for _, w := range locks {
			w.fail.Store(true)
		}
		for _, e := range nodes {
			if n := ask(t.Context(), e, berlin(t), time.Nanosecond).total(t); n != 3 {
				t.Fatalf("total %v", n)
			}
		}
		if n := nodes[0].CacheStats().Failures; n != 1 {
			t.Fatalf("%d failures are counted, want 1", n)
		}
	})
}

// counting is a barrier of two nodes, that holds up the first who would pass.
type counting struct {
	open    chan struct{}
	mu      sync.Mutex
	flushed int
}

func (c *counting) Flush(context.Context) (time.Time, error) {
	c.mu.Lock()
	c.flushed++
	c.mu.Unlock()
	<-c.open
	return noon, nil
}

func (c *counting) AsOf() time.Time { return time.Time{} }

func TestNodesThatShareARedisAskOnce(t *testing.T) {
	server := redistest.Start(t)
	g := &counting{open: make(chan struct{})}
	store := newStore(t, rows()...)
	var wg sync.WaitGroup
	var second *watched
	for i := range 2 {
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, DisableCache: true})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		f := redis.New(client, redis.Options{})
		w := &watched{Locks: f.Locks}
		e := insight.New(store, g, func() time.Time { return noon }, insight.Options{Cache: f.Cache, Locks: w})
		wg.Go(func() {
			a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), dayQuery(weir.Series{Math: weir.MathTotal}), time.Minute)
			if err != nil || *a.Series[0].Total != 3 || a.Cached != (i == 1) {
				t.Errorf("node %d: %+v, %v", i, a, err)
			}
		})
		second = w
		eventually(t, "the node tries its lock", func() bool { return w.tried.Load() > 0 })
		if i == 0 {
			eventually(t, "the first asks", func() bool { g.mu.Lock(); defer g.mu.Unlock(); return g.flushed == 1 })
		}
	}
	eventually(t, "the second waits", func() bool { return second.tried.Load() > 1 })
	close(g.open)
	wg.Wait()
	if g.flushed != 1 {
		t.Fatalf("%d questions, want 1", g.flushed)
	}
	if keys := server.Do("KEYS", "w:lock:*"); keys != "" {
		t.Fatalf("locks are left: %s", keys)
	}
}

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
