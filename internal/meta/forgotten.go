package meta

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Forgotten returns before when each project's past has been deleted, without those for which
// nothing has been.
func (s *Store) Forgotten(ctx context.Context) (map[string]time.Time, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT project_id, before_at FROM forgotten`)
	if err != nil {
		return nil, fmt.Errorf("meta: forgotten: %w", err)
	}
	defer rows.Close()
	out := map[string]time.Time{}
	for rows.Next() {
		var id string
		var us int64
		if err := rows.Scan(&id, &us); err != nil {
			return nil, fmt.Errorf("meta: forgotten: %w", err)
		}
		out[id] = fromMicros(us)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: forgotten: %w", err)
	}
	return out, nil
}

// SetForgotten records before when projects' pasts have been deleted. A project that is
// not known is left out.
func (s *Store) SetForgotten(ctx context.Context, before map[string]time.Time) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		for id, t := range before {
			_, err := tx.ExecContext(ctx, `INSERT INTO forgotten (project_id, before_at) SELECT id, ? FROM projects WHERE id = ?
				ON CONFLICT (project_id) DO UPDATE SET before_at = excluded.before_at`, micros(t), id)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("meta: set forgotten: %w", err)
	}
	return nil
}
