package spill

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

const (
	owner        = "spill"
	leaseTTL     = time.Hour // nobody else may claim: the store has one process, and that one Run
	maxPause     = 20        // times Backoff
	slowAppend   = 5         // times Patience: how long the primary may take for a batch of the replay
	lastBatches  = 4         // of the backlog that are replayed with the gate shut
	maxBatchSize = 4 << 20   // bytes of records in a batch, unless one alone has more
)

// Run replays what waits in the local log whenever the primary takes it. It
// returns ctx's error soon after ctx is done; what waits then is replayed by
// the next Run, of this process or another. It passes any other error to
// Failed and retries.
func (s *Spillway) Run(ctx context.Context) error {
	var pause time.Duration // none at the start: events may wait since long
	failures := 0
	for {
		for !s.spilling.Load() {
			select {
			case <-s.wake:
				pause = s.opt.Backoff
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if err := rest(ctx, pause); err != nil {
			return err
		}
		pause = 0
		err := s.step(ctx)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			failures++
			s.low = -1
			pause = min(s.opt.Backoff<<min(failures-1, 10), maxPause*s.opt.Backoff)
			s.failed(ctx, err, failures)
		default:
			failures = 0
		}
	}
}

// failed logs the first failure of a row; the others are for those who look.
func (s *Spillway) failed(ctx context.Context, err error, failures int) {
	s.metrics.failures.Inc()
	s.opt.Failed(err)
	level := slog.LevelDebug
	if failures == 1 {
		level = slog.LevelWarn
	}
	events, _, oldest := s.Pending()
	s.opt.Logger.Log(ctx, level, "spillway cannot replay; trying again", "error", err, "events", events, "oldest", oldest)
}

// step replays a batch beside the appends that go on. When little is left, or
// when the backlog does not get less that way, appends wait while more of it is
// replayed.
func (s *Spillway) step(ctx context.Context) error {
	n := 0
	if events, _, _ := s.Pending(); events > 0 {
		var err error
		if n, err = s.deliver(ctx); err != nil {
			return err
		}
	}
	if n == 0 { // such as after a failed Seen: nothing has shown that the primary is back
		if err := s.probe(ctx); err != nil {
			return err
		}
		return s.hold(ctx, 0)
	}
	events, _, _ := s.Pending()
	switch few := lastBatches * s.opt.Batch; {
	case events <= few:
		return s.hold(ctx, 0)
	case s.low >= 0 && events > s.low-s.opt.Batch/4:
		// Senders add as fast as the replay takes away: a local log is faster than
		// a shared one. Unless the least backlog gets less, spilling never ends.
		s.low = min(s.low, events)
		s.low = max(0, s.low-max(few, events-s.low))
		return s.hold(ctx, s.low)
	default:
		s.low = events
		return nil
	}
}

// probe asks the primary for something of no consequence.
func (s *Spillway) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Patience)
	defer cancel()
	if _, err := s.primary.Seen(ctx, "", []hot.SeenQuery{{}}, s.opt.Clock.Now()); err != nil {
		return fmt.Errorf("spill: probe: %w", err)
	}
	return nil
}

// hold replays, while appends wait, until at most that many events are left.
// When none is left it ends the spilling. Appends wait for half of Patience at
// most, which leaves them the other half for their own attempt.
func (s *Spillway) hold(ctx context.Context, left int) error {
	s.gate.Lock()
	defer s.gate.Unlock()
	ctx, cancel := context.WithTimeout(ctx, s.opt.Patience/2)
	defer cancel()
	for some := false; ; some = true {
		events, bytes, _ := s.Pending()
		if left > 0 && events <= left {
			return nil
		}
		n, err := s.deliver(ctx)
		switch {
		case err != nil && some && ctx.Err() != nil:
			return nil // not all of it in that time; the rest in the next step
		case err != nil && events > 0:
			return err
		case err != nil || n == 0:
			// Nothing that was acknowledged is left. An error then is the local
			// log's own trouble, which is no reason to keep away from the primary.
			s.backlog.drop(events, bytes)
			s.end()
			return nil
		}
	}
}

// end lets appends go straight to the primary. The caller has shut the gate.
func (s *Spillway) end() {
	s.spilling.Store(false)
	s.opt.Logger.Info("hot tier is back, and has all events of the spillway",
		"events", s.replayed, "duplicates", s.again, "took", s.opt.Clock.Now().Sub(s.since))
	s.replayed, s.again, s.low = 0, 0, -1
	s.refused.Store(false)
}

// deliver takes the next batch of the local log to the primary, and only then
// trims it from the local log. It returns how many events that were.
func (s *Spillway) deliver(ctx context.Context) (int, error) {
	if err := s.own(ctx); err != nil {
		return 0, fmt.Errorf("spill: claim: %w", err)
	}
	records, err := s.local.Read(ctx, 0, s.committed, hot.Limit{Events: s.opt.Batch, Bytes: 2 * maxBatchSize})
	if err != nil {
		return 0, fmt.Errorf("spill: read: %w", err)
	}
	if len(records) == 0 {
		return 0, nil
	}
	s.backlog.since(records[0].Event.ReceivedAt)
	items, bytes, err := s.items(ctx, records)
	if err != nil {
		return 0, fmt.Errorf("spill: timezone: %w", err)
	}
	appending, cancel := context.WithTimeout(ctx, slowAppend*s.opt.Patience)
	duplicates, err := s.primary.Append(appending, items)
	cancel()
	if err != nil {
		return 0, fmt.Errorf("spill: replay: %w", err)
	}
	if err := s.commit(ctx, records[len(items)-1].Seq); err != nil {
		return 0, fmt.Errorf("spill: commit: %w", err)
	}
	s.backlog.drop(len(items), bytes)
	s.replayed += len(items)
	s.again += len(duplicates)
	s.metrics.replayed.Add(float64(len(items)))
	s.metrics.duplicates.Add(float64(len(duplicates)))
	s.opt.Replayed(len(items), len(duplicates))
	return len(items), nil
}

// items returns the first of the records, as many as a batch holds, and their bytes.
func (s *Spillway) items(ctx context.Context, records []hot.Record) ([]hot.Item, int64, error) {
	items := itemsOf(records)
	zones := map[string]*time.Location{}
	var bytes int64
	for i := range items {
		size := sizeOf(items[i : i+1])
		if i > 0 && bytes+size > maxBatchSize {
			return items[:i], bytes, nil
		}
		bytes += size
		project := items[i].Event.ProjectID
		loc, known := zones[project]
		if !known {
			var err error
			if loc, err = s.opt.Location(ctx, project); err != nil {
				return nil, 0, fmt.Errorf("project %q: %w", project, err)
			}
			if loc == nil {
				loc = time.UTC
			}
			zones[project] = loc
		}
		items[i].Location = loc
	}
	return items, bytes, nil
}

// own takes the local log's lease and reads how far it was replayed, at the
// start and after a failed commit, which may have been done.
func (s *Spillway) own(ctx context.Context) error {
	if s.lease.Epoch != 0 {
		return nil
	}
	l, err := s.local.Claim(ctx, 0, owner, leaseTTL)
	if err != nil {
		return err
	}
	p, err := s.local.Progress(ctx, 0)
	if err != nil {
		return err
	}
	s.lease, s.committed = l, p.Committed
	return nil
}

// commit trims the local log. It outlives ctx: what the primary has need not
// be replayed at the next start.
func (s *Spillway) commit(ctx context.Context, last uint64) error {
	in := hot.Intent{First: s.committed + 1, Last: last, Now: s.opt.Clock.Now()}
	if err := s.local.Commit(context.WithoutCancel(ctx), s.lease, in, nil); err != nil {
		s.lease = hot.Lease{}
		return err
	}
	s.committed = last
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
