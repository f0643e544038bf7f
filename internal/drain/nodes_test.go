package drain_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
)

// Nodes in these tests are drains of one process on one log, with the roster and
// the bus of that process between them.

func nodes() *local.Store { return local.New(local.Options{}) }

func node(f *local.Store, name string) drain.Options {
	o := quick
	o.Owner, o.Roster, o.Bus, o.LeaseTTL = name, f.Roster, f.Bus, 400*time.Millisecond
	return o
}

// holders counts the shards that each node has drained since, by the batches of
// one event to each of many devices.
type holders struct {
	mu sync.Mutex
	by map[int]string // shard → node
}

func (h *holders) of(name string) func(drain.Commit) {
	return func(c drain.Commit) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.by[c.Shard] = name
	}
}

func (h *holders) count() map[string]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := map[string]int{}
	for _, name := range h.by {
		n[name]++
	}
	return n
}

// settle sends and flushes until ok says so.
func settle(t *testing.T, r *rig, d *drain.Drain, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
		r.send(40)
		if _, err := d.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestShardsAreSharedOutAmongTheNodesThatAreHere(t *testing.T) {
	r, f := newRig(t), nodes()
	h := &holders{by: map[int]string{}}
	o := node(f, "a")
	o.Committed = h.of("a")
	a, _ := r.run(r.log, o)
	settle(t, r, a, "one node drains all", func() bool { return h.count()["a"] == r.log.Shards() })

	o = node(f, "b")
	o.Committed = h.of("b")
	_, stopB := r.run(r.log, o)
	settle(t, r, a, "two nodes drain half each", func() bool { return h.count()["a"] == 2 && h.count()["b"] == 2 })

	stopB()
	settle(t, r, a, "the node that stays drains all", func() bool { return h.count()["a"] == r.log.Shards() })
	r.check()
}

func TestTheShardsOfADeadNodeAreTakenOver(t *testing.T) {
	r, f := newRig(t), nodes()
	h := &holders{by: map[int]string{}}
	dead := &dying{Store: r.log}
	o := node(f, "a")
	o.Committed, o.Roster = h.of("a"), mortal{f.Roster, dead}
	a, stopA := r.run(dead, o)
	o = node(f, "b")
	o.Committed = h.of("b")
	b, _ := r.run(r.log, o)
	settle(t, r, a, "both drain", func() bool { return h.count()["a"] == 2 && h.count()["b"] == 2 })
	// From now on nothing of the first node reaches the log, not even its farewell.
	dead.dead.Store(true)
	stopA()
	settle(t, r, b, "the other drains all", func() bool { return h.count()["b"] == r.log.Shards() })
	r.check()
}

func TestANodeThatDrainsNothingWaitsForThoseThatDo(t *testing.T) {
	r, f := newRig(t), nodes()
	o := node(f, "drains")
	o.MaxAge, o.MaxBatch = time.Hour, 100_000 // only who asks makes it drain
	r.run(r.log, o)
	o = node(f, "asks")
	o.ReadOnly = true
	asks, _ := r.run(r.log, o)
	for range 30 {
		r.send(7)
		r.flush(asks)
		r.check()
	}
	if n, err := asks.Behind(t.Context()); n != 0 || err != nil {
		t.Fatalf("behind %d (%v)", n, err)
	}
	if age := time.Since(asks.AsOf()); age > time.Minute { // the machine may be busy
		t.Fatalf("as of %v ago", age)
	}
}

func TestABarrierGoesOnWithoutTheBus(t *testing.T) {
	r, f := newRig(t), nodes()
	deaf := local.New(local.Options{}) // nobody else is on it
	o := node(f, "drains")
	r.run(r.log, o)
	o = node(f, "asks")
	o.ReadOnly, o.Bus = true, deaf.Bus
	asks, _ := r.run(r.log, o)
	r.send(50)
	r.flush(asks)
	r.check()
}

func TestALongWriteKeepsItsLease(t *testing.T) {
	r, f := newRig(t), nodes()
	o := node(f, "a")
	o.LeaseTTL = 90 * time.Millisecond
	var fenced atomic.Int32
	o.Failed = func(_ int, err error) {
		if errors.Is(err, hot.ErrFenced) {
			fenced.Add(1)
		}
	}
	first, renewed := make(chan struct{}), make(chan struct{}, 100)
	var once sync.Once
	slow := pausing{r.ledger, func() {
		once.Do(func() {
			close(first)
			for range 10 * r.log.Shards() {
				<-renewed // far longer than the lease
			}
		})
	}}
	r.send(20)
	d := drain.New(told{r.log, renewed}, slow, o)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.Run(ctx) })
	<-first
	r.flush(d)
	cancel()
	wg.Wait()
	r.check()
	if fenced.Load() > 0 {
		t.Fatal("the lease was lost in a long write")
	}
}

// told is a log that tells of renewed leases.
type told struct {
	hot.Store
	renewed chan<- struct{}
}

func (l told) Renew(ctx context.Context, lease hot.Lease, ttl time.Duration) error {
	err := l.Store.Renew(ctx, lease, ttl)
	select {
	case l.renewed <- struct{}{}:
	default:
	}
	return err
}

// dying is a log that a dead node does not reach any more.
type dying struct {
	hot.Store
	dead atomic.Bool
}

var errDead = errors.New("the node is dead")

func (d *dying) Commit(ctx context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error {
	if d.dead.Load() {
		return errDead
	}
	return d.Store.Commit(ctx, l, in, changes)
}

func (d *dying) Renew(ctx context.Context, l hot.Lease, ttl time.Duration) error {
	if d.dead.Load() {
		return errDead
	}
	return d.Store.Renew(ctx, l, ttl)
}

func (d *dying) Release(ctx context.Context, l hot.Lease) error {
	if d.dead.Load() {
		return errDead
	}
	return d.Store.Release(ctx, l)
}

// mortal is a roster that a dead node does not reach any more.
type mortal struct {
	roster interface {
		Announce(ctx context.Context, group, name string, ttl time.Duration) ([]string, error)
		Leave(ctx context.Context, group, name string) error
	}
	node *dying
}

func (m mortal) Announce(ctx context.Context, group, name string, ttl time.Duration) ([]string, error) {
	if m.node.dead.Load() {
		return nil, errDead
	}
	return m.roster.Announce(ctx, group, name, ttl)
}

func (m mortal) Leave(ctx context.Context, group, name string) error {
	if m.node.dead.Load() {
		return errDead
	}
	return m.roster.Leave(ctx, group, name)
}
