package drain

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

const (
	// brakeLook is how often the brake looks at the log.
	brakeInterval = time.Second
	// brakeOver is how many looks the drain's rate is measured over.
	brakeSamples = 10
	// brakeShare is the part of the drain's rate at which events are accepted while the
	// brake is on. The rest reduces the backlog.
	brakeShare = 0.8
	// DefaultBacklog is how many events may wait before the brake is on.
	DefaultBacklog = 1_000_000
)

// Brake refuses events when the drain is far behind. While more events wait than its
// limit, all nodes together accept 80 % of the drain's rate over the last ten seconds. A
// node's share is its share of recent events.
//
// While the drain does not move (the cold tier is unavailable) the brake is off. Then the
// backlog is bounded by the disk's reserve or by Redis's memory.
type Brake struct {
	log    hot.Log
	limit  uint64
	logger *slog.Logger

	mu       sync.Mutex
	samples  []sample // the last ones, oldest first
	on       bool     // more than the limit waits, and the drain moves
	rate     float64  // events a second that are taken while it is on
	tokens   float64  // events that may be taken now; a request may take it below 0
	filled   time.Time
	accepted uint64
	refused  uint64
}

type sample struct {
	at              time.Time // monotonic
	head, committed uint64    // over all shards
	accepted        uint64    // by this node
}

// leastShare is the share of a node that accepted nothing recently, so that it can start.
const leastShare = 0.05

// NewBrake makes a brake that goes on above limit waiting events. Call Run.
func NewBrake(log hot.Log, limit uint64, l *slog.Logger) *Brake {
	return &Brake{log: log, limit: limit, logger: l}
}

// Run measures every second until ctx is done. It always returns nil.
func (b *Brake) Run(ctx context.Context) error {
	t := time.NewTicker(brakeInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			b.measure(ctx, time.Now())
		case <-ctx.Done():
			return nil
		}
	}
}

// measure reads the backlog and the drain's rate, and sets the brake. If the log cannot
// be read, the brake stays as it is: then no events are accepted anyway.
func (b *Brake) measure(ctx context.Context, now time.Time) {
	var head, committed uint64
	for shard := range b.log.Shards() {
		p, err := b.log.Progress(ctx, shard)
		if err != nil {
			return
		}
		head, committed = head+max(p.Head, p.Committed), committed+p.Committed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.samples); n > 0 && committed < b.samples[n-1].committed {
		b.samples = nil // the log lost its tail
	}
	b.samples = append(b.samples, sample{now, head, committed, b.accepted})
	if len(b.samples) > brakeSamples+1 {
		b.samples = b.samples[1:]
	}
	first := b.samples[0]
	moved := float64(committed-first.committed) / max(now.Sub(first.at).Seconds(), brakeInterval.Seconds())
	on := head-committed > b.limit && moved > 0
	share := float64(b.accepted-first.accepted) / max(1, float64(head-min(head, first.head)))
	b.rate = brakeShare * moved * min(1, max(leastShare, share))
	if on && !b.on {
		b.tokens, b.filled = 0, now
		b.logger.Warn("the drain is far behind: accepting events at 80 % of its rate until it has caught up",
			"waiting", head-committed, "limit", b.limit, "events_per_second", int(b.rate))
	} else if !on && b.on {
		b.logger.Info("the drain has caught up: accepting events at any rate again", "waiting", head-committed)
	}
	b.on = on
}

// Allow reports whether so many events may be accepted now.
func (b *Brake) Allow(events int) bool { return b.allow(events, time.Now()) }

func (b *Brake) allow(events int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.on {
		b.accepted += uint64(events)
		return true
	}
	b.tokens = min(b.rate, b.tokens+b.rate*now.Sub(b.filled).Seconds()) // a second's worth at most
	b.filled = now
	if b.tokens <= 0 {
		b.refused += uint64(events)
		return false
	}
	b.tokens -= float64(events)
	b.accepted += uint64(events)
	return true
}

// Refused returns how many events were refused since the start.
func (b *Brake) Refused() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}
