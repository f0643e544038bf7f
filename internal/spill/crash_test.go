package spill_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// life is a process that dies before or after one of its writes: from then on
// it does nothing any more.
type life struct {
	left atomic.Int32 // points to pass until it dies
	dead chan struct{}
}

var errDead = errors.New("the process is dead")

func newLife(points int) *life {
	l := &life{dead: make(chan struct{})}
	l.left.Store(int32(points))
	return l
}

// dies passes a point.
func (l *life) dies() bool {
	n := l.left.Add(-1)
	if n == 0 {
		close(l.dead)
	}
	return n <= 0
}

// living does a write of a living process.
func living[T any](l *life, write func() (T, error)) (T, error) {
	var zero T
	if l.dies() {
		return zero, errDead
	}
	v, err := write()
	if l.dies() {
		return zero, errDead
	}
	return v, err
}

// mortalPrimary and mortalLocal are the stores as a mortal process has them.
type mortalPrimary struct {
	*shaky
	*life
}

func (m mortalPrimary) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	return living(m.life, func() ([]int, error) { return m.shaky.Append(ctx, items) })
}

type mortalLocal struct {
	*pebble.Store
	*life
}

func (m mortalLocal) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	return living(m.life, func() ([]int, error) { return m.Store.Append(ctx, items) })
}

func (m mortalLocal) Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error) {
	return living(m.life, func() (hot.Lease, error) { return m.Store.Claim(ctx, shard, owner, ttl) })
}

func (m mortalLocal) Commit(ctx context.Context, l hot.Lease, in hot.Intent, ch []hot.Change) error {
	_, err := living(m.life, func() (struct{}, error) { return struct{}{}, m.Store.Commit(ctx, l, in, ch) })
	return err
}

func TestACrashAtAnyPointNeitherLosesNorDoubles(t *testing.T) {
	survived := false
	for point := 1; !survived; point++ {
		ok := t.Run(fmt.Sprint("point ", point), func(t *testing.T) {
			o := quick
			o.Batch, o.Backoff = 15, 5*time.Millisecond
			r := newRig(t, o)
			l := newLife(point)
			r.live(l)
			stop := r.run()
			for i := range 20 { // an outage of a few requests, and after it the end of the spilling
				switch i {
				case 3:
					r.primary.now(forgets)
				case 8:
					r.primary.now(none)
				case 14:
					r.untilDeadOr(l, func() bool { return !r.Spilling() })
				}
				before := r.sent
				if _, err := r.trySend(10); err != nil {
					if !errors.Is(err, errDead) {
						t.Fatal(err)
					}
					r.sent = before // its sender comes again
					break
				}
			}
			r.untilDeadOr(l, func() bool { return !r.Spilling() })
			survived = l.left.Load() > 0 // it has no such point: all were tried
			stop()
			r.primary.now(none)
			r.reopen()
			r.run()
			r.send(20)
			r.untilCaughtUp()
			r.check()
		})
		if !ok {
			return
		}
	}
}

// live starts a mortal process on the rig's stores.
func (r *rig) live(l *life) {
	r.t.Helper()
	r.startBetween(mortalPrimary{r.primary, l}, mortalLocal{r.local, l})
}

func (r *rig) untilDeadOr(l *life, is func() bool) {
	r.t.Helper()
	until(r.t, "the process is dead or done", func() bool { return l.left.Load() <= 0 || is() })
}
