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

// shard drains one shard while it holds the lease. All but progress and wake
// belongs to its goroutine.
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
	open      visit.Open
	pending   time.Time // since when events have been waiting; zero when none
	flushed   time.Time // last batch
	swept     time.Time
	again     bool // what is written may be there
}

func newShard(d *Drain, n int) *shard {
	return &shard{Drain: d, n: n, folder: visit.Folder{LogID: d.log.ID()}, wake: make(chan struct{}, 1)}
}

// nudge makes the shard look at its log now.
func (s *shard) nudge() {
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
		began := s.opt.Clock.Now()
		if s.mine.Load() {
			err = s.own(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err == nil, errors.Is(err, hot.ErrHeld), s.opt.Clock.Now().Sub(began) > maxPause:
			pause = s.opt.Poll
		}
		if err != nil && !errors.Is(err, hot.ErrHeld) {
			s.opt.Failed(s.n, err)
			s.opt.Logger.Error("drain: shard failed; starting over", "shard", s.n, "pause", pause, "error", err)
		}
		s.pause(ctx, pause)
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
	s.open = visit.Open{}
	for c, err := range s.log.State(ctx, s.n) {
		if err != nil {
			return err
		}
		st, err := visit.DecodeState(c.Value)
		if err != nil {
			return fmt.Errorf("state of %q: %w", c.Key, err)
		}
		s.open[c.Key] = st
	}
	asked := s.opt.Clock.Now()
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return err
	}
	s.committed, s.pending, s.swept = p.Committed, time.Time{}, asked
	if p.Intent != nil {
		if err := s.replay(ctx, *p.Intent); err != nil {
			return err
		}
	}
	s.progress.reached(s.committed, time.Time{})
	return nil
}

// replay does a batch again, as its intent says. It intends it first, again: the
// intent that is there may be one that the log did not vouch for, and would lose
// with a master that fails; what is written under a lost intent is written twice.
func (s *shard) replay(ctx context.Context, in hot.Intent) error {
	s.again = true
	defer func() { s.again = false }()
	if in.Last < in.First {
		return s.sweep(ctx, in)
	}
	n := int(in.Last - in.First + 1)
	records, err := s.log.Read(ctx, s.n, in.First-1, n)
	if err != nil {
		return err
	}
	if len(records) != n {
		return fmt.Errorf("intent %d-%d: the log has %d of its events", in.First, in.Last, len(records))
	}
	if err := s.log.Intend(ctx, s.lease, in); err != nil {
		return err
	}
	return s.batch(ctx, in, records, time.Time{})
}

// step drains what is due: a full batch, an old one, or one that somebody waits for.
func (s *shard) step(ctx context.Context) error {
	for {
		now := s.opt.Clock.Now()
		head, err := s.log.Head(ctx, s.n)
		if err != nil {
			return err
		}
		if head < s.committed { // a failover has forgotten what was not replicated
			return fmt.Errorf("the log went back from %d to %d", s.committed, head)
		}
		behind := head - s.committed
		if behind == 0 {
			s.pending = time.Time{}
			s.progress.reached(s.committed, now)
			if now.Sub(s.swept) >= s.opt.SweepEvery {
				s.swept = now
				return s.sweep(ctx, hot.Intent{First: s.committed + 1, Last: s.committed, Now: now})
			}
			return nil
		}
		if s.pending.IsZero() {
			s.pending = now
		}
		if behind < uint64(s.opt.MaxBatch) && now.Sub(s.pending) < s.opt.MaxAge {
			if !s.progress.wanted() {
				return nil
			}
			if rest := s.cold.Spacing() - now.Sub(s.flushed); rest > 0 {
				s.pause(ctx, rest)
				if ctx.Err() != nil {
					return ctx.Err()
				}
				continue
			}
		}
		records, err := s.log.Read(ctx, s.n, s.committed, s.opt.MaxBatch)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return fmt.Errorf("head is %d, but nothing stands after %d", head, s.committed)
		}
		in := hot.Intent{First: s.committed + 1, Last: records[len(records)-1].Seq, Now: now}
		if err := s.log.Intend(ctx, s.lease, in); err != nil {
			return err
		}
		complete := now // the head was read after it
		if in.Last < head {
			complete = records[len(records)-1].Event.ReceivedAt
		}
		if err := s.batch(ctx, in, records, complete); err != nil {
			return err
		}
	}
}

// batch folds, writes and commits the intent's events.
func (s *shard) batch(ctx context.Context, in hot.Intent, records []hot.Record, complete time.Time) error {
	began := time.Now()
	rows := make([]weir.EventRow, len(records))
	for i, r := range records {
		rows[i] = weir.EventRow{Event: r.Event, Shard: s.n, Seq: r.Seq}
	}
	folded := s.folder.Fold(s.open, rows, in.Now)
	b := s.coldBatch(in)
	b.Events, b.Visits, b.Links = rows, folded.Visits, folded.Links
	if err := s.write(ctx, b); err != nil {
		return err
	}
	if err := s.commit(ctx, in, folded, complete); err != nil {
		return err
	}
	s.flushed, s.pending = s.opt.Clock.Now(), time.Time{}
	head, err := s.log.Head(ctx, s.n)
	s.opt.Committed(Commit{s.n, b.Events, len(b.Dead), time.Since(began), head - min(head, s.committed)})
	return err
}

// sweep ends the visits that have been idle, in a batch without events.
func (s *shard) sweep(ctx context.Context, in hot.Intent) error {
	expired := visit.Expire(s.open, in.Now)
	if len(expired.Changed) == 0 {
		return nil
	}
	if err := s.log.Intend(ctx, s.lease, in); err != nil {
		return err
	}
	b := s.coldBatch(in)
	b.Visits = expired.Visits
	if err := s.write(ctx, b); err != nil {
		return err
	}
	return s.commit(ctx, in, expired, time.Time{})
}

// coldBatch names the batch: the same intent of the same log has the same token.
func (s *shard) coldBatch(in hot.Intent) *cold.Batch {
	return &cold.Batch{
		Token: fmt.Sprintf("%s/%d/%d-%d/%d", s.log.ID(), s.n, in.First, in.Last, in.Now.UnixMicro()),
		Log:   s.log.ID(), Shard: s.n, First: in.First, Last: in.Last, Now: in.Now, Again: s.again,
	}
}

func (s *shard) commit(ctx context.Context, in hot.Intent, r visit.Result, complete time.Time) error {
	changes := make([]hot.Change, 0, len(r.Changed))
	for key, st := range r.Changed {
		c := hot.Change{Key: key}
		if len(st) > 0 {
			c.Value = st.Encode()
		}
		changes = append(changes, c)
	}
	if err := s.log.Commit(ctx, s.lease, in, changes); err != nil {
		return err
	}
	for key, st := range r.Changed {
		if len(st) > 0 {
			s.open[key] = st
		} else {
			delete(s.open, key)
		}
	}
	s.committed = in.Last
	s.progress.reached(in.Last, complete)
	s.tellDone(ctx)
	return nil
}
