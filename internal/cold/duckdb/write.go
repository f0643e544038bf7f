package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/weir-analytics/weir/internal/cold"
)

// walLimit is the size of the log of recent writes at which DuckDB merges it
// into the file. Merging is work beside the writes, reading it back is work at
// the start: see DESIGN.md for the measurement.
const walLimit = "256MB"

// Write makes the batch durable: when it returns, the commit is on disk. ctx is
// looked at before the transaction, which is not broken off once begun.
func (s *Store) Write(ctx context.Context, b *cold.Batch) (written bool, err error) {
	if err := validate(b.Events); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.w == nil {
		return false, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("duckdb: write: %w", err)
	}
	var one int
	err = s.db.QueryRowContext(ctx, "SELECT 1 FROM batches WHERE token = ?", b.Token).Scan(&one)
	if err == nil {
		return false, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("duckdb: write: look up the token: %w", err)
	}
	if err := s.w.transaction(func() error { return s.w.batch(b) }); err != nil {
		return false, fmt.Errorf("duckdb: write: %w", err)
	}
	return true, nil
}

// batch appends all rows and the token.
func (w *writer) batch(b *cold.Batch) error {
	for _, f := range []func() error{
		func() error { return appendRows(w, "events", b.Events, putEvent) },
		func() error { return appendRows(w, "visits", b.Visits, putVisit) },
		func() error { return appendRows(w, "identities", b.Links, putLink) },
		func() error { return appendRows(w, "dead_letters", b.Dead, putDead) },
		func() error { return appendRows(w, "batches", []cold.Batch{*b}, putToken) },
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}
