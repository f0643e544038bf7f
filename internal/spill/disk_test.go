package spill_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/spill"
)

// broken is a local log that takes nothing and reads nothing.
type broken struct{ hot.Store }

var errDisk = errors.New("input/output error")

func (broken) Append(context.Context, []hot.Item) ([]int, error) { return nil, errDisk }

func (broken) Read(context.Context, int, uint64, hot.Limit) ([]hot.Record, error) {
	return nil, errDisk
}

func (broken) Claim(context.Context, int, string, time.Duration) (hot.Lease, error) {
	return hot.Lease{}, errDisk
}

func TestABrokenDiskOfTheSpillwayKeepsNothingFromAHotTierThatIsThere(t *testing.T) {
	r := newRig(t, quick)
	// It breaks after the start, which reads.
	b := &breaking{Store: r.local}
	r.start(b)
	b.broken.Store(true)
	r.run()
	r.primary.now(refuses)
	if _, err := r.trySend(3); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	r.sent = 0
	r.primary.now(none)
	r.untilCaughtUp()
	r.send(3)
	r.check()
}

type breaking struct {
	hot.Store
	broken atomic.Bool
}

func (b *breaking) now() spill.Local {
	if b.broken.Load() {
		return broken{b.Store}
	}
	return b.Store
}

func (b *breaking) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	return b.now().Append(ctx, items)
}

func (b *breaking) Read(ctx context.Context, shard int, after uint64, limit hot.Limit) ([]hot.Record, error) {
	return b.now().Read(ctx, shard, after, limit)
}

func (b *breaking) Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error) {
	return b.now().Claim(ctx, shard, owner, ttl)
}

// unsure is a local log whose commits fail now and then, done or not.
type unsure struct {
	hot.Store
	n atomic.Int32
}

func (u *unsure) Commit(ctx context.Context, l hot.Lease, in hot.Intent, ch []hot.Change) error {
	n := u.n.Add(1)
	if n%4 == 1 {
		return errDisk
	}
	err := u.Store.Commit(ctx, l, in, ch)
	if n%4 == 3 {
		return errors.Join(errDisk, err)
	}
	return err
}

func TestReplayLooksUpACommitWithAnUnknownResult(t *testing.T) {
	r := newRig(t, quick)
	r.start(&unsure{Store: r.local})
	r.primary.now(refuses)
	for range 10 {
		r.send(100)
	}
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	r.check()
}
