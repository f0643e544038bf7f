// Package insight answers questions about events. A weir.Question becomes a plan, the plan
// becomes SQL that every cold tier reads, and the rows become an answer.
//
// It has more than 3,500 lines: all kinds of questions share the plan of buckets, filters,
// breakdowns and persons, and the cache and the barrier are wired once for all of them.
package insight

import (
	"context"
	"runtime"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"golang.org/x/sync/semaphore"
)

// Barrier waits until what was acknowledged can be queried. The drain is one.
type Barrier interface {
	// Flush waits until everything acknowledged before the call is in the cold
	// tier, or the wait limit passes; asOf is the time up to which the cold
	// tier is complete.
	Flush(ctx context.Context) (asOf time.Time, err error)
	// AsOf is that time without waiting.
	AsOf() time.Time
}

// Options tune an engine. The zero value is good.
type Options struct {
	MaxPoints int // most points of one series; 0 is 10,000
	Parallel  int // statements of one question that run at once; 0 is the number of CPUs

	MaxTime time.Duration // of one question, with its waiting for memory and for the barrier; 0 is 30 s
	Memory  int64         // bytes of the answers that are being computed; 0 is 64 MiB

	// Raw reads events alone, never the tables of sums over them. Answers are the
	// same, and slower.
	Raw bool

	// Actions are what questions name by id; nil is none.
	Actions Actions

	// Cache stores answers for askers that accept an older one; nil is one of the
	// engine's own.
	Cache fleet.Cache
	// Locks are shared by the nodes that share Cache: one of them computes what several
	// are asked at the same time. Without, each computes for itself.
	Locks fleet.Locks
}

// Engine answers questions. It is safe for concurrent use.
type Engine struct {
	r     cold.Reader
	d     cold.Dialect
	b     Barrier
	clock weir.Clock
	o     Options
	cache cache
	held  held

	exports    chan struct{} // one element for each running export
	statements *statements
}

// New makes an engine over a cold tier. The barrier is passed before every
// question, unless the asker accepts an older answer.
func New(r cold.Reader, b Barrier, clock weir.Clock, o Options) *Engine {
	if o.MaxPoints <= 0 {
		o.MaxPoints = 10_000
	}
	if o.Parallel <= 0 {
		o.Parallel = runtime.GOMAXPROCS(0)
	}
	if o.MaxTime <= 0 {
		o.MaxTime = 30 * time.Second
	}
	if o.Memory <= 0 {
		o.Memory = 64 << 20
	}
	// Exports have their own part: a slow reader of an export delays no question.
	exports := max(1, min(o.Memory/(8*exportBytes), mostExports))
	o.Memory = max(o.Memory-exports*exportBytes, 2*pageBytes)
	if o.Cache == nil {
		o.Cache = local.New(local.Options{Clock: clock}).Cache
	}
	return &Engine{r: r, d: r.Dialect(), b: b, clock: clock, o: o, cache: cache{answers: o.Cache, locks: o.Locks}, held: held{all: o.Memory, sem: semaphore.NewWeighted(o.Memory)}, exports: make(chan struct{}, exports), statements: newStatements(o.Parallel)}
}
