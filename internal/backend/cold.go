package backend

import (
	"context"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// Cold is a cold tier that is not open yet. Its fields say what it is like. The zero
// value is like an embedded one, and cannot be opened.
type Cold struct {
	File   string // on this machine; "" for a server
	Shared bool   // it is a server: several processes can use it, and it may be unavailable
	Lags   bool   // a query may be answered by a replica that lacks the last writes
	// BatchesKept is how long the cold tier certainly stores the tokens of batches; 0 is
	// for ever those of the last batch of each shard.
	BatchesKept time.Duration

	address string // equal for two that are the same; "" unless Shared
	open    func(ctx context.Context, o ColdOptions) (*ColdTier, error)
}

// ColdOptions are what all backends together need. Each uses its own of them.
type ColdOptions struct {
	Wait    time.Duration // for a server that is unavailable
	Memory  int64         // bytes for an embedded one; 0 is the engine's own limit
	Patient bool          // a query of a server may last an hour, unless the URL limits it
	Logger  *slog.Logger
}

// ErrBusy is the error of a file that another process has open.
var ErrBusy = duckdb.ErrBusy

// Open opens the cold tier and brings its tables up to date. Errors: ErrBusy,
// cold.ErrNewer, and those of a wrong configuration.
func (c Cold) Open(ctx context.Context, o ColdOptions) (*ColdTier, error) { return c.open(ctx, o) }

// ColdTier is an open cold tier. The caller closes Store.
type ColdTier struct {
	Store cold.Store
	// Memory returns bytes in use under the memory limit, and bytes that did not fit and
	// are on disk; nil for a server.
	Memory func(ctx context.Context) (used, spilled int64, err error)
	// Trim gives back memory while the process idles; nil for a server.
	Trim func(ctx context.Context) error
}

// Same says whether two URLs name one cold tier.
func (c Cold) Same(other Cold) bool {
	if c.Shared || other.Shared {
		return c.address == other.address
	}
	return sameFile(c.File, other.File)
}
