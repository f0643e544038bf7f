package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// SetTimezone changes a project's timezone, and asks for a recount of its counters and reports. The
// timezone that it has already changes nothing. Errors: EINVALID, ENOTFOUND.
func (s *Store) SetTimezone(ctx context.Context, id, timezone string) error {
	p := weir.Project{Timezone: timezone}
	if err := p.Resolve(); err != nil {
		return err
	}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		// In spite of its name, inserted says whether a row was changed.
		changed, err := inserted(tx.ExecContext(ctx, `UPDATE projects SET timezone = ? WHERE id = ? AND timezone <> ?`, p.Timezone, id, p.Timezone))
		if err != nil {
			return err
		}
		if !changed {
			var is string
			err := tx.QueryRowContext(ctx, `SELECT timezone FROM projects WHERE id = ?`, id).Scan(&is)
			if errors.Is(err, sql.ErrNoRows) {
				return weir.Errorf(weir.ENOTFOUND, "no such project")
			}
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO recounts (project_id, id, asked_at, done) VALUES (?, ?, ?, 0)
			ON CONFLICT (project_id) DO UPDATE SET id = excluded.id, asked_at = excluded.asked_at, done = 0`,
			id, newID(), micros(s.clock.Now()))
		if err != nil {
			return err
		}
		return staleReports(ctx, tx, id)
	})
	if err != nil {
		return fmt.Errorf("meta: set timezone: %w", err)
	}
	s.projects.forget()
	return nil
}

// staleReports notes that a project's reports are of days in another timezone.
func staleReports(ctx context.Context, tx *sql.Tx, project string) error {
	_, err := tx.ExecContext(ctx, `UPDATE reports SET counted = ? WHERE project_id = ?`, weir.CountedElsewhere, project)
	return err
}

// Recounts returns the recounts that are not over, oldest first.
func (s *Store) Recounts(ctx context.Context) ([]weir.Recount, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT r.id, r.project_id, p.timezone, r.asked_at, r.done
		FROM recounts r JOIN projects p ON p.id = r.project_id ORDER BY r.asked_at, r.project_id`)
	if err != nil {
		return nil, fmt.Errorf("meta: recounts: %w", err)
	}
	defer rows.Close()
	var all []weir.Recount
	for rows.Next() {
		var r weir.Recount
		var asked int64
		if err := rows.Scan(&r.ID, &r.ProjectID, &r.Timezone, &asked, &r.Done); err != nil {
			return nil, fmt.Errorf("meta: recounts: %w", err)
		}
		r.AskedAt = fromMicros(asked)
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: recounts: %w", err)
	}
	return all, nil
}

// SaveRecount stores how many days of a recount are done. It returns false, and stores nothing,
// if the timezone has changed again.
func (s *Store) SaveRecount(ctx context.Context, r weir.Recount) (current bool, err error) {
	current, err = inserted(s.write.ExecContext(ctx, `UPDATE recounts SET done = ? WHERE project_id = ? AND id = ?`, r.Done, r.ProjectID, r.ID))
	if err != nil {
		return false, fmt.Errorf("meta: save recount: %w", err)
	}
	s.projects.forget()
	return current, nil
}

// EndRecount ends a recount. Reports that were computed when the timezone changed may be of
// days in the former one, so they are computed again.
func (s *Store) EndRecount(ctx context.Context, r weir.Recount) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		current, err := inserted(tx.ExecContext(ctx, `DELETE FROM recounts WHERE project_id = ? AND id = ?`, r.ProjectID, r.ID))
		if err != nil || !current {
			return err
		}
		return staleReports(ctx, tx, r.ProjectID)
	})
	if err != nil {
		return fmt.Errorf("meta: end recount: %w", err)
	}
	s.projects.forget()
	return nil
}
