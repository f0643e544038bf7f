// Package spill lets a node accept events while the shared hot tier is unavailable: it stores
// them in a log on the node's own disk, and replays them in order once the hot tier is back.
// See DESIGN.md beside it.
package spill

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Primary is the shared hot tier. Its methods must return soon after their
// context ends, and read nothing of the items any more then. An append that
// failed may have been applied, whole or in some shards.
type Primary interface {
	Append(ctx context.Context, items []hot.Item) (duplicates []int, err error)
	Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error)
}

// Local is the node's own log: a hot.Store of one shard that only the Spillway
// appends to and commits.
type Local interface {
	Shards() int
	Append(ctx context.Context, items []hot.Item) (duplicates []int, err error)
	Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error)
	Read(ctx context.Context, shard int, after uint64, limit hot.Limit) ([]hot.Record, error)
	Progress(ctx context.Context, shard int) (hot.Progress, error)
	Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error)
	Commit(ctx context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error
}

// Options of a Spillway; zero values are the defaults.
type Options struct {
	// MaxBytes bounds the records that wait in the local log, as they are
	// encoded, uncompressed; 1 GiB. DESIGN.md says what they take on the disk.
	MaxBytes int64
	// Patience is how long an append waits for the primary before it goes to
	// the local log; 2 s.
	Patience time.Duration
	Batch    int           // events of one append of the replay; 500
	Backoff  time.Duration // first pause of the replay, doubled up to 20 times of it; 250 ms
	// Location is the project's timezone, which the primary's day and hour
	// counters need and records do not hold. A project that is no more has UTC;
	// after an error the replay waits and asks again. UTC without it.
	Location func(ctx context.Context, project string) (*time.Location, error)
	Clock    weir.Clock
	Logger   *slog.Logger
	// Spilled is called with the number of events that an append added to the local log.
	// Calls may be concurrent.
	Spilled func(events int)
	// Replayed is called by Run with each batch that the primary accepted, and how many of
	// its events were duplicates.
	Replayed func(events, duplicates int)
	// Failed is called with the error of each failed step of the replay. The step is retried.
	Failed func(err error)
	// Registry gets the metrics; nil is none.
	Registry prometheus.Registerer
}

func (o *Options) defaults() {
	o.MaxBytes = cmp.Or(o.MaxBytes, 1<<30)
	o.Patience = cmp.Or(o.Patience, 2*time.Second)
	o.Batch = cmp.Or(o.Batch, 500)
	o.Backoff = cmp.Or(o.Backoff, 250*time.Millisecond)
	if o.Location == nil {
		o.Location = func(context.Context, string) (*time.Location, error) { return time.UTC, nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Spilled == nil {
		o.Spilled = func(int) {}
	}
	if o.Replayed == nil {
		o.Replayed = func(int, int) {}
	}
	if o.Failed == nil {
		o.Failed = func(error) {}
	}
}

// Spillway is the way to the primary, with the local log beside it. It
// implements ingest.Log. Its methods are safe for concurrent use; Run runs once
// at a time. It closes neither store: the local one is closed after Run has
// returned and no append is under way.
type Spillway struct {
	primary Primary
	local   Local
	opt     Options
	metrics *metrics

	// spilling says that all appends go to the local log: the primary is away,
	// or what waits for it has not followed yet.
	spilling atomic.Bool
	// gate is held for reading while an append goes to the local log, and for
	// writing while the last of it is replayed and spilling ends: so nothing is
	// left behind, and nothing overtakes.
	gate    sync.RWMutex
	backlog backlog
	wake    chan struct{}
	since   time.Time   // when spilling began; written under gate, by whoever began it
	refused atomic.Bool // an append, since then; it is logged once

	// Of the replay, so Run's own.
	lease     hot.Lease
	committed uint64 // last seq of the local log that the primary has
	replayed  int    // events since spilling began
	again     int    // those of them that were duplicates in the primary
	low       int    // the least backlog since the primary is back; -1 while it is away
}

// New makes a Spillway. When events of an earlier run wait in the local log it
// begins by spilling, and reads them all to know their size; Run replays them.
func New(ctx context.Context, primary Primary, local Local, o Options) (*Spillway, error) {
	o.defaults()
	if n := local.Shards(); n != 1 {
		return nil, fmt.Errorf("spill: the local log has %d shards, not 1: it was made for something else", n)
	}
	s := &Spillway{primary: primary, local: local, opt: o, metrics: newMetrics(o.Registry), wake: make(chan struct{}, 1), low: -1}
	if err := s.recount(ctx); err != nil {
		return nil, fmt.Errorf("spill: read what waits: %w", err)
	}
	if o.Registry != nil {
		s.watch(o.Registry)
	}
	if events, bytes, oldest := s.Pending(); events > 0 {
		s.spilling.Store(true)
		s.since = o.Clock.Now()
		o.Logger.Warn("spillway holds events of an earlier outage; the hot tier gets them before others",
			"events", events, "bytes", bytes, "oldest", oldest)
	}
	return s, nil
}

// Pending returns what waits in the local log: events, the bytes of their records,
// and when the oldest was received, to a batch; zero when nothing waits.
func (s *Spillway) Pending() (events int, bytes int64, oldest time.Time) { return s.backlog.sum() }

// Append implements ingest.Log. The events are in the primary when it returns,
// or durable in the local log. It waits for the primary for Patience at most,
// even when ctx ends earlier: an outage is noticed though every sender gives up
// first. It returns the duplicates that the store with the events found.
// Errors: hot.ErrFull when the local log takes no more; hot.ErrClosed.
func (s *Spillway) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	patient, cancel := context.WithTimeout(ctx, s.opt.Patience)
	defer cancel()
	for {
		var away error
		if !s.spilling.Load() {
			duplicates, err := s.primary.Append(patient, items)
			if err == nil || errors.Is(err, hot.ErrClosed) {
				return duplicates, err
			}
			away = err
		}
		duplicates, done, err := s.divert(ctx, items, away)
		if done {
			return duplicates, err
		}
	}
}

// divert appends to the local log. Without an error of the primary's own to
// show, it does nothing (done is false) when spilling has ended meanwhile.
func (s *Spillway) divert(ctx context.Context, items []hot.Item, away error) (duplicates []int, done bool, err error) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if away != nil {
		s.begin(away)
	} else if !s.spilling.Load() {
		return nil, false, nil
	}
	bytes := sizeOf(items)
	if !s.backlog.add(len(items), bytes, s.opt.MaxBytes, s.opt.Clock.Now()) {
		return nil, true, s.refuse(fmt.Errorf("%w: %d MiB of events wait for the hot tier", hot.ErrFull, s.opt.MaxBytes>>20))
	}
	duplicates, err = s.local.Append(ctx, items)
	if err != nil {
		s.backlog.drop(len(items), bytes)
		return nil, true, s.refuse(err)
	}
	if len(duplicates) > 0 {
		s.backlog.drop(len(duplicates), sizeOf(pick(items, duplicates)))
	}
	s.metrics.spilled.Add(float64(len(items) - len(duplicates)))
	s.opt.Spilled(len(items) - len(duplicates))
	return duplicates, true, nil
}

// begin makes all appends go to the local log. The caller holds the gate.
func (s *Spillway) begin(away error) {
	if !s.spilling.CompareAndSwap(false, true) {
		return
	}
	s.since = s.opt.Clock.Now()
	s.opt.Logger.Warn("hot tier is away; events go to the spillway until it is back", "error", away)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// refuse logs the first append that an outage refuses; ingest counts them all.
func (s *Spillway) refuse(err error) error {
	err = fmt.Errorf("spill: append: %w", err)
	if !s.refused.Swap(true) {
		events, bytes, oldest := s.Pending()
		s.opt.Logger.Error("spillway refuses events; senders get 503", "error", err, "events", events, "bytes", bytes, "oldest", oldest)
	}
	return err
}

// Seen implements ingest.Log. While spilling, only devices of the local log
// count as seen: whether the primary has one cannot be known.
func (s *Spillway) Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !s.spilling.Load() {
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opt.Patience)
		seen, err := s.primary.Seen(patient, project, asked, now)
		cancel()
		if err == nil || errors.Is(err, hot.ErrClosed) {
			return seen, err
		}
		// From here on nobody waits for the primary.
		s.gate.RLock()
		s.begin(err)
		s.gate.RUnlock()
	}
	return s.local.Seen(ctx, project, asked, now)
}
