package drain_test

import (
	"context"
	"errors"
	"testing"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
)

func TestBatchIsNotWrittenUntilItsIntentIsStored(t *testing.T) {
	r := newRig(t)
	log := &unsure{Store: r.log, tried: make(chan struct{}), sure: make(chan struct{})}
	written := make(chan *cold.Batch, 1)
	r.setFail(func(b *cold.Batch) (bool, error) {
		select {
		case written <- b:
		default:
		}
		return false, nil
	})
	r.send(40)
	d, _ := r.run(log, quick)
	for range 5 * r.log.Shards() {
		select {
		case <-log.tried:
		case b := <-written:
			t.Fatalf("%d events of shard %d are written", len(b.Events), b.Shard)
		}
	}
	close(log.sure)
	r.flush(d)
	r.check()
}

// unsure is a log that keeps intents, but cannot say until it is sure that it
// will have them tomorrow: a Redis whose replicas are away.
type unsure struct {
	hot.Store
	tried chan struct{} // gets one for each try until then
	sure  chan struct{}
}

var errUnsure = errors.New("no replica has confirmed the intent")

func (u *unsure) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	if err := u.Store.Intend(ctx, l, in); err != nil {
		return err
	}
	select {
	case <-u.sure:
		return nil
	case u.tried <- struct{}{}:
		return errUnsure
	case <-ctx.Done():
		return ctx.Err()
	}
}
