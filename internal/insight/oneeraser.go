package insight

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
)

// Profiles are those of the cold tier, and what the hot tier has of them. Of several nodes one at a time erases in a project.
type Profiles struct {
	*Engine
	Cold  cold.Eraser
	Hot   hot.Eraser
	Locks fleet.Locks // of all nodes
}

// eraseTTL is how long a node that is gone in the middle of an erasure holds up the
// project's next one.
const eraseTTL = 30 * time.Second

// Erase erases in both tiers, one profile of a project at a time: two erasures of the
// same events at once could each add what is left of them. Error: EUNAVAILABLE too, when
// another goes on.
func (p Profiles) Erase(ctx context.Context, of *weir.Project, profileID, by string) (*Erased, error) {
	release, mine, err := fleet.Hold(ctx, p.Locks, "erase:"+of.ID, eraseTTL)
	if err != nil {
		return nil, weir.Wrap(err, weir.EUNAVAILABLE, "it cannot be told whether another erasure goes on: try again")
	}
	if !mine {
		return nil, weir.Errorf(weir.EUNAVAILABLE, "another erasure of the project goes on: erase again when it has ended")
	}
	defer release()
	return p.Engine.Erase(ctx, of, p.Cold, p.Hot, profileID, by)
}
