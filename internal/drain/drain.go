// Package drain moves events from the hot tier to the cold tier, exactly once.
// See DESIGN.md beside it.
package drain

import (
	"context"
	"log/slog"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
)

// Options of a drain; zero values are the defaults.
type Options struct {
	Owner       string        // names this node in leases and in the roster
	ReadOnly    bool          // follow what other nodes drain, and drain nothing
	MaxBatch    int           // events that close a batch; 10,000
	MaxAge      time.Duration // and the age that does; 1 s
	Poll        time.Duration // how often a shard's head is looked at; 100 ms
	LeaseTTL    time.Duration // how long a node that is gone holds its shards; 8 s
	BarrierWait time.Duration // how long Flush waits at most; 2 s
	Backoff     time.Duration // first pause after a failed write, doubled up to 64 times; 100 ms
	SweepEvery  time.Duration // how often idle visits are looked for; 1 min
	Clock       weir.Clock
	Logger      *slog.Logger
	// Roster and Bus are of the nodes that share the log. Without them this node
	// is alone.
	Roster fleet.Roster
	Bus    fleet.Bus
	// Committed is told of each committed batch, from the shard's goroutine.
	Committed func(Commit)
	// Failed is told of each failed step; the shard goes on by itself.
	Failed func(shard int, err error)
}

// Commit is a batch that is in the cold tier.
type Commit struct {
	Shard  int
	Rows   []weir.EventRow // not to be changed or kept
	Dead   int             // events that went to dead letters
	Took   time.Duration   // from reading the log to the commit
	Behind uint64          // events left in the shard's log
}

func (o *Options) defaults() {
	def(&o.MaxBatch, 10_000)
	def(&o.MaxAge, time.Second)
	def(&o.Poll, 100*time.Millisecond)
	def(&o.LeaseTTL, 8*time.Second)
	def(&o.BarrierWait, 2*time.Second)
	def(&o.Backoff, 100*time.Millisecond)
	def(&o.SweepEvery, time.Minute)
	def(&o.Owner, "weir")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Committed == nil {
		o.Committed = func(Commit) {}
	}
	if o.Failed == nil {
		o.Failed = func(int, error) {}
	}
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Drain drains the shards of a log, all of them or, with other nodes beside it,
// its part of them. Its methods are safe for concurrent use.
type Drain struct {
	log    hot.Log
	cold   cold.Writer
	opt    Options
	shards []*shard
	look   chan struct{} // makes follow look now
}

// New makes a drain; Run starts it.
func New(log hot.Log, w cold.Writer, o Options) *Drain {
	o.defaults()
	d := &Drain{log: log, cold: w, opt: o, look: make(chan struct{}, 1)}
	for i := range log.Shards() {
		d.shards = append(d.shards, newShard(d, i))
	}
	return d
}

// Run drains until ctx is done. It always returns ctx's error: whatever else
// goes wrong is told to Failed and tried again.
func (d *Drain) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	if d.opt.Bus != nil {
		wg.Go(func() { d.listen(ctx) })
		wg.Go(func() { d.follow(ctx) })
	}
	if !d.opt.ReadOnly {
		d.attend(ctx)
		if d.opt.Roster != nil {
			wg.Go(func() { d.attendUntil(ctx) })
		}
		for _, s := range d.shards {
			wg.Go(func() { s.run(ctx) })
		}
	}
	wg.Wait()
	return ctx.Err()
}

// Flush waits until each event acknowledged before the call is in the cold
// tier, at most BarrierWait. asOf is the time up to which the cold tier is
// complete: the time of the call, or earlier when the wait was too short or the
// log is away. Concurrent flushes share the batches that they wait for.
func (d *Drain) Flush(ctx context.Context) (asOf time.Time, err error) {
	asked := d.opt.Clock.Now()
	wait, cancel := context.WithTimeout(ctx, d.opt.BarrierWait)
	defer cancel()
	var waits []<-chan struct{}
	for _, s := range d.shards {
		head, err := d.log.Head(wait, s.n)
		if err != nil {
			if asOf = d.AsOf(); ctx.Err() == nil && !asOf.IsZero() {
				d.opt.Failed(s.n, err)
				return asOf, nil
			}
			return time.Time{}, err
		}
		if w := s.progress.wait(head); w != nil {
			waits = append(waits, w)
			s.want(wait, head)
		}
	}
	for _, w := range waits {
		select {
		case <-w:
		case <-wait.Done():
			if ctx.Err() != nil {
				return time.Time{}, ctx.Err()
			}
			return d.upTo(ctx, asked), nil
		}
	}
	return asked, nil
}

// upTo is the time up to which the cold tier is complete when a wait was too short:
// the least at which an event came that is not in it yet. A node that follows others
// under load may never have seen a shard without such.
func (d *Drain) upTo(ctx context.Context, asked time.Time) time.Time {
	ctx, cancel := context.WithTimeout(ctx, d.opt.BarrierWait)
	defer cancel()
	asOf := asked
	for _, s := range d.shards {
		t := asked
		switch records, err := d.log.Read(ctx, s.n, s.progress.at(), 1); {
		case err != nil:
			t = s.progress.completeAt()
		case len(records) > 0:
			t = records[0].Event.ReceivedAt
			if c := s.progress.completeAt(); c.After(t) {
				t = c
			}
		}
		if t.Before(asOf) {
			asOf = t
		}
	}
	return asOf
}

// AsOf is the time up to which the cold tier is complete, without waiting.
func (d *Drain) AsOf() time.Time {
	var least time.Time
	for i, s := range d.shards {
		if t := s.progress.completeAt(); i == 0 || t.Before(least) {
			least = t
		}
	}
	return least
}

// Behind is the number of events in the log that are not in the cold tier.
func (d *Drain) Behind(ctx context.Context) (uint64, error) {
	var n uint64
	for i, s := range d.shards {
		head, err := d.log.Head(ctx, i)
		if err != nil {
			return 0, err
		}
		if c := s.progress.at(); head > c {
			n += head - c
		}
	}
	return n, nil
}
