package drain_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
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

// An intent of the version before ends idle visits by a row. The batch is done again like that: the
// cold tier may have a part of it.
func TestABatchOfTheVersionBeforeMarksIdleVisitsAsItIsDoneAgain(t *testing.T) {
	r := newRig(t)
	d, stop := r.run(r.log, quick)
	r.send(1)
	r.flush(d)
	stop()
	r.intendAsBefore(31 * time.Minute)
	r.run(r.log, quick)
	ended := func() []weir.VisitRow {
		_, visits, _ := r.all()
		return visits
	}
	for len(ended()) < 3 {
		runtime.Gosched()
	}
	if v := ended(); !v[2].Ended || v[2].Version != 2 || v[1].Ended || v[1].Sign != -1 || v[1].Version != 1 {
		t.Errorf("rows %+v", v)
	}
	r.check()
}

// intendAsBefore stores the intent of a batch that ends all idle visits after a time, as the version
// before had it.
func (r *rig) intendAsBefore(after time.Duration) {
	r.t.Helper()
	for key := range r.open() {
		for shard := range r.log.Shards() {
			page, _, err := r.log.ScanState(r.t.Context(), shard, "", 1000)
			if err != nil {
				r.t.Fatal(err)
			}
			if !slices.ContainsFunc(page, func(c hot.Change) bool { return c.Key == key }) {
				continue
			}
			lease, err := r.log.Claim(r.t.Context(), shard, "before", time.Hour)
			if err != nil {
				r.t.Fatal(err)
			}
			p, err := r.log.Progress(r.t.Context(), shard)
			if err != nil {
				r.t.Fatal(err)
			}
			note := "\x05" + drain.Note{Idle: []string{key}}.Encode()[1:]
			in := hot.Intent{First: p.Committed + 1, Last: p.Committed, Now: time.Now().Add(after), Note: note}
			if err := r.log.Intend(r.t.Context(), lease, in); err != nil {
				r.t.Fatal(err)
			}
			if err := r.log.Release(r.t.Context(), lease); err != nil {
				r.t.Fatal(err)
			}
		}
	}
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
