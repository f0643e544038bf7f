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
	brakeLook = time.Second
	// brakeOver is how many looks the drain's rate is measured over.
	brakeOver = 10
	// brakeShare is how much of the drain's rate is taken while the brake is on: the
	// rest makes the backlog shorter.
	brakeShare = 0.8
	// DefaultBacklog is how many events may wait before senders are slowed down.
	DefaultBacklog = 1_000_000
)

// Brake slows senders down once the drain has fallen far behind: while more than
// its limit of events wait, no more are taken than 80 % of what the drain has moved
// in the last ten seconds. Of several nodes that take events each has the part of it
// that it had of all events lately. While the drain moves nothing, since the cold tier is
// away, nothing is refused: the backlog stands on disk, and its bound is the disk's
// reserve or Redis's memory.
type Brake struct {
	log    hot.Log
	limit  uint64
	logger *slog.Logger

	mu      sync.Mutex
	looks   []look  // the last ones, oldest first
	on      bool    // more than the limit waits, and the drain moves
	rate    float64 // events a second that are taken while it is on
	tokens  float64 // events that may be taken now; a request may take it below 0
	filled  time.Time
	taken   uint64
	refused uint64
}

type look struct {
	at              time.Time // monotonic
	head, committed uint64    // over all shards
	taken           uint64    // by this node
}

// leastShare is of a node that has taken nothing lately, so that it may begin.
const leastShare = 0.05

// NewBrake makes a brake for more than limit waiting events; Run works it.
func NewBrake(log hot.Log, limit uint64, l *slog.Logger) *Brake {
	return &Brake{log: log, limit: limit, logger: l}
}

// Run looks at the log every second until ctx is done, which is no error.
func (b *Brake) Run(ctx context.Context) error {
	t := time.NewTicker(brakeLook)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			b.look(ctx, time.Now())
		case <-ctx.Done():
			return nil
		}
	}
}

// look measures how far the drain is behind and how fast it is. A log that cannot
// be read takes nothing either: the brake stays as it is.
func (b *Brake) look(ctx context.Context, now time.Time) {
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
	if n := len(b.looks); n > 0 && committed < b.looks[n-1].committed {
		b.looks = nil // the log lost its tail
	}
	b.looks = append(b.looks, look{now, head, committed, b.taken})
	if len(b.looks) > brakeOver+1 {
		b.looks = b.looks[1:]
	}
	first := b.looks[0]
	moved := float64(committed-first.committed) / max(now.Sub(first.at).Seconds(), brakeLook.Seconds())
	on := head-committed > b.limit && moved > 0
	share := float64(b.taken-first.taken) / max(1, float64(head-min(head, first.head)))
	b.rate = brakeShare * moved * min(1, max(leastShare, share))
	if on && !b.on {
		b.tokens, b.filled = 0, now
		b.logger.Warn("the drain is far behind; events are taken at 80 % of its rate until it has caught up",
			"waiting", head-committed, "limit", b.limit, "events_per_second", int(b.rate))
	} else if !on && b.on {
		b.logger.Info("events are taken at any rate again", "waiting", head-committed)
	}
	b.on = on
}

// Take says whether that many events may be taken now.
func (b *Brake) Allow(events int) bool { return b.allow(events, time.Now()) }

func (b *Brake) allow(events int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.on {
		b.taken += uint64(events)
		return true
	}
	b.tokens = min(b.rate, b.tokens+b.rate*now.Sub(b.filled).Seconds()) // a second's worth at most
	b.filled = now
	if b.tokens <= 0 {
		b.refused += uint64(events)
		return false
	}
	b.tokens -= float64(events)
	b.taken += uint64(events)
	return true
}

// Refused is how many events were not taken since the start.
func (b *Brake) Refused() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refused
}
