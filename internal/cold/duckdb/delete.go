package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Add stores the rows in one transaction.
func (s *Store) Add(ctx context.Context, _ string, rows cold.Additions) error {
	return s.alter(ctx, "add", func() error {
		return s.w.transaction(func() error {
			if err := appendRows(s.w, deletions, rows.Steps); err != nil {
				return err
			}
			if err := appendRows(s.w, deleted, rows.Deleted); err != nil {
				return err
			}
			return appendRows(s.w, sightings, rows.Sightings)
		})
	})
}

// DeleteEvents deletes all of the deletion's events in the quarters of the chunk, and subtracts
// them in the same transaction.
func (s *Store) DeleteEvents(ctx context.Context, c cold.DeletedChunk) error {
	from, to := c.Span()
	of := " FROM events WHERE project_id = ? AND quarter >= ? AND quarter <= ? AND (shard, seq, id) IN (SELECT shard, seq, id FROM deleted_events" +
		" WHERE project_id = ? AND deletion_id = ? AND quarter >= ? AND quarter <= ?)"
	args := []any{c.ProjectID, from, to, c.ProjectID, c.DeletionID, from, to}
	return s.alterBySQL(ctx, "delete events", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, "INSERT INTO tallies SELECT project_id, quarter, name, method, route, status, -COUNT(*)"+of+" GROUP BY project_id, quarter, name, method, route, status", args...); err != nil {
			return fmt.Errorf("tallies: %w", err)
		}
		if _, err := tx.ExecContext(ctx, "DELETE"+of, args...); err != nil {
			return fmt.Errorf("events: %w", err)
		}
		return nil
	})
}

// DeleteRows deletes in one transaction.
func (s *Store) DeleteRows(ctx context.Context, parts ...cold.Part) error {
	if len(parts) == 0 {
		return nil
	}
	return s.alterBySQL(ctx, "delete rows", func(tx *sql.Tx) error {
		for _, p := range parts {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+p.Table+" WHERE "+p.Where, p.Args...); err != nil {
				return fmt.Errorf("%s: %w", p.Table, err)
			}
		}
		return nil
	})
}

// refold is a statement that sets cold.FoldedColumns of an event.
var refold = func() string {
	var set []string
	for _, c := range cold.FoldedColumns {
		set = append(set, c.Name+" = ?")
	}
	return "UPDATE events SET " + strings.Join(set, ", ") + " WHERE project_id = ? AND quarter = ? AND shard = ? AND seq = ? AND id = ?"
}()

// Refold changes the rows in one transaction.
func (s *Store) Refold(ctx context.Context, rows []weir.EventRow) error {
	return s.alterBySQL(ctx, "refold", func(tx *sql.Tx) error {
		for i := range rows {
			r := &rows[i]
			var args []any
			for _, c := range cold.FoldedColumns {
				switch f := c.Value.(type) {
				case func(*weir.EventRow) *string:
					args = append(args, *f(r))
				case func(*weir.EventRow) *int64:
					args = append(args, *f(r))
				case func(*weir.EventRow) *weir.Number:
					args = append(args, sql.NullFloat64{Float64: f(r).Value, Valid: f(r).Known})
				}
			}
			args = append(args, r.ProjectID, weir.Quarter(r.Time), r.Shard, r.Seq, r.ID)
			if _, err := tx.ExecContext(ctx, refold, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) alterBySQL(ctx context.Context, what string, do func(*sql.Tx) error) error {
	return s.alter(ctx, what, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // does nothing after a commit
		if err := do(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// alter runs a transaction, for which writes wait. It drops what the writer remembers of
// sightings and links, since they may be deleted.
func (s *Store) alter(ctx context.Context, what string, do func() error) error {
	return s.deletion(ctx, func() error {
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
		err := do()
		if invalid(err) {
			s.log.Error("the cold tier's file had an error", "path", s.path, "error", err)
			if err := s.reopen(); err != nil {
				return err
			}
			err = do()
		}
		s.w.sightings, s.w.linked = cold.Sightings{}, cold.Linked{}
		if err != nil {
			return fmt.Errorf("duckdb: %s: %w", what, err)
		}
		return nil
	})
}
