package drain_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// restored is a log that is set back to another state of itself, as a Redis is
// that loses its tail. The states are stores of their own.
type restored struct {
	hot.Store
	states []hot.Store
	at     atomic.Int32
}

func newRestored(t *testing.T, r *rig) *restored {
	t.Helper()
	other, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	return &restored{Store: r.log, states: []hot.Store{r.log, other}}
}

func (l *restored) now() hot.Store { return l.states[l.at.Load()] }

func (l *restored) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	return l.now().Append(ctx, items)
}

func (l *restored) Head(ctx context.Context, shard int) (uint64, error) {
	return l.now().Head(ctx, shard)
}

func (l *restored) Read(ctx context.Context, shard int, after uint64, limit hot.Limit) ([]hot.Record, error) {
	return l.now().Read(ctx, shard, after, limit)
}

func (l *restored) Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error) {
	return l.now().Claim(ctx, shard, owner, ttl)
}

func (l *restored) Renew(ctx context.Context, lease hot.Lease, ttl time.Duration) error {
	return l.now().Renew(ctx, lease, ttl)
}

func (l *restored) Progress(ctx context.Context, shard int) (hot.Progress, error) {
	return l.now().Progress(ctx, shard)
}

func (l *restored) States(ctx context.Context, shard int, keys []string) ([][]byte, error) {
	return l.now().States(ctx, shard, keys)
}

func (l *restored) ScanState(ctx context.Context, shard int, cursor string, limit int) ([]hot.Change, string, error) {
	return l.now().ScanState(ctx, shard, cursor, limit)
}

func (l *restored) Intend(ctx context.Context, lease hot.Lease, in hot.Intent) error {
	return l.now().Intend(ctx, lease, in)
}

func (l *restored) Commit(ctx context.Context, lease hot.Lease, in hot.Intent, changes []hot.Change) error {
	return l.now().Commit(ctx, lease, in, changes)
}

// The log is set back below what was committed; events are acknowledged after
// that, fewer than the old log had, as many, and more. An answer must have them.
func TestBarrierWaitsForWhatIsAcknowledgedAfterTheLogLostItsTail(t *testing.T) {
	for _, kept := range []int{0, 100} {
		for _, after := range []int{10, 200, 300} {
			r := newRig(t)
			log := newRestored(t, r)
			r.log = log
			if kept > 0 { // of the state that is gone back to
				log.at.Store(1)
				r.send(kept)
				log.at.Store(0)
			}
			o := quick
			o.LeaseTTL = 100 * time.Millisecond
			d, _ := r.run(log, o)
			r.send(200)
			r.flush(d)
			log.at.Store(1)
			r.send(after)
			r.flush(d)
			events, _, _ := r.all()
			if len(events) != r.sent {
				t.Fatalf("%d kept and %d sent after the loss: the answer has %d events of %d", kept, after, len(events), r.sent)
			}
		}
	}
}

// stepped is a clock that is set.
type stepped struct{ by atomic.Int64 }

func (c *stepped) Now() time.Time { return time.Now().Add(time.Duration(c.by.Load())) }

func TestDrainGoesOnWhenTheClockIsSetBack(t *testing.T) {
	for _, by := range []time.Duration{-300 * time.Millisecond, -time.Hour, time.Hour} {
		r := newRig(t)
		c, got := &stepped{}, make(chan int, 1000)
		o := quick
		o.MaxBatch, o.Clock = 10_000, c.Now // only age closes a batch
		o.Committed = func(c drain.Commit) { got <- len(c.Rows) }
		r.run(r.log, o)
		for range 3 {
			r.send(50)
			c.by.Add(int64(by))
			r.send(50)
			for n := 0; n < 100; {
				n += <-got
			}
		}
		r.check()
	}
}

// While the cold tier is away and the clock is set back, an answer is never as of
// a time after an event came that it has not.
func TestAnswerIsNotCompleteWhenTheClockWasSetBack(t *testing.T) {
	r := newRig(t)
	c := &stepped{}
	o := quick
	o.Clock, o.BarrierWait = c.Now, 5*time.Millisecond
	d, _ := r.run(r.log, o)
	r.sendAt(10, c.Now)
	for { // until all is drained once
		if n, _ := d.Behind(t.Context()); n == 0 {
			break
		}
	}
	r.setFail(func(*cold.Batch) (bool, error) { return false, errDown })
	first := c.Now()
	r.sendAt(10, c.Now)
	for _, by := range []time.Duration{-time.Hour, -300 * time.Millisecond, time.Hour} {
		c.by.Add(int64(by))
		least := first
		if now := c.Now(); now.Before(least) {
			least = now // events come with smaller times from now on
		}
		first = least
		r.sendAt(10, c.Now)
		for range 3 {
			asOf, err := d.Flush(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if asOf.After(least) {
				t.Fatalf("clock moved by %v: as of %v, though what came at %v is not there", by, asOf, least)
			}
			if asOf := d.AsOf(); asOf.After(c.Now()) {
				t.Fatalf("as of %v, now it is %v", asOf, c.Now())
			}
		}
	}
}

// sendAt sends as send does, with times of the clock.
func (r *rig) sendAt(n int, now weir.Clock) {
	r.t.Helper()
	r.clock = now
	defer func() { r.clock = nil }()
	r.send(n)
}
