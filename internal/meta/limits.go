package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

const limitColumns = `p.limit_key, p.limit_ip, p.quota, p.quota_over, p.quota_sample`

// limitScan takes a project's limits from a row.
type limitScan struct{ key, ip, over string }

func (s *limitScan) into(l *weir.Limits) []any {
	return []any{&s.key, &s.ip, &l.Quota, &s.over, &l.Sample}
}

// done ends the scan. A rate that cannot be parsed, since a later version stored it, counts as
// not set.
func (s *limitScan) done(l *weir.Limits) {
	l.Key, _ = weir.ParseRate(s.key)
	l.IP, _ = weir.ParseRate(s.ip)
	l.Over = weir.Overflow(s.over)
}

// ChangeLimits changes what a project may bring in and returns it as it is then.
// Nobody else changes it in between. An error of change is returned as it is, and
// nothing changes. Errors: EINVALID, ENOTFOUND.
func (s *Store) ChangeLimits(ctx context.Context, id string, change func(*weir.Limits) error) (l weir.Limits, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var scan limitScan
		err := tx.QueryRowContext(ctx, `SELECT `+limitColumns+` FROM projects p WHERE p.id = ?`, id).Scan(scan.into(&l)...)
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if err != nil {
			return err
		}
		scan.done(&l)
		if err := change(&l); err != nil {
			return err
		}
		if l, err = l.Normal(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE projects SET limit_key = ?, limit_ip = ?, quota = ?, quota_over = ?, quota_sample = ? WHERE id = ?`,
			l.Key.String(), l.IP.String(), l.Quota, string(l.Over), l.Sample, id)
		return err
	})
	if err != nil {
		return weir.Limits{}, fmt.Errorf("meta: change limits: %w", err)
	}
	s.changed()
	return l, nil
}

// AddOverflow adds to the events of a project and month (2006-01, the project's)
// that were not taken as they were sent. Of a project that there is not, nothing is
// kept.
func (s *Store) AddOverflow(ctx context.Context, projectID, month, reason string, events int64) error {
	_, err := s.write.ExecContext(ctx, `INSERT INTO overflows (project_id, month, reason, events)
		SELECT p.id, ?, ?, ? FROM projects p WHERE p.id = ?
		ON CONFLICT (project_id, month, reason) DO UPDATE SET events = overflows.events + excluded.events`,
		month, reason, events, projectID)
	if err != nil {
		return fmt.Errorf("meta: add overflow: %w", err)
	}
	return nil
}

// Overflow returns what was added for a project and month, by reason.
func (s *Store) Overflow(ctx context.Context, projectID, month string) (map[string]int64, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT reason, events FROM overflows WHERE project_id = ? AND month = ?`, projectID, month)
	if err != nil {
		return nil, fmt.Errorf("meta: overflow: %w", err)
	}
	defer rows.Close()
	events := map[string]int64{}
	for rows.Next() {
		var reason string
		var n int64
		if err := rows.Scan(&reason, &n); err != nil {
			return nil, fmt.Errorf("meta: overflow: %w", err)
		}
		events[reason] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: overflow: %w", err)
	}
	return events, nil
}
