package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

// SaveReport stores a report in place of the one of revision after, which is 0
// where the day has none. It returns false, and stores nothing, when the day's
// report is of another revision: somebody else has stored one meanwhile.
// r.Compare is left out.
func (s *Store) SaveReport(ctx context.Context, r *weir.Report, after int) (saved bool, err error) {
	plain := *r
	plain.Compare = nil
	body, err := json.Marshal(&plain)
	if err != nil {
		return false, fmt.Errorf("meta: save report: %w", err)
	}
	h := r.Head()
	if after == 0 {
		saved, err = inserted(s.write.ExecContext(ctx, `INSERT INTO reports (project_id, day, revision, events, counted, computed_at, body)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			r.ProjectID, string(r.Date), r.Revision, h.Events, h.Counted, micros(r.ComputedAt), string(body)))
	} else {
		// inserted says here whether a row was changed.
		saved, err = inserted(s.write.ExecContext(ctx, `UPDATE reports SET revision = ?, events = ?, counted = ?, computed_at = ?, body = ?
			WHERE project_id = ? AND day = ? AND revision = ?`,
			r.Revision, h.Events, h.Counted, micros(r.ComputedAt), string(body), r.ProjectID, string(r.Date), after))
	}
	if err != nil {
		return false, fmt.Errorf("meta: save report: %w", err)
	}
	return saved, nil
}

// Report returns the report of a day. Error: ENOTFOUND.
func (s *Store) Report(ctx context.Context, projectID string, d weir.Date) (*weir.Report, error) {
	var body string
	err := s.read.QueryRowContext(ctx, `SELECT body FROM reports WHERE project_id = ? AND day = ?`, projectID, string(d)).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, weir.Errorf(weir.ENOTFOUND, "there is no report of %s", d)
	}
	if err != nil {
		return nil, fmt.Errorf("meta: report: %w", err)
	}
	return readReport(body)
}

// Reports returns the stored reports of the days from first to last, oldest first.
// All of them are in memory at once: ask for a month at a time.
func (s *Store) Reports(ctx context.Context, projectID string, first, last weir.Date) ([]*weir.Report, error) {
	var all []*weir.Report
	err := s.reports(ctx, `body`, projectID, first, last, func(rows *sql.Rows) error {
		var body string
		if err := rows.Scan(&body); err != nil {
			return err
		}
		r, err := readReport(body)
		all = append(all, r)
		return err
	})
	return all, err
}

// ReportHeads returns the heads of the stored reports of the days from first to last,
// oldest first.
func (s *Store) ReportHeads(ctx context.Context, projectID string, first, last weir.Date) ([]weir.ReportHead, error) {
	var all []weir.ReportHead
	err := s.reports(ctx, `day, revision, events, counted, computed_at`, projectID, first, last, func(rows *sql.Rows) error {
		var h weir.ReportHead
		var computed int64
		err := rows.Scan(&h.Date, &h.Revision, &h.Events, &h.Counted, &computed)
		h.ComputedAt = fromMicros(computed)
		all = append(all, h)
		return err
	})
	return all, err
}

func (s *Store) reports(ctx context.Context, columns, projectID string, first, last weir.Date, each func(*sql.Rows) error) error {
	rows, err := s.read.QueryContext(ctx, `SELECT `+columns+` FROM reports WHERE project_id = ? AND day >= ? AND day <= ? ORDER BY day`,
		projectID, string(first), string(last))
	if err != nil {
		return fmt.Errorf("meta: reports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return fmt.Errorf("meta: reports: %w", err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("meta: reports: %w", err)
	}
	return nil
}

func readReport(body string) (*weir.Report, error) {
	r := new(weir.Report)
	if err := json.Unmarshal([]byte(body), r); err != nil {
		return nil, fmt.Errorf("meta: read report: %w", err)
	}
	return r, nil
}

// PruneReports deletes a project's reports of the days before d.
func (s *Store) PruneReports(ctx context.Context, projectID string, d weir.Date) error {
	_, err := s.write.ExecContext(ctx, `DELETE FROM reports WHERE project_id = ? AND day < ?`, projectID, string(d))
	if err != nil {
		return fmt.Errorf("meta: prune reports: %w", err)
	}
	return nil
}

// ReportTimes returns the times of day of the projects that have their own, by
// project: HH:MM, or off.
func (s *Store) ReportTimes(ctx context.Context) (map[string]string, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT project_id, run_at FROM report_times`)
	if err != nil {
		return nil, fmt.Errorf("meta: report times: %w", err)
	}
	defer rows.Close()
	all := make(map[string]string)
	for rows.Next() {
		var id, at string
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("meta: report times: %w", err)
		}
		all[id] = at
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: report times: %w", err)
	}
	return all, nil
}

// ReportTime returns a project's own time of day, "" when it has none.
func (s *Store) ReportTime(ctx context.Context, projectID string) (at string, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT run_at FROM report_times WHERE project_id = ?`, projectID).Scan(&at)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("meta: report time: %w", err)
	}
	return at, nil
}

// SetReportTime gives a project a time of day of its own; "" takes it away. What
// it may be is the caller's to check. Error: ENOTFOUND.
func (s *Store) SetReportTime(ctx context.Context, projectID, at string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM projects WHERE id = ?`, projectID).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM report_times WHERE project_id = ?`, projectID); err != nil || at == "" {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO report_times (project_id, run_at) VALUES (?, ?)`, projectID, at)
		return err
	})
	if err != nil {
		return fmt.Errorf("meta: set report time: %w", err)
	}
	return nil
}
