package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	weir "github.com/weir-analytics/weir"
)

const (
	maxActions = 200 // of a project
	maxSpec    = 32 << 10
	actionForm = 1 // of the JSON that is stored
)

// Actions returns a project's actions by name.
func (s *Store) Actions(ctx context.Context, projectID string) ([]weir.Action, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, spec, created_at, updated_at FROM actions WHERE project_id = ? ORDER BY name`, projectID)
	return collect(rows, err, "actions", func(row scanner) (*weir.Action, error) { return scanAction(row, projectID) })
}

// Action returns one. Error: ENOTFOUND.
func (s *Store) Action(ctx context.Context, projectID, id string) (*weir.Action, error) {
	a, err := scanAction(s.read.QueryRowContext(ctx, `SELECT id, spec, created_at, updated_at FROM actions WHERE project_id = ? AND id = ?`, projectID, id), projectID)
	if err != nil {
		return nil, fmt.Errorf("meta: action: %w", orNoAction(err))
	}
	return a, nil
}

func orNoAction(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return weir.Errorf(weir.ENOTFOUND, "no such action")
	}
	return err
}

func scanAction(row scanner, projectID string) (*weir.Action, error) {
	a := weir.Action{ProjectID: projectID}
	var spec string
	var created, updated int64
	if err := row.Scan(&a.ID, &spec, &created, &updated); err != nil {
		return nil, err
	}
	a.CreatedAt, a.UpdatedAt = fromMicros(created), fromMicros(updated)
	return &a, json.Unmarshal([]byte(spec), &a.ActionSpec)
}

// CreateAction stores an action. Errors: EINVALID, ENOTFOUND for the project, ECONFLICT if the
// project has an action of this name, or has 200.
func (s *Store) CreateAction(ctx context.Context, projectID string, spec weir.ActionSpec) (*weir.Action, error) {
	if _, err := s.Project(ctx, projectID); err != nil {
		return nil, fmt.Errorf("meta: create action: %w", err)
	}
	a := weir.Action{ID: newID(), ProjectID: projectID, CreatedAt: s.clock.Now()}
	a.UpdatedAt = a.CreatedAt
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM actions WHERE project_id = ?`, projectID).Scan(&n); err != nil {
			return err
		}
		if n >= maxActions {
			return weir.Errorf(weir.ECONFLICT, "the project has %d actions, and may not have more", n)
		}
		return s.storeAction(ctx, tx, &a, spec)
	})
	if err != nil {
		return nil, fmt.Errorf("meta: create action: %w", err)
	}
	return &a, nil
}

// ChangeAction changes an action. Nobody else changes it in between. An error of change is
// returned as it is, and nothing changes. Errors: EINVALID, ENOTFOUND, ECONFLICT for the name
// of another one.
func (s *Store) ChangeAction(ctx context.Context, projectID, id string, change func(*weir.ActionSpec) error) (*weir.Action, error) {
	var a *weir.Action
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		var err error
		if a, err = scanAction(tx.QueryRowContext(ctx, `SELECT id, spec, created_at, updated_at FROM actions WHERE project_id = ? AND id = ?`, projectID, id), projectID); err != nil {
			return orNoAction(err)
		}
		spec := a.ActionSpec
		if err := change(&spec); err != nil {
			return err
		}
		a.UpdatedAt = s.clock.Now()
		return s.storeAction(ctx, tx, a, spec)
	})
	if err != nil {
		return nil, fmt.Errorf("meta: change action: %w", err)
	}
	return a, nil
}

// storeAction stores the action with a spec.
func (s *Store) storeAction(ctx context.Context, tx *sql.Tx, a *weir.Action, spec weir.ActionSpec) error {
	var err error
	if a.ActionSpec, err = spec.Normal(); err != nil {
		return err
	}
	text, err := json.Marshal(a.ActionSpec)
	if err != nil {
		return err
	}
	if len(text) > maxSpec {
		return weir.Errorf(weir.EINVALID, "an action has at most %d bytes", maxSpec)
	}
	var other int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM actions WHERE project_id = ? AND name = ? AND id <> ?`, a.ProjectID, a.Name, a.ID).Scan(&other); err != nil {
		return err
	}
	if other > 0 {
		return weir.Errorf(weir.ECONFLICT, "the project has an action named %q", a.Name)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO actions (id, project_id, name, version, spec, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, version = excluded.version, spec = excluded.spec, updated_at = excluded.updated_at`,
		a.ID, a.ProjectID, a.Name, actionForm, string(text), micros(a.CreatedAt), micros(a.UpdatedAt))
	return err
}

// DeleteAction deletes an action. Error: ENOTFOUND.
func (s *Store) DeleteAction(ctx context.Context, projectID, id string) error {
	ok, err := inserted(s.write.ExecContext(ctx, `DELETE FROM actions WHERE project_id = ? AND id = ?`, projectID, id))
	if err != nil {
		return fmt.Errorf("meta: delete action: %w", err)
	}
	if !ok {
		return weir.Errorf(weir.ENOTFOUND, "no such action")
	}
	return nil
}
