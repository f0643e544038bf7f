package meta

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Steps of a deletion.
const (
	StepWaiting = "waiting" // no node has begun
	StepDrain   = "drain"   // waits until acknowledged events are in the cold tier
	StepCold    = "cold"    // deletes from the cold tier
	StepHot     = "hot"     // deletes from the hot tier
	StepDeleted = "deleted" // nothing is left; what comes late will be deleted too
	StepDone    = "done"    // nothing can come any more
)

// deletionPasses are the times from one pass to the next. A pass deletes what came after the one before: events that
// another node took before it was told, visits that were open.
var deletionPasses = []time.Duration{10 * time.Minute, time.Hour, 25 * time.Hour}

// deletionRetry is the time until a pass that failed is tried again.
const deletionRetry = 30 * time.Second

// ProjectDeletion is a project that is being deleted, or was.
type ProjectDeletion struct {
	ProjectID   string
	Name        string
	RequestedAt time.Time
	Step        string
	Passes      int    // over all stores, from which nothing was left
	Error       string // why the last try failed
}

// ofProject are the deletions of all rows of a project but its own, what refers to others first.
var ofProject = []string{
	`DELETE FROM alert_outbox WHERE alert_id IN (SELECT id FROM alerts WHERE project_id = ?)`,
	`DELETE FROM alert_history WHERE alert_id IN (SELECT id FROM alerts WHERE project_id = ?)`,
	`DELETE FROM alert_channels WHERE alert_id IN (SELECT id FROM alerts WHERE project_id = ?)`,
	`DELETE FROM alerts WHERE project_id = ?`,
	`DELETE FROM reports WHERE project_id = ?`,
	`DELETE FROM report_times WHERE project_id = ?`,
	`DELETE FROM overflows WHERE project_id = ?`,
	`DELETE FROM sites WHERE project_id = ?`,
	`DELETE FROM forgotten WHERE project_id = ?`,
	`DELETE FROM descriptions WHERE project_id = ?`,
	`DELETE FROM actions WHERE project_id = ?`,
	`DELETE FROM invitations WHERE project_id = ?`,
	`DELETE FROM recounts WHERE project_id = ?`,
	`DELETE FROM tokens WHERE project_id = ?`,
	`DELETE FROM shares WHERE project_id = ?`,
	`DELETE FROM members WHERE project_id = ?`,
	`DELETE FROM write_keys WHERE project_id = ?`,
}

// DeleteProject deletes a project from this store, if name is its name, and notes that it is to be deleted from the others. Its keys
// and tokens are good no more. Errors: ENOTFOUND, EINVALID for another name.
func (s *Store) DeleteProject(ctx context.Context, id, name string) (*ProjectDeletion, error) {
	now := s.clock.Now()
	d := &ProjectDeletion{ProjectID: id, RequestedAt: now, Step: StepWaiting}
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT name FROM projects WHERE id = ?`, id).Scan(&d.Name)
		if errors.Is(err, sql.ErrNoRows) {
			return weir.Errorf(weir.ENOTFOUND, "no such project")
		}
		if err != nil {
			return err
		}
		if name != d.Name {
			return weir.Errorf(weir.EINVALID, "name: to delete the project and all that it has, repeat its name")
		}
		for _, query := range ofProject {
			if _, err := tx.ExecContext(ctx, query, id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM projects WHERE id = ?`, id); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO project_deletions (project_id, name, requested_at, step, passes, next_at, error) VALUES (?, ?, ?, ?, 0, ?, '')`,
			id, d.Name, micros(now), StepWaiting, micros(now))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("meta: delete project: %w", err)
	}
	s.changed()
	return d, nil
}

// ProjectDeletions returns the last thousand deletions of projects, newest first.
func (s *Store) ProjectDeletions(ctx context.Context) ([]ProjectDeletion, error) {
	return s.projectDeletions(ctx, `1 = ?`, 1)
}

// DueDeletions returns the deletions of which a pass is to be made now.
func (s *Store) DueDeletions(ctx context.Context) ([]ProjectDeletion, error) {
	return s.projectDeletions(ctx, `step <> '`+StepDone+`' AND next_at <= ?`, micros(s.clock.Now()))
}

func (s *Store) projectDeletions(ctx context.Context, where string, arg any) ([]ProjectDeletion, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT project_id, name, requested_at, step, passes, error FROM project_deletions
		WHERE `+where+` ORDER BY requested_at DESC, project_id LIMIT 1000`, arg)
	if err != nil {
		return nil, fmt.Errorf("meta: deletions of projects: %w", err)
	}
	defer rows.Close()
	var all []ProjectDeletion
	for rows.Next() {
		var d ProjectDeletion
		var requested int64
		if err := rows.Scan(&d.ProjectID, &d.Name, &requested, &d.Step, &d.Passes, &d.Error); err != nil {
			return nil, fmt.Errorf("meta: deletions of projects: %w", err)
		}
		d.RequestedAt = fromMicros(requested)
		all = append(all, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("meta: deletions of projects: %w", err)
	}
	return all, nil
}

// DeletionStep notes what a pass is about to do.
func (s *Store) DeletionStep(ctx context.Context, projectID, step string) error {
	return s.noteDeletion(ctx, `UPDATE project_deletions SET step = ? WHERE project_id = ?`, step, projectID)
}

// DeletionFailed notes why a pass failed, and when it is tried again.
func (s *Store) DeletionFailed(ctx context.Context, projectID, reason string) error {
	return s.noteDeletion(ctx, `UPDATE project_deletions SET error = ?, next_at = ? WHERE project_id = ?`, reason, micros(s.clock.Now().Add(deletionRetry)), projectID)
}

// DeletionPassed notes that a pass is complete, and when the next one is.
func (s *Store) DeletionPassed(ctx context.Context, d ProjectDeletion) error {
	step, next := StepDone, s.clock.Now()
	if d.Passes < len(deletionPasses) {
		step, next = StepDeleted, next.Add(deletionPasses[d.Passes])
	}
	return s.noteDeletion(ctx, `UPDATE project_deletions SET step = ?, error = '', passes = ?, next_at = ? WHERE project_id = ?`, step, d.Passes+1, micros(next), d.ProjectID)
}

func (s *Store) noteDeletion(ctx context.Context, query string, args ...any) error {
	if _, err := s.write.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("meta: deletion of a project: %w", err)
	}
	return nil
}
