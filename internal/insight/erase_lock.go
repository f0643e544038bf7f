package insight

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
)

// Profiles are the profiles of both tiers. Only one node at a time erases in a project.
type Profiles struct {
	*Engine
	Cold  cold.Eraser
	Hot   hot.Eraser
	Locks fleet.Locks // of all nodes
}

// eraseTTL is the lease time of the lock. If a node dies in the middle of an erasure, the
// project's next erasure waits this long.
const eraseTTL = 30 * time.Second

// Erase erases a profile in both tiers. Only one erasure of a project runs at a time: two of
// the same events would each add the rest of them again. Errors: those of Engine.Erase, and
// EUNAVAILABLE while another one runs.
func (p Profiles) Erase(ctx context.Context, of *weir.Project, profileID, by string) (*Erased, error) {
	release, mine, err := fleet.Hold(ctx, p.Locks, "erase:"+of.ID, eraseTTL)
	if err != nil {
		return nil, weir.Wrap(err, weir.EUNAVAILABLE, "the lock of erasures cannot be read: try again")
	}
	if !mine {
		return nil, weir.Errorf(weir.EUNAVAILABLE, "another erasure of the project goes on: erase again when it has ended")
	}
	defer release()
	return p.Engine.Erase(ctx, of, p.Cold, p.Hot, profileID, by)
}
