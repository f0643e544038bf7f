package deletion

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Cancel cancels a deletion whose events are not selected yet: none of them is deleted. Errors:
// ENOTFOUND, ECONFLICT if it has begun to delete or has ended.
func (d *Deletions) Cancel(ctx context.Context, p *weir.Project, id string) (*Deletion, error) {
	rows, err := steps(ctx, d.Cold, "project_id = ? AND id = ?", p.ID, id)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, weir.Errorf(weir.ENOTFOUND, "there is no deletion %q", id)
	}
	row := &rows[0]
	c := &Cold{Store: d.Cold, ProjectID: p.ID, ID: id}
	switch err := d.decide(ctx, c, row, cancelled); {
	case errors.Is(err, errLater):
		return nil, weir.Errorf(weir.ECONFLICT, "the deletion begins at this moment, or another one is cancelled: look at its state")
	case err != nil:
		return nil, err
	}
	one, err := deletionOf(row)
	if err == nil && one.State != Cancelled {
		return nil, weir.Errorf(weir.ECONFLICT, "the deletion has begun to delete or has ended: it cannot be cancelled")
	}
	return one, err
}

// decide notes the step that follows on asked, unless another node has noted one: a deletion is
// selected, failed or cancelled, and never two of them. row is what is stored then. It deletes the
// selected events unless the deletion goes on. Error: errLater if another node decides now.
func (d *Deletions) decide(ctx context.Context, c *Cold, row *cold.DeletionStep, step int32) error {
	release, mine, err := fleet.Hold(ctx, d.Locks, "deletion-decides:"+c.ProjectID, lockTTL)
	switch {
	case err != nil:
		return err
	case !mine:
		return errLater
	}
	defer release()
	now, err := steps(ctx, d.Cold, "project_id = ? AND id = ?", c.ProjectID, c.ID)
	if err != nil {
		return err
	}
	if len(now) > 0 && now[0].Step != asked {
		*row = now[0]
	} else {
		row.Step, row.ChangedAt = step, d.Clock.Now().UTC().Truncate(time.Microsecond)
		if err := d.note(ctx, *row); err != nil {
			return err
		}
	}
	if row.Step != failed && row.Step != cancelled {
		return nil
	}
	return d.Cold.DeleteRows(ctx, cold.Part{Table: "deleted_events", Where: ofDeletion, Args: c.ids()})
}

// fail ends a deletion whose filter is not valid any more, such as one by an action that was
// deleted since. It would fail in each later run, too.
func (d *Deletions) fail(ctx context.Context, p *weir.Project, c *Cold, one *Deletion, row *cold.DeletionStep, why error) error {
	spec, err := json.Marshal(storedSpec{one.Spec, weir.ErrorMessage(why)})
	if err != nil {
		return fmt.Errorf("deletion: %w", err)
	}
	row.Spec, row.Events = string(spec), 0
	if err := d.decide(ctx, c, row, failed); err != nil {
		return err
	}
	d.Logger.Error("deletion: its filter is not valid any more, so none of its events is deleted", "project", p.ID, "id", c.ID, "error", why)
	return nil
}
