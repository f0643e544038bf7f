package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
)

// loadErased reads who was erased. Nobody else writes to the file.
func (s *Store) loadErased() error {
	erased := cold.Erased{}
	rows, err := s.db.Query("SELECT project_id, person, epoch_us(erased_at) FROM erasures")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var m cold.Mark
		var us int64
		if err := rows.Scan(&m.ProjectID, &m.Person, &us); err != nil {
			return err
		}
		m.At = time.UnixMicro(us)
		erased.Add(m)
	}
	s.erased = erased
	return rows.Err()
}

// Erased has all marks.
func (s *Store) Erased(context.Context, time.Time) (cold.Erased, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.erased, nil
}

// note adds marks that are in the table to s.erased, with s.mu held. It makes a new map: callers
// still read the old one.
func (s *Store) note(marks []cold.Mark) {
	if len(marks) > 0 {
		erased := maps.Clone(s.erased)
		erased.Add(marks...)
		s.erased = erased
	}
}

// Mark implements cold.Eraser.
func (s *Store) Mark(ctx context.Context, e cold.Erasure) error {
	if err := e.Check(); err != nil {
		return err
	}
	return s.deletion(ctx, func() error { return s.change(ctx, "mark", e, s.mark) })
}

// Erase does all of it in one transaction, for which writes wait.
func (s *Store) Erase(ctx context.Context, e cold.Erasure) error {
	if err := e.Check(); err != nil {
		return err
	}
	return s.deletion(ctx, func() error { return s.change(ctx, "erase", e, s.erase) })
}

func (s *Store) change(ctx context.Context, what string, e cold.Erasure, do func(context.Context, *sql.Tx, *cold.Erasure) error) error {
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
	err := s.transaction(ctx, &e, do)
	if invalid(err) {
		s.log.Error("the cold tier's file had an error", "path", s.path, "error", err)
		if err := s.reopen(); err != nil {
			return err
		}
		err = s.transaction(ctx, &e, do)
	}
	// What it remembers of sightings and links may be gone. One too many does no harm.
	s.w.sightings, s.w.linked = cold.Sightings{}, cold.Linked{}
	if err != nil {
		return fmt.Errorf("duckdb: %s: %w", what, err)
	}
	s.note(e.Marks())
	return nil
}

func (s *Store) transaction(ctx context.Context, e *cold.Erasure, do func(context.Context, *sql.Tx, *cold.Erasure) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	if err := do(ctx, tx, e); err != nil {
		return err
	}
	return tx.Commit()
}

// anonymize is cold.AnonymousSQL as a statement; a condition follows.
var anonymize = func() string {
	var set []string
	for _, a := range cold.AnonymousSQL(Dialect{}) {
		if a.Value != a.Column {
			set = append(set, a.Column+" = "+a.Value)
		}
	}
	return "UPDATE events SET " + strings.Join(set, ", ") + " WHERE "
}()

func (s *Store) mark(ctx context.Context, tx *sql.Tx, e *cold.Erasure) error {
	for _, m := range e.Marks() {
		_, err := tx.ExecContext(ctx, `INSERT INTO erasures SELECT ?, ?, make_timestamp(?::BIGINT), ? WHERE NOT EXISTS (
SELECT 1 FROM erasures WHERE project_id = ? AND person = ? AND erased_at = make_timestamp(?::BIGINT))`,
			m.ProjectID, m.Person, m.At.UnixMicro(), m.By, m.ProjectID, m.Person, m.At.UnixMicro())
		if err != nil {
			return fmt.Errorf("erasures: %w", err)
		}
	}
	return nil
}

func (s *Store) erase(ctx context.Context, tx *sql.Tx, e *cold.Erasure) error {
	if err := e.Share(ctx, tx.QueryContext, "events", "visits", Dialect{}, nil); err != nil {
		return fmt.Errorf("visits of several: %w", err)
	}
	if err := s.mark(ctx, tx, e); err != nil {
		return err
	}
	do := func(q string, p cold.Part) error {
		if _, err := tx.ExecContext(ctx, q+p.Where, p.Args...); err != nil {
			return fmt.Errorf("%s: %w", p.Table, err)
		}
		return nil
	}
	for _, p := range e.SharedParts(Dialect{}) {
		q := "DELETE FROM " + p.Table + " WHERE "
		if p.Table == "events" {
			q = "UPDATE events SET " + cold.Unshared + " WHERE "
		}
		if err := do(q, p); err != nil {
			return err
		}
	}
	for _, p := range e.Consumed(Dialect{}) {
		if err := do("UPDATE events SET consumer = '' WHERE ", p); err != nil {
			return err
		}
	}
	for _, p := range e.Parts(Dialect{}) {
		q := "DELETE FROM " + p.Table + " WHERE "
		if p.Table == "events" {
			q = anonymize
		}
		if err := do(q, p); err != nil {
			return err
		}
		if p.Table == "sightings" { // of what came since
			if err := do("INSERT INTO sightings SELECT DISTINCT project_id, quarter, person FROM events WHERE ", p); err != nil {
				return err
			}
		}
	}
	for _, p := range e.Relink() {
		p.Where += " GROUP BY " + cold.LinkGroups
		if err := do("INSERT INTO identities SELECT "+cold.LinkColumns+" FROM events WHERE ", p); err != nil {
			return err
		}
	}
	if err := rename(ctx, tx, e); err != nil {
		return fmt.Errorf("aliases in events: %w", err)
	}
	if err := eraseDead(ctx, tx, e); err != nil {
		return fmt.Errorf("dead_letters: %w", err)
	}
	return nil
}

// rename takes the person's ids out of the aliases in events of others.
func rename(ctx context.Context, tx *sql.Tx, e *cold.Erasure) error {
	renamed, err := e.Rename(ctx, tx.QueryContext, "events", "rowid", 1, Dialect{})
	if err != nil {
		return err
	}
	for _, r := range renamed {
		if _, err := tx.ExecContext(ctx, "UPDATE events SET properties = NULLIF(?, '') WHERE rowid = ?", string(r.Properties), r.Place[0]); err != nil {
			return err
		}
	}
	return nil
}

func eraseDead(ctx context.Context, tx *sql.Tx, e *cold.Erasure) error {
	rows, err := tx.QueryContext(ctx, "SELECT rowid, event FROM dead_letters WHERE project_id = ?", e.ProjectID)
	if err != nil {
		return err
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		var event []byte
		if err := rows.Scan(&id, &event); err != nil {
			return err
		}
		if e.Is(event) {
			ids = append(ids, id)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := rows.Close(); err != nil {
		return err
	}
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, "DELETE FROM dead_letters WHERE rowid = ?", id); err != nil {
			return err
		}
	}
	return nil
}
