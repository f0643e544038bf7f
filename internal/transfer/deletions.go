package transfer

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/weir-analytics/weir/internal/cold"
)

// ErrDeleting says that events are being deleted on one of the sides: a copy of a half of them
// would bring the others back.
var ErrDeleting = errors.New("a deletion of events has not ended: let a server with this cold tier and the role jobs end it, or cancel it, then start the copy again")

// copyDeletions copies which deletions of events have ended. It refuses while one goes on.
func (r *run) copyDeletions(ctx context.Context) error {
	theirs, err := deletionsIn(ctx, r.to, r.o.Projects)
	if err != nil {
		return fmt.Errorf("look for deletions in the destination: %w", err)
	}
	mine, err := deletionsIn(ctx, r.from, r.o.Projects)
	if err != nil {
		return fmt.Errorf("look for deletions in the source: %w", err)
	}
	known := map[string]bool{}
	for _, d := range theirs {
		known[d.ProjectID+"/"+d.ID] = true
	}
	for _, d := range mine {
		if known[d.ProjectID+"/"+d.ID] {
			continue
		}
		token := fmt.Sprintf("migrate-deletion/%s/%s/%d", d.ProjectID, d.ID, r.o.Clock.Now().UnixNano())
		if err := r.to.Add(ctx, token, cold.Additions{Steps: []cold.DeletionStep{d}}); err != nil {
			return fmt.Errorf("copy the deletion %s: %w", d.ID, err)
		}
	}
	return nil
}

// deletionsIn returns the last step of each deletion of projects. Error: ErrDeleting if one has
// not ended.
func deletionsIn(ctx context.Context, from cold.Reader, projects []string) ([]cold.DeletionStep, error) {
	where, args := among(projects)
	if where = strings.TrimPrefix(where, " WHERE "); where == "" {
		where = "TRUE"
	}
	out, err := cold.DeletionSteps(ctx, from, where, args...)
	if err != nil {
		return nil, err
	}
	for i := range out {
		if d := &out[i]; d.Step < cold.DeletionDone {
			return nil, fmt.Errorf("project %s, deletion %s: %w", d.ProjectID, d.ID, ErrDeleting)
		}
	}
	return out, nil
}
