package backend

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/memory"
)

// Hot is a hot tier that is not open yet. Its fields say what it is like. The zero
// value is like an embedded one, and cannot be opened.
type Hot struct {
	Folder   string // of its files on this machine; "" for a server
	Shared   bool   // it is a server: other nodes can use it too, and it may be unavailable
	Replicas bool   // an append can wait for replicas
	Renew    string // what an operator does to begin with a new log, and what that loses

	open func(ctx context.Context, o HotOptions) (*HotTier, error)
}

// HotOptions are what all backends together need. Each uses its own of them.
type HotOptions struct {
	Shards   int           // of a new hot tier
	Window   time.Duration // in which a new one recognizes event ids
	MinFree  uint64        // bytes of free disk that an append needs
	Memory   memory.Parts  // of this process
	Clock    weir.Clock
	Logger   *slog.Logger
	Insecure bool // a server without a password is accepted on any address

	AckReplica bool // an append waits for replicas
}

// Open opens the hot tier. If that is a server that is unavailable, Open waits for it
// until ctx is done. Errors: hot.ErrBusy, and those of a wrong configuration.
func (h Hot) Open(ctx context.Context, o HotOptions) (*HotTier, error) { return h.open(ctx, o) }

// HotTier is an open hot tier, with what belongs to it. The caller closes Store, then
// calls Close.
type HotTier struct {
	Store hot.Store
	// Memory returns bytes in use by part of the memory budget; nil for a server.
	Memory func() map[string]int64
	// Trim gives back memory while the process idles; nil for a server.
	Trim func(ctx context.Context) error
	// Fleet is nil unless the hot tier is shared.
	Fleet *Fleet
	// Status returns its state; at most 5 s old.
	Status func() HotStatus
	// Collector has its metrics; nil is none.
	Collector prometheus.Collector
	// Close closes the connections.
	Close func() error
}

// Fleet is what the nodes that share a hot tier share besides the events.
type Fleet struct {
	Limiter fleet.Limiter
	Locks   fleet.Locks
	Roster  fleet.Roster
	Bus     fleet.Bus
	// Bind stores the id of the nodes' meta store, unless another is stored and replace
	// is false. It returns the id that was stored before.
	Bind func(ctx context.Context, meta string, replace bool) (before string, err error)
}

// HotStatus is the state of a hot tier.
type HotStatus struct {
	Shown         any      // for JSON: an object with "kind", without secrets
	Waiting       *uint64  // events in its log; nil when the hot tier itself does not say
	OldestSeconds *float64 // age of the oldest of them; nil likewise
}

// kindStatus is the hot tier in the status.
type kindStatus struct {
	Kind string `json:"kind"` // pebble or redis
}
