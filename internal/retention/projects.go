package retention

import (
	"context"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/meta"
)

// ProjectDeletions has the projects that are being deleted. *meta.Store does.
type ProjectDeletions interface {
	DueDeletions(ctx context.Context) ([]meta.ProjectDeletion, error)
	DeletionStep(ctx context.Context, projectID, step string) error
	DeletionFailed(ctx context.Context, projectID, reason string) error
	DeletionPassed(ctx context.Context, d meta.ProjectDeletion) error
}

// ProjectDeleter deletes projects from the stores of events. Meta has deleted them already. A pass
// repeats safely, so a node that dies in the middle of one leaves nothing behind.
type ProjectDeleter struct {
	Deletions ProjectDeletions
	Cold      interface {
		DeleteRows(ctx context.Context, parts ...cold.Part) error
	}
	Hot interface {
		DropProject(ctx context.Context, project string) error
	}
	Flush  func(ctx context.Context) (time.Time, error)               // waits until acknowledged events are in the cold tier
	MayRun func(ctx context.Context, ttl time.Duration) (bool, error) // says whether this node may delete now
	Log    *slog.Logger
}

const (
	// deletionsEvery is how often a node looks whether there is a project to delete.
	deletionsEvery = 2 * time.Second
	// deletionsFor is for how long one node is the one that deletes.
	deletionsFor = 30 * time.Second
)

// Run deletes until ctx is done.
func (d *ProjectDeleter) Run(ctx context.Context) error {
	t := time.NewTicker(deletionsEvery)
	defer t.Stop()
	for {
		if err := d.deleteDue(ctx); err != nil && ctx.Err() == nil {
			d.Log.Error("deletion of projects failed, retrying in 2s", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

func (d *ProjectDeleter) deleteDue(ctx context.Context) error {
	due, err := d.Deletions.DueDeletions(ctx)
	if err != nil || len(due) == 0 {
		return err
	}
	for _, p := range due {
		mine, err := d.MayRun(ctx, deletionsFor)
		if err != nil || !mine {
			return err
		}
		if err := d.pass(ctx, p); err != nil {
			if ctx.Err() != nil {
				return nil // the server stops; the next start goes on
			}
			d.Log.Error("a project was not deleted whole, retrying in 30s", "project", p.ProjectID, "error", err)
			if err := d.Deletions.DeletionFailed(ctx, p.ProjectID, err.Error()); err != nil {
				return err
			}
			continue
		}
		d.Log.Info("deleted a project from the stores", "project", p.ProjectID, "pass", p.Passes+1)
	}
	return nil
}

// pass deletes a project from both tiers.
func (d *ProjectDeleter) pass(ctx context.Context, p meta.ProjectDeletion) error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{meta.StepDrain, func() error { _, err := d.Flush(ctx); return err }},
		{meta.StepCold, func() error { return d.Cold.DeleteRows(ctx, cold.ProjectParts(p.ProjectID)...) }},
		{meta.StepHot, func() error { return d.Hot.DropProject(ctx, p.ProjectID) }},
	} {
		if p.Passes == 0 { // later passes find little, and the project stays deleted
			if err := d.Deletions.DeletionStep(ctx, p.ProjectID, step.name); err != nil {
				return err
			}
		}
		if err := step.do(); err != nil {
			return err
		}
	}
	return d.Deletions.DeletionPassed(ctx, p)
}
