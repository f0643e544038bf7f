//go:build planted

package main

import (
	"context"
	"os"

	"github.com/weir-analytics/weir/internal/hot"
)

// plant puts a bug in, for the torture's test of itself: batches are committed
// before they are written, so that a kill in between loses them.
func plant(s hot.Store) hot.Store { return hasty{s} }

// A start would notice what the bug does, and refuse it; the check is to notice it.
func init() { _ = os.Setenv("WEIR_ACCEPT_MISMATCH", "true") }

type hasty struct{ hot.Store }

func (h hasty) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	return h.Store.Commit(ctx, l, in, nil)
}

func (h hasty) Commit(context.Context, hot.Lease, hot.Intent, []hot.Change) error { return nil }
