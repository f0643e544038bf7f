package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/weir-analytics/weir/internal/cold"
)

// Forget deletes in one transaction, for which writes wait. ctx is looked at before
// it, as in Write.
func (s *Store) Forget(ctx context.Context, projectID string, before time.Time) error {
	quarter, err := cold.ForgetTo(before)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("duckdb: forget: %w", err)
	}
	if s.closed {
		return ErrClosed
	}
	if s.w == nil {
		if err := s.reopen(); err != nil {
			return err
		}
	}
	err = s.w.forgetProject(projectID, before, quarter)
	if invalid(err) {
		s.log.Error("the cold tier's file had an error", "path", s.path, "error", err)
		if err := s.reopen(); err != nil {
			return err
		}
		err = s.w.forgetProject(projectID, before, quarter)
	}
	if err != nil {
		return fmt.Errorf("duckdb: forget: %w", err)
	}
	return nil
}

// forgetProject deletes what Forget does, in a transaction of its own.
func (w *writer) forgetProject(projectID string, before time.Time, quarter int32) error {
	err := w.transaction(func() error {
		for _, d := range []struct {
			table, column string
			end           int64
		}{
			{"events", "ts", before.UnixMicro()},
			{"sightings", "quarter", int64(quarter)},
			{"tallies", "quarter", int64(quarter)},
			{"visits", "start_at", before.UnixMicro()},
			{"dead_letters", "refused_at", before.UnixMicro()},
		} {
			end := "?"
			if d.column != "quarter" {
				end = "make_timestamp(?)"
			}
			if err := w.delete("DELETE FROM "+d.table+" WHERE project_id = ? AND "+d.column+" < "+end, projectID, d.end); err != nil {
				return fmt.Errorf("%s: %w", d.table, err)
			}
		}
		return nil
	})
	// Sightings that it remembers may be gone. One too many does no harm.
	w.sightings = cold.Sightings{}
	return err
}

// delete runs a statement with a text and a number bound to it.
func (w *writer) delete(q, text string, n int64) error {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.Prepare(w.conn, q, &stmt) == mapping.StateError {
		return errors.New(mapping.PrepareError(stmt))
	}
	if mapping.BindVarchar(stmt, 1, strings.ToValidUTF8(text, "\uFFFD")) == mapping.StateError || mapping.BindInt64(stmt, 2, n) == mapping.StateError {
		return errors.New("not bound")
	}
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.ExecutePrepared(stmt, &res) == mapping.StateError {
		return errors.New(mapping.ResultError(&res))
	}
	return nil
}
