package drain

import (
	"context"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/visit"
)

// A sweep removes visits from the state that have been idle for so long that no late event may
// belong to them. It is a pass over all states of the shard, some of them at a time between the
// batches, so that a shard that is always busy is swept as well as a quiet one.
type sweep struct {
	next   time.Time // when the next pass is due; monotonic
	cursor string    // of the pass under way
	under  bool      // a pass is under way
	idle   []string  // the devices that it found, and that no batch has removed yet, or with visits of who was erased
}

const (
	sweepScan = 2000 // states that are looked at in one go
	sweepEnds = 1000 // devices of a batch that removes idle visits
)

// due says whether there is something to sweep.
func (s *sweep) due() bool { return s.under || !time.Now().Before(s.next) }

// sweepSome takes the pass on by one page of states, and removes visits once it has
// found enough of them.
func (s *shard) sweepSome(ctx context.Context) error {
	if !s.sweep.under {
		s.sweep.under, s.sweep.cursor, s.sweep.next = true, "", time.Now().Add(s.opt.SweepEvery)
		s.states.begin()
	}
	now := s.opt.Clock.Now()
	page, next, err := s.log.ScanState(ctx, s.n, s.sweep.cursor, sweepScan)
	if err != nil {
		return err
	}
	open := make(visit.Open, len(page))
	for _, c := range page {
		s.states.found(c)
		if open[c.Key], err = visit.DecodeState(string(c.Value)); err != nil {
			return err
		}
	}
	erased, err := s.erased(ctx, oldest(nil, open, now))
	if err != nil {
		return err
	}
	folder := s.folderFor(note{}, erased)
	for _, c := range page {
		if st, ok := open[c.Key]; ok && (folder.Idle(st, now) || folder.HasErased(c.Key, st)) {
			s.sweep.idle = append(s.sweep.idle, c.Key)
			delete(open, c.Key) // a page may have one twice
		}
	}
	if s.sweep.cursor = next; next == "" {
		s.sweep.under = false
		s.states.end()
	}
	for len(s.sweep.idle) >= sweepEnds || next == "" && len(s.sweep.idle) > 0 {
		some := s.sweep.idle[:min(len(s.sweep.idle), sweepEnds)]
		s.sweep.idle = s.sweep.idle[len(some):]
		if err := s.endIdle(ctx, hot.Intent{First: s.committed + 1, Last: s.committed, Now: s.sweepNow(), Note: note{Idle: some}.encode()}); err != nil {
			return err
		}
	}
	return nil
}

// sweepNow returns the time of a batch that removes idle visits: now, or a microsecond after the
// batch before. Such batches contain no events, so their tokens differ only by this time.
func (s *shard) sweepNow() time.Time {
	now := s.opt.Clock.Now()
	if !now.After(s.lastSweep) {
		now = s.lastSweep.Add(time.Microsecond)
	}
	s.lastSweep = now
	return now
}

// endIdle removes idle visits of the devices that the intent names, in a batch without events.
// Nothing is written to the cold tier, except for an intent of a version that marked visits as ended.
func (s *shard) endIdle(ctx context.Context, in hot.Intent) error {
	n, err := decodeNote(in.Note)
	if err != nil {
		return err
	}
	if in.Note == "" { // of an earlier version, which ended all at once
		if n.Idle, err = s.allIdle(ctx, s.folderFor(n, nil), in.Now); err != nil {
			return err
		}
	}
	open, err := s.states.load(ctx, n.Idle)
	if err != nil {
		return err
	}
	erased, err := s.erased(ctx, oldest(nil, open, in.Now))
	if err != nil {
		return err
	}
	if len(s.folderFor(n, erased).Expire(open, in.Now).Changed) == 0 {
		if s.again {
			return s.dropIntent(ctx, in)
		}
		return nil // a batch has touched them since
	}
	if err := s.log.Intend(ctx, s.lease, in); err != nil {
		return err
	}
	// Again: an erasure waits for a batch whose intent it sees, and this sees the mark of
	// one that has not seen the intent.
	if erased, err = s.erased(ctx, oldest(nil, open, in.Now)); err != nil {
		return err
	}
	expired := s.folderFor(n, erased).Expire(open, in.Now)
	if len(expired.Visits) > 0 {
		b := s.coldBatch(in)
		b.Visits, b.Effaced = expired.Visits, true
		if err := s.write(ctx, b); err != nil {
			return err
		}
	}
	return s.commit(ctx, in, open, expired, moment{})
}

// allIdle names all devices with visits that are idle.
func (s *shard) allIdle(ctx context.Context, folder visit.Folder, now time.Time) (idle []string, err error) {
	for cursor := ""; ; {
		page, next, err := s.log.ScanState(ctx, s.n, cursor, sweepScan)
		if err != nil {
			return nil, err
		}
		for _, c := range page {
			st, err := visit.DecodeState(string(c.Value))
			if err != nil {
				return nil, err
			}
			if folder.Idle(st, now) {
				idle = append(idle, c.Key)
			}
		}
		if cursor = next; cursor == "" {
			return idle, nil
		}
	}
}
