package duckdb

import (
	"context"
	"database/sql"
	"fmt"
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

// Erase does all of it in one transaction, for which writes wait.
func (s *Store) Erase(ctx context.Context, e cold.Erasure) error {
	if err := e.Check(); err != nil {
		return err
	}
	return s.turns.aside(ctx, func() error { return s.eraseNow(ctx, e) })
}

func (s *Store) eraseNow(ctx context.Context, e cold.Erasure) error {
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
	err := s.erase(ctx, e)
	if invalid(err) {
		s.log.Error("the cold tier's file had an error", "path", s.path, "error", err)
		if err := s.reopen(); err != nil {
			return err
		}
		err = s.erase(ctx, e)
	}
	// Sightings that it remembers may be gone. One too many does no harm.
	s.w.sightings = cold.Sightings{}
	if err != nil {
		return fmt.Errorf("duckdb: erase: %w", err)
	}
	s.erased.Add(e.Marks()...)
	return nil
}

// efface is what cold.Anonymous does.
var efface = `UPDATE events SET id = ` + cold.ErasedIDOf(Dialect{}) + `, ts = date_trunc('minute', ts), received_at = date_trunc('minute', received_at),
profile_id = '', device_id = '', session_id = '', person = '', path = '', origin = '', title = '', referrer = '', channel = '',
utm_source = '', utm_medium = '', utm_campaign = '', utm_term = '', utm_content = '', country = '', region = '', city = '',
browser = '', browser_version = '', os = '', os_version = '', device_type = '', language = '', library = '',
consumer = CASE WHEN consumer IS NOT NULL THEN '' END, revenue = NULL, currency = '', properties = NULL,
inherited_from = '', closes_event_id = '', closes_path = '', closes_ms = 0 WHERE `

const eraseMoment = "make_timestamp(?::BIGINT)"

func (s *Store) erase(ctx context.Context, e cold.Erasure) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit
	for _, m := range e.Marks() {
		_, err := tx.ExecContext(ctx, `INSERT INTO erasures SELECT ?, ?, make_timestamp(?::BIGINT), ? WHERE NOT EXISTS (
SELECT 1 FROM erasures WHERE project_id = ? AND person = ? AND erased_at = make_timestamp(?::BIGINT))`,
			m.ProjectID, m.Person, m.At.UnixMicro(), m.By, m.ProjectID, m.Person, m.At.UnixMicro())
		if err != nil {
			return fmt.Errorf("erasures: %w", err)
		}
	}
	for _, p := range e.Parts(eraseMoment) {
		q := "DELETE FROM " + p.Table + " WHERE "
		if p.Table == "events" {
			q = efface
		}
		if _, err := tx.ExecContext(ctx, q+p.Where, p.Args...); err != nil {
			return fmt.Errorf("%s: %w", p.Table, err)
		}
		if p.Table == "sightings" { // of what came since
			if _, err := tx.ExecContext(ctx, "INSERT INTO sightings SELECT DISTINCT project_id, quarter, person FROM events WHERE "+p.Where, p.Args...); err != nil {
				return fmt.Errorf("sightings: %w", err)
			}
		}
	}
	if err := eraseDead(ctx, tx, e); err != nil {
		return fmt.Errorf("dead_letters: %w", err)
	}
	return tx.Commit()
}

func eraseDead(ctx context.Context, tx *sql.Tx, e cold.Erasure) error {
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
