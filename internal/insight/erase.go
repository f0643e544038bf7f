package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Erased says what an erasure did.
type Erased struct {
	ProfileID string    `json:"profile_id"`
	ErasedAt  time.Time `json:"erased_at" doc:"what was received before is erased, also when it is stored later"`
	Devices   int       `json:"devices" doc:"that were linked to the profile and erased with it"`
}

// barrierTries is how often a barrier is passed until it is complete.
const barrierTries = 10

// Erase erases a profile and its devices in the cold tier, c. by is who asked for it.
// What was acknowledged before the call is stored first, so that its links are known;
// and what was on its way while the erasure was noted is erased too. To erase again
// what is gone is no error. Errors: EINVALID, EUNAVAILABLE when not all that was
// acknowledged gets into the cold tier: a part may be done, and the next call does the
// rest.
func (e *Engine) Erase(ctx context.Context, p *weir.Project, c cold.Eraser, profileID, by string) (*Erased, error) {
	if err := isProfile(profileID); err != nil {
		return nil, err
	}
	at := e.clock.Now().Truncate(time.Microsecond)
	if err := e.complete(ctx); err != nil {
		return nil, err
	}
	er := cold.Erasure{ProjectID: p.ID, ProfileID: profileID, At: at, By: by}
	q := sql("SELECT SUBSTRING(device, 2) FROM @ WHERE profile = @ ORDER BY device", e.links(p), bind("u"+profileID))
	err := e.each(ctx, q, func(scan func(...any) error) error {
		var d string
		err := scan(&d)
		er.Devices = append(er.Devices, d)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("insight: erase: look for the devices: %w", err)
	}
	// A batch that was under way when the erasure was noted may have missed the note.
	// It is in before the second barrier.
	if err := c.Erase(ctx, er); err != nil {
		return nil, fmt.Errorf("insight: %w", err)
	}
	if err := e.complete(ctx); err != nil {
		return nil, err
	}
	if err := c.Erase(ctx, er); err != nil {
		return nil, fmt.Errorf("insight: %w", err)
	}
	return &Erased{ProfileID: profileID, ErasedAt: at.In(p.Location()), Devices: len(er.Devices)}, nil
}

// complete waits until all that was acknowledged is in the cold tier. Error:
// EUNAVAILABLE.
func (e *Engine) complete(ctx context.Context) error {
	asked := e.clock.Now()
	for range barrierTries {
		asOf, err := e.b.Flush(ctx)
		if err != nil {
			return fmt.Errorf("insight: erase: barrier: %w", err)
		}
		if !asOf.Before(asked) {
			return nil
		}
	}
	return weir.Errorf(weir.EUNAVAILABLE, "not all events are in the cold tier: erase again when they are")
}
