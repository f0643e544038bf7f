// Package drain moves events from the hot tier to the cold tier, exactly once.
// See DESIGN.md beside it.
package drain

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/outage"
)

// Options of a drain; zero values are the defaults.
type Options struct {
	Owner       string        // names this node in leases and in the roster
	ReadOnly    bool          // follow what other nodes drain, and drain nothing
	MaxBatch    int           // events that close a batch; 10,000, or 32,768 for a cold.Holder
	Memory      int64         // bytes that all batches under way may take, about; 128 MiB
	StateBytes  int64         // bytes of open visits that are kept in memory, over all shards; 64 MiB
	OpenBytes   int64         // bytes of open visits that a project may have in the hot tier; 256 MiB
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
	// Committed is called after each committed batch, in the shard's goroutine.
	Committed func(Commit)
	// Failed is called after each failed step; the shard retries by itself.
	Failed func(shard int, err error)
}

// Commit is a batch that is in the cold tier.
type Commit struct {
	Shard   int
	Rows    []weir.EventRow // not to be changed or kept
	Dead    int             // events that went to dead letters
	Outside int             // events that are in no visit, since their project has too many open
	Took    time.Duration   // from reading the log to the commit
	Behind  uint64          // events left in the shard's log
}

func (o *Options) defaults() {
	o.Memory = cmp.Or(o.Memory, 128<<20)
	o.StateBytes = cmp.Or(o.StateBytes, 64<<20)
	o.OpenBytes = cmp.Or(o.OpenBytes, 256<<20)
	o.MaxAge = cmp.Or(o.MaxAge, time.Second)
	o.Poll = cmp.Or(o.Poll, 100*time.Millisecond)
	o.LeaseTTL = cmp.Or(o.LeaseTTL, 8*time.Second)
	o.BarrierWait = cmp.Or(o.BarrierWait, 2*time.Second)
	o.Backoff = cmp.Or(o.Backoff, 100*time.Millisecond)
	o.SweepEvery = cmp.Or(o.SweepEvery, time.Minute)
	o.Owner = cmp.Or(o.Owner, "weir")
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

// Drain drains the shards of a log, all of them or, with other nodes beside it,
// its part of them. Its methods are safe for concurrent use.
type Drain struct {
	log          hot.Log
	cold         cold.Writer
	opt          Options
	shards       []*shard
	slots        chan struct{} // holds one for each batch under way
	followNow    chan struct{} // makes follow look now
	clock        clockWatch
	coldOutage   *outage.Log // the cold tier
	shardOutage  *outage.Log // shards that start over
	rosterOutage *outage.Log // the roster
}

// Bounds of batches. One is written while others are read and folded.
//
// A cold.Holder, which is DuckDB, writes one batch at a time, and an event of a batch of 32,768 takes
// it 0.85 of the time of one in a batch of 10,000. So its batches are larger when so much waits, and
// fewer of them share the memory.
const (
	maxBatches       = 4
	maxBatchesHolder = 2
	maxEvents        = 10_000
	maxEventsHolder  = 32_768
)

// Half of a batch's memory is for the fixed size of its events (1.5 KB each, with the
// rows), half for their texts, which are in memory about twice: as read and as written.
const (
	perEvent = 2 * 1500
	perByte  = 2 * 2
)

// batchLimit returns the largest size of a batch.
func (d *Drain) batchLimit() hot.Limit {
	each := int(d.opt.Memory) / cap(d.slots)
	return hot.Limit{Events: min(d.opt.MaxBatch, max(1, each/perEvent)), Bytes: max(1, each/perByte)}
}

// New makes a drain; Run starts it.
func New(log hot.Log, w cold.Writer, o Options) *Drain {
	o.defaults()
	batches, events := maxBatches, maxEvents
	if _, ok := w.(cold.Holder); ok {
		batches, events = maxBatchesHolder, maxEventsHolder
	}
	o.MaxBatch = cmp.Or(o.MaxBatch, events)
	d := &Drain{log: log, cold: w, opt: o, followNow: make(chan struct{}, 1)}
	d.coldOutage = outage.New(o.Logger, nil, "drain: writing a batch to the cold tier failed, retrying", "drain: the cold tier accepts batches again")
	d.shardOutage = outage.New(o.Logger, nil, "drain: shard failed, starting over", "drain: all shards work again")
	d.rosterOutage = outage.New(o.Logger, nil, "drain: reading the roster of nodes failed, shards stay assigned as they are", "drain: the roster of nodes can be read again")
	d.slots = make(chan struct{}, min(log.Shards(), batches))
	for i := range log.Shards() {
		d.shards = append(d.shards, newShard(d, i))
	}
	return d
}

// Run drains until ctx is done. It always returns ctx's error. All other errors go to
// Options.Failed and are retried.
func (d *Drain) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	if d.opt.Bus != nil {
		wg.Go(func() { d.listen(ctx) })
		wg.Go(func() { d.follow(ctx) })
	}
	if !d.opt.ReadOnly {
		d.joinRoster(ctx)
		if d.opt.Roster != nil {
			wg.Go(func() { d.keepInRoster(ctx) })
		}
		for _, s := range d.shards {
			wg.Go(func() { s.run(ctx) })
		}
	}
	wg.Wait()
	return ctx.Err()
}

// CachedStateBytes returns the size of the open visits cached in memory.
func (d *Drain) CachedStateBytes() (bytes int64) {
	for _, s := range d.shards {
		bytes += s.states.cache.bytes.Load()
	}
	return bytes
}

// Behind returns the number of events in the log that are not in the cold tier.
func (d *Drain) Behind(ctx context.Context) (uint64, error) {
	var n uint64
	for shard := range d.shards {
		p, err := d.log.Progress(ctx, shard)
		if err != nil {
			return 0, err
		}
		n += p.Head - p.Committed
	}
	return n, nil
}
