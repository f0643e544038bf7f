package drain

import (
	"context"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// setBack notices that the wall clock was set back. Events carry wall times, so
// after that an event that came later may have the smaller one; everything that
// the drain measures by itself it measures by the monotonic clock, which nobody
// sets.
type setBack struct {
	mu    sync.Mutex
	last  moment    // the last look
	at    time.Time // when it was noticed last, monotonic; zero if never
	least time.Time // the least wall time that it was set back to
}

// moment is a time of both clocks.
type moment struct{ wall, mono time.Time }

func (m moment) isZero() bool { return m.mono.IsZero() }

// asOf is the moment's wall time as seen from now: no later than what was read
// then, and no younger than it is.
func (m moment) asOf(now moment) time.Time {
	t := now.wall.Add(m.mono.Sub(now.mono))
	if m.wall.Before(t) {
		return m.wall
	}
	return t
}

// known is asOf, and zero of no moment.
func (m moment) known(now moment) time.Time {
	if m.isZero() {
		return time.Time{}
	}
	return m.asOf(now)
}

// setBackBy is the least step that counts: clocks that are kept by NTP drift less
// between two looks.
const setBackBy = 10 * time.Millisecond

// look takes the time, of both clocks.
func (s *setBack) look(c weir.Clock) moment {
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

// noticed is when the clock was last seen to be set back, monotonic, and the
// least wall time that it was set back to.
func (s *setBack) noticed() (at, least time.Time) {
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
		if sweeps(p) {
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
		if !s.swept(wait, in) {
			if ctx.Err() != nil {
				return time.Time{}, ctx.Err()
			}
			return d.upTo(ctx), nil
		}
	}
	return asked, nil
}

// sweeps says whether a batch without events, which ends visits, was begun and is not committed.
func sweeps(p hot.Progress) bool { return p.Intent != nil && p.Intent.Last < p.Intent.First }

// swept waits until such a batch is committed. No seq tells: its range is empty.
func (s *shard) swept(ctx context.Context, in hot.Intent) bool {
	for {
		p, err := s.log.Progress(ctx, s.n)
		if err == nil && (!sweeps(p) || !p.Intent.Now.Equal(in.Now)) {
			return true
		}
		s.wakeUp()
		if s.pause(ctx, s.opt.Poll); ctx.Err() != nil {
			return false
		}
	}
}

// upTo is the time up to which the cold tier is complete when a wait was too
// short: the least at which an event came that is not in it yet.
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

// upTo is the same for one shard.
func (s *shard) upTo(ctx context.Context) time.Time {
	now, complete := s.clock.look(s.opt.Clock), s.progress.completeAt()
	known := complete.known(now)
	p, err := s.log.Progress(ctx, s.n)
	if err != nil {
		return known
	}
	if p.Committed >= p.Head {
		if sweeps(p) {
			return known
		}
		return now.wall
	}
	first, err := s.log.Read(ctx, s.n, p.Committed, hot.Limit{Events: 1})
	if err != nil || len(first) == 0 {
		return known
	}
	at, least := s.clock.noticed()
	return completeBefore(first[0].Event.ReceivedAt, now, complete, at, least)
}

// completeBefore is up to when a shard is complete: before the first event that is not
// in the cold tier came. The clock was set back to least at the time setBack, if ever.
func completeBefore(came time.Time, now, complete moment, setBack, least time.Time) time.Time {
	if setBack.After(complete.mono) && least.Before(came) {
		came = least // an event behind the first may have the smaller time
	}
	if came.After(now.wall) {
		return complete.known(now) // the clock was set back before this process began
	}
	return came
}

// AsOf is the time up to which the cold tier is complete, without waiting; zero
// when it is not known yet.
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
