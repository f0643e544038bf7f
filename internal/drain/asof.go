package drain

import (
	"context"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// clockWatch detects that the wall clock was set back. Events have wall times, so after
// that a later event may have a smaller time. Everything else the drain measures with the
// monotonic clock, which cannot be set.
type clockWatch struct {
	mu    sync.Mutex
	last  moment    // the last look
	at    time.Time // when it was noticed last, monotonic; zero if never
	least time.Time // the least wall time that it was set back to
}

// moment is one instant on both clocks.
type moment struct{ wall, mono time.Time }

func (m moment) isZero() bool { return m.mono.IsZero() }

// asOf returns the moment's wall time, as seen from now. If the clock was set meanwhile,
// it returns the smaller of two: the wall time read then, and now minus the elapsed time.
func (m moment) asOf(now moment) time.Time {
	t := now.wall.Add(m.mono.Sub(now.mono))
	if m.wall.Before(t) {
		return m.wall
	}
	return t
}

// known returns asOf, or zero for the zero moment.
func (m moment) known(now moment) time.Time {
	if m.isZero() {
		return time.Time{}
	}
	return m.asOf(now)
}

// setBackBy is the smallest step that counts as set back. NTP changes a clock by less
// between two looks.
const setBackBy = 10 * time.Millisecond

// look reads both clocks.
func (s *clockWatch) look(c weir.Clock) moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := moment{c.Now(), time.Now()}
	if passed := now.mono.Sub(s.last.mono); !s.last.isZero() && passed-now.wall.Sub(s.last.wall) > setBackBy {
		// It was set back after the last look, perhaps just after it.
		if least := now.wall.Add(-passed); s.at.IsZero() || least.Before(s.least) {
			s.least = least
		}
		s.at = now.mono
	}
	s.last = now
	return now
}

// lastSetBack returns when the clock was last seen to be set back (monotonic), and the
// smallest wall time that it was set to.
func (s *clockWatch) lastSetBack() (at, least time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at, s.least
}

// Flush waits until each event acknowledged before the call is in the cold
// tier, at most BarrierWait. asOf is the time up to which the cold tier is
// complete: the time of the call, or earlier when the wait was too short or the
// log is away. Concurrent flushes share the batches that they wait for.
func (d *Drain) Flush(ctx context.Context) (asOf time.Time, err error) {
	asked := d.clock.look(d.opt.Clock).wall
	wait, cancel := context.WithTimeout(ctx, d.opt.BarrierWait)
	defer cancel()
	type waiting struct {
		*shard
		done <-chan struct{}
	}
	var waits []waiting
	sweeping := map[*shard]hot.Intent{}
	defer func() {
		for _, w := range waits {
			w.progress.removeWaiter(w.done)
		}
	}()
	for _, s := range d.shards {
		heard := s.progress.version()
		p, err := d.log.Progress(wait, s.n)
		if err != nil {
			if asOf = d.AsOf(); ctx.Err() == nil && !asOf.IsZero() {
				d.opt.Failed(s.n, err)
				return asOf, nil
			}
			return time.Time{}, err
		}
		if hasSweep(p) {
			sweeping[s] = *p.Intent
		}
		if p.Committed >= p.Head {
			continue
		}
		if done := s.progress.wait(p.Head, heard); done != nil {
			waits = append(waits, waiting{s, done})
			s.requestDrain(wait, p.Head)
		}
	}
	for _, w := range waits {
		select {
		case <-w.done:
		case <-wait.Done():
			if ctx.Err() != nil {
				return time.Time{}, ctx.Err()
			}
			return d.upTo(ctx), nil
		}
	}
	for s, in := range sweeping {
		if !s.waitForSweep(wait, in) {
			if ctx.Err() != nil {
				return time.Time{}, ctx.Err()
			}
			return d.upTo(ctx), nil
		}
	}
	return asked, nil
}

// hasSweep reports whether a batch without events, which ends idle visits, has begun and
// is not committed.
func hasSweep(p hot.Progress) bool { return p.Intent != nil && p.Intent.Last < p.Intent.First }

// waitForSweep waits until such a batch is committed. It polls, because the batch has no
// seq to wait for: its range is empty.
func (s *shard) waitForSweep(ctx context.Context, in hot.Intent) bool {
	for {
		p, err := s.log.Progress(ctx, s.n)
		if err == nil && (!hasSweep(p) || !p.Intent.Now.Equal(in.Now)) {
			return true
		}
		s.wakeUp()
		if s.sleep(ctx, s.opt.Poll); ctx.Err() != nil {
			return false
		}
	}
}

// upTo returns the time up to which the cold tier is complete, after a wait was too
// short: the arrival of the earliest event that is not in it yet.
func (d *Drain) upTo(ctx context.Context) time.Time {
	ctx, cancel := context.WithTimeout(ctx, d.opt.BarrierWait)
	defer cancel()
	asOf := d.clock.look(d.opt.Clock).wall
	for _, s := range d.shards {
		if t := s.upTo(ctx); t.Before(asOf) {
			asOf = t
		}
	}
	return asOf
}

// upTo returns the same for one shard.
func (s *shard) upTo(ctx context.Context) time.Time {
	now, complete := s.clock.look(s.opt.Clock), s.progress.completeAt()
	known := complete.known(now)
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return known
	}
	if p.Committed >= p.Head {
		if hasSweep(p) {
			return known
		}
		return now.wall
	}
	first, err := s.log.Read(ctx, s.n, p.Committed, hot.Limit{Events: 1})
	if err != nil || len(first) == 0 {
		return known
	}
	at, least := s.clock.lastSetBack()
	return completeBefore(first[0].Event.ReceivedAt, now, complete, at, least)
}

// completeBefore returns the time up to which a shard is complete: the arrival of the
// first event that is not in the cold tier. setBack and least are those of lastSetBack.
func completeBefore(came time.Time, now, complete moment, setBack, least time.Time) time.Time {
	if setBack.After(complete.mono) && least.Before(came) {
		came = least // an event behind the first may have the smaller time
	}
	if came.After(now.wall) {
		return complete.known(now) // the clock was set back before this process began
	}
	return came
}

// AsOf returns the time up to which the cold tier is complete, without waiting; zero if
// it is not known yet.
func (d *Drain) AsOf() time.Time {
	now := d.clock.look(d.opt.Clock)
	asOf := now.wall
	for _, s := range d.shards {
		complete := s.progress.completeAt()
		if complete.isZero() {
			return time.Time{}
		}
		if t := complete.asOf(now); t.Before(asOf) {
			asOf = t
		}
	}
	return asOf
}
