// Package insight answers questions about events: a weir.Query becomes SQL that
// every cold tier reads, and its rows become an answer.
package insight

import (
	"context"
	"crypto/rand"
	"fmt"
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

	MaxTime time.Duration // that one question may take, waiting for its turn and for the barrier included; 0 is 30 s
	Memory  int64         // bytes of the answers that are being found out; 0 is 64 MiB

	// Raw answers from events alone, never from what was added up of them: slower,
	// and the same.
	Raw bool

	// Cache keeps answers for askers that accept an older one; nil is one of the
	// engine's own.
	Cache fleet.Cache
	// Locks are of the nodes that share Cache, so that one of them finds out what
	// several are asked at the same time; nil is each for itself.
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

	exports chan struct{} // one for each that goes on
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
	// Exports have their own part, so that who reads one slowly holds up no question.
	exports := max(1, min(o.Memory/(8*exportBytes), mostExports))
	o.Memory = max(o.Memory-exports*exportBytes, 2*pageBytes)
	if o.Cache == nil {
		o.Cache = local.New(local.Options{Clock: clock}).Cache
	}
	return &Engine{r: r, d: r.Dialect(), b: b, clock: clock, o: o, cache: cache{answers: o.Cache, locks: o.Locks, owner: rand.Text()}, held: held{all: o.Memory, sem: semaphore.NewWeighted(o.Memory)}, exports: make(chan struct{}, exports)}
}

// Meta stands at the end of every answer.
type Meta struct {
	AsOf      time.Time `json:"as_of" doc:"up to when the answer is complete"`
	Cached    bool      `json:"cached"`
	ElapsedMS int64     `json:"elapsed_ms"`
}

// begin passes the barrier: with a freshness, only when the cold tier is
// further behind than that. The answer's Meta is complete when done is called.
func (e *Engine) begin(ctx context.Context, p *weir.Project, freshness time.Duration) (done func() Meta, err error) {
	start := e.clock.Now()
	asOf := e.b.AsOf()
	if freshness <= 0 || asOf.IsZero() || start.Sub(asOf) > freshness {
		if asOf, err = e.b.Flush(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("insight: barrier: %w", err)
		}
	}
	return func() Meta {
		return Meta{
			AsOf:      asOf.In(p.Location()),
			ElapsedMS: e.clock.Now().Sub(start).Milliseconds(),
		}
	}, nil
}

// each runs a statement and calls scan for every row. Error: EUNAVAILABLE when it
// takes longer than a statement may.
func (e *Engine) each(ctx context.Context, f fragment, scan func(scan func(...any) error) error) error {
	limited, cancel := context.WithTimeout(ctx, e.o.MaxTime)
	defer cancel()
	err := e.rowsOf(limited, f, scan)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case limited.Err() != nil:
		return errTooLong
	}
	return err
}

func (e *Engine) rowsOf(ctx context.Context, f fragment, scan func(scan func(...any) error) error) error {
	rows, err := e.r.Query(ctx, f.sql, f.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// window is the rows of a project's table between two times in microseconds;
// column is the table's timestamp.
func (e *Engine) window(p *weir.Project, column string, from, to int64) fragment {
	return sql("project_id = @ AND "+column+" >= @ AND "+column+" < @", bind(p.ID), e.at(from), e.at(to))
}

// at is a time to compare a timestamp with. Beyond what rows may have, the ends of
// that do as well, and all engines have them.
func (e *Engine) at(us int64) fragment {
	return call(e.d.Time, bind(min(max(us, cold.Earliest.UnixMicro()), cold.Latest.UnixMicro())))
}
