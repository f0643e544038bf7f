package duckdb

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// Turns are turns, for tests of what waits for what.
type Turns struct{ turns }

// NewTurns makes n of them.
func NewTurns(n int64) Turns { return Turns{turns{n, semaphore.NewWeighted(n)}} }

// Take is that of turns.
func (t Turns) Take(ctx context.Context, f func() error) error { return t.run(ctx, f) }

// Aside is that of turns.
func (t Turns) Aside(ctx context.Context, f func() error) error { return t.runChange(ctx, f) }
