package drain

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/visit"
)

// shard drains one shard while it holds the lease. All but progress, wake, mine
// and owned belongs to its goroutine. Times are of the monotonic clock: how long
// something took has nothing to do with what a clock on the wall is set to.
type shard struct {
	*Drain
	n        int
	folder   visit.Folder
	progress progress
	wake     chan struct{}
	mine     atomic.Bool // this node is the one to drain it
	owned    atomic.Bool // it does

	lease     hot.Lease
	committed uint64
	states    *states
	sweep     sweep
	pending   time.Time // since when events have been waiting; zero when none
	flushed   time.Time // last batch
	again     bool      // what is written may be there
	lastSweep time.Time // the intent's time of the last batch that removed idle visits
	most      int       // events of a batch, after one had too many for the cold tier's memory; 0 for no such bound
}

func newShard(d *Drain, n int) *shard {
	return &shard{
		Drain: d, n: n, folder: visit.Folder{LogID: d.log.ID()}, wake: make(chan struct{}, 1),
		states: newStates(d.log, n, d.opt.StateBytes/int64(d.log.Shards())),
	}
}

// wakeUp makes the shard look at its log now.
func (s *shard) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run owns the shard again and again: after a failure it starts over from what
// the log says, so that nothing rests on what memory held.
func (s *shard) run(ctx context.Context) {
	pause := s.opt.Poll
	for ctx.Err() == nil {
		var err error
		began := time.Now()
		if s.mine.Load() {
			err = s.own(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil, errors.Is(err, hot.ErrHeld), time.Since(began) > maxPause:
			pause = s.opt.Poll
		}
		if errors.Is(err, cold.ErrTooLarge) {
			continue // with fewer rows
		}
		if err != nil && !errors.Is(err, hot.ErrHeld) {
			s.opt.Failed(s.n, err)
			s.shardOutage.Down(err, "shard", s.n)
		}
		s.sleep(ctx, pause)
		if err != nil && !errors.Is(err, hot.ErrHeld) {
			pause = min(2*pause, maxPause)
		}
	}
}

// maxPause is the longest pause after a failure that comes again and again.
const maxPause = 2 * time.Second

// own takes the lease and drains until it loses it, fails, is to give the shard
// to another node (nil), or ctx is done.
func (s *shard) own(ctx context.Context) error {
	var err error
	if s.lease, err = s.log.Claim(ctx, s.n, s.opt.Owner, s.opt.LeaseTTL); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() { defer close(kept); s.keep(ctx, cancel) }()
	s.owned.Store(true)
	defer func() {
		s.owned.Store(false)
		cancel(nil)
		<-kept
		s.release(ctx)
	}()
	if err := s.load(ctx); err != nil {
		return cause(ctx, err)
	}
	for s.mine.Load() {
		if err := s.step(ctx); err != nil {
			return cause(ctx, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.wake:
		case <-time.After(s.opt.Poll):
		}
	}
	return nil
}

// cause is why ctx ended, if that is why err came about.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil {
		return c
	}
	return err
}

// keep renews the lease while the shard is drained, however long a write takes,
// and ends the draining when the lease is lost.
func (s *shard) keep(ctx context.Context, lost context.CancelCauseFunc) {
	t := time.NewTicker(s.opt.LeaseTTL / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			// Any other error than this may pass; if it does not, the lease runs
			// out, another node fences this one, and its commit is refused.
			if err := s.log.Renew(ctx, s.lease, s.opt.LeaseTTL); errors.Is(err, hot.ErrFenced) {
				lost(err)
				return
			}
		}
	}
}

// release gives the lease up, so that another node, or this one, can begin now
// rather than when it runs out.
func (s *shard) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = s.log.Release(ctx, s.lease)
}

// load reads where the shard stands, and finishes the batch that an earlier
// owner began.
func (s *shard) load(ctx context.Context) error {
	s.states.clear()
	s.sweep = sweep{next: time.Now().Add(s.opt.SweepEvery)}
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return err
	}
	s.committed, s.pending = p.Committed, time.Time{}
	s.progress.clearRequested()
	s.progress.reached(s.committed, moment{})
	if p.Intent != nil {
		if err := s.slot(ctx); err != nil {
			return err
		}
		err := s.replay(ctx, *p.Intent)
		<-s.slots
		if err != nil {
			return err
		}
	}
	// How much the projects have open is not known before the first pass.
	s.sweep.next = time.Now()
	return nil
}

// step drains each batch that is due: a full one, an old one, or one that a barrier waits for. It
// sweeps in between.
func (s *shard) step(ctx context.Context) error {
	for {
		drained, err := s.drainDue(ctx)
		if err != nil {
			return err
		}
		swept := s.sweep.due()
		if swept {
			if err := s.sweepSome(ctx); err != nil {
				return err
			}
		}
		if ctx.Err() != nil || !drained && !swept {
			return ctx.Err()
		}
	}
}

// drainDue drains a batch if one is due, and says whether there was one.
func (s *shard) drainDue(ctx context.Context) (bool, error) {
	now := s.clock.look(s.opt.Clock)
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return false, err
	}
	if p.Committed != s.committed || p.Head < p.Committed {
		// A Redis that failed over or was restored has lost its tail.
		return false, fmt.Errorf("the log went from %d committed to %d, with its head at %d", s.committed, p.Committed, p.Head)
	}
	behind := p.Head - s.committed
	if behind == 0 {
		s.pending = time.Time{}
		s.progress.reached(s.committed, now)
		return false, nil
	}
	if s.pending.IsZero() {
		s.pending = now.mono
	}
	limit := s.batchLimit()
	if s.most > 0 {
		limit.Events = min(limit.Events, s.most)
	}
	if behind < uint64(limit.Events) && now.mono.Sub(s.pending) < s.opt.MaxAge {
		if !s.progress.hasWaiter() {
			return false, nil
		}
		if rest := s.cold.Spacing() - now.mono.Sub(s.flushed); !s.flushed.IsZero() && rest > 0 {
			s.sleep(ctx, rest)
			return ctx.Err() == nil, ctx.Err()
		}
	}
	if err := s.slot(ctx); err != nil {
		return false, err
	}
	defer func() { <-s.slots }()
	rows, err := s.log.Read(ctx, s.n, s.committed, limit)
	if err != nil {
		return false, err
	}
	if len(rows) == 0 {
		return false, fmt.Errorf("head is %d, but nothing stands after %d", p.Head, s.committed)
	}
	open, err := s.states.load(ctx, devices(rows))
	if err != nil {
		return false, err
	}
	since := oldest(rows, open, now.wall)
	erased, err := s.erased(ctx, since)
	if err != nil {
		return false, err
	}
	in := hot.Intent{First: s.committed + 1, Last: rows[len(rows)-1].Seq, Now: now.wall}
	in.Note = note{Full: s.full(rows), Erased: marksFor(erased, since, rows, open)}.encode()
	if err := s.log.Intend(ctx, s.lease, in); err != nil {
		return false, err
	}
	complete := now // the head was read after it
	if in.Last < p.Head {
		complete = s.cameAt(&rows[len(rows)-1])
	}
	return true, s.batch(ctx, in, rows, open, complete)
}

// slot waits until one more batch may be under way.
func (s *shard) slot(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// cameAt returns when the event was received; zero if its time is of no use, since the clock
// was set back.
func (s *shard) cameAt(r *weir.EventRow) moment {
	now := s.clock.look(s.opt.Clock)
	age := now.wall.Sub(r.ReceivedAt)
	came := moment{r.ReceivedAt, now.mono.Add(-age)}
	if at, _ := s.clock.lastSetBack(); age < 0 || !at.IsZero() && came.mono.Before(at) {
		return moment{}
	}
	return came
}
