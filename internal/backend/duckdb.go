package backend

import (
	"context"
	"os"

	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// duckdbCold returns an embedded cold tier.
func duckdbCold(_, file string) (Cold, error) {
	return Cold{File: file, open: func(_ context.Context, o ColdOptions) (*ColdTier, error) {
		s, err := duckdb.Open(file, duckdb.Options{Memory: o.Memory, Logger: o.Logger})
		if err != nil {
			return nil, err
		}
		return &ColdTier{Store: s, Trim: s.Trim, Memory: func(ctx context.Context) (used, spilled int64, err error) {
			u, err := s.Usage(ctx)
			return u.Memory, u.Spilled, err
		}}, nil
	}}, nil
}

func sameFile(a, b string) bool {
	x, err1 := os.Stat(a)
	y, err2 := os.Stat(b)
	return err1 == nil && err2 == nil && os.SameFile(x, y)
}

// BoundMalloc bounds what the C library holds back; tight is for a process with little
// memory. It is called once, before any store is opened.
func BoundMalloc(tight bool) { duckdb.BoundMalloc(tight) }

// TrimMalloc returns to the system what the C library holds back.
func TrimMalloc() { duckdb.TrimMalloc() }
