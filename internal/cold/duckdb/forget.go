package duckdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weir-analytics/weir/internal/cold"
)

// Forget deletes in one transaction, for which writes wait.
func (s *Store) Forget(ctx context.Context, deletions ...cold.Deletion) error {
	deletions = slices.Clone(deletions)
	for i := range deletions {
		deletions[i].ProjectID = strings.ToValidUTF8(deletions[i].ProjectID, "\uFFFD")
	}
	parts, err := cold.DeletionParts(deletions, Dialect{}.Time("?"))
	if err != nil || len(parts) == 0 {
		return err
	}
	return s.deletion(ctx, func() error { return s.forgetNow(ctx, parts) })
}

func (s *Store) forgetNow(ctx context.Context, parts []cold.Part) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.w == nil {
		if err := s.reopen(); err != nil {
			return err
		}
	}
	err := s.forget(ctx, parts)
	if invalid(err) {
		s.log.Error("the cold tier's file had an error", "path", s.path, "error", err)
		if err := s.reopen(); err != nil {
			return err
		}
		err = s.forget(ctx, parts)
	}
	// Sightings that it remembers may be gone. One too many does no harm.
	s.w.sightings = cold.Sightings{}
	if err != nil {
		return fmt.Errorf("duckdb: forget: %w", err)
	}
	return nil
}

func (s *Store) forget(ctx context.Context, parts []cold.Part) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	for _, p := range parts {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+p.Table+" WHERE "+p.Where, p.Args...); err != nil {
			return fmt.Errorf("%s: %w", p.Table, err)
		}
	}
	return tx.Commit()
}
