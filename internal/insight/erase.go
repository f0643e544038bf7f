package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
)

// Erased says what an erasure did.
type Erased struct {
	ProfileID string    `json:"profile_id"`
	ErasedAt  time.Time `json:"erased_at" doc:"what was received before is erased, also when it is stored later"`
	Devices   int       `json:"devices" doc:"that were linked to the profile and erased with it"`
	Merged    int       `json:"merged" doc:"profiles that were merged into it by aliases and erased with it"`
}

// barrierTries is how often an erasure tries to pass the barrier completely.
const barrierTries = 10

// Erase erases a profile, its devices and the profiles that are merged into it: in the cold
// tier, c, and in what the hot tier, h, stores beside its log. by is who asked for it.
//
// First it passes the barrier, so that all links are known. Then it stores the mark:
// batches that begin later are made without the person. It passes the barrier again, so
// that batches that began before are stored. Last it erases what is there. Events that a
// node with a clock ahead has received are erased too.
//
// To erase a profile again is no error. Errors: EINVALID; ECONFLICT for a profile that is
// merged into another, because it is only a part of that person; EUNAVAILABLE if the
// barrier does not pass in time. Then a part may be done, and the next call does the rest.
func (e *Engine) Erase(ctx context.Context, p *weir.Project, c cold.Eraser, h hot.Eraser, profileID, by string) (*Erased, error) {
	if err := isProfile(profileID); err != nil {
		return nil, err
	}
	at := e.clock.Now().Truncate(time.Microsecond)
	if err := e.Complete(ctx); err != nil {
		return nil, err
	}
	er := cold.Erasure{ProjectID: p.ID, ProfileID: profileID, At: at, By: by, Now: true}
	r, err := e.reader(ctx, p, true)
	if err != nil {
		return nil, fmt.Errorf("insight: erase: %w", err)
	}
	if err := r.refuseMerged(ctx, profileID, weir.ECONFLICT); err != nil {
		return nil, err
	}
	if er.Devices, err = r.devicesOf(ctx, profileID); err == nil {
		er.Merged, err = r.mergedInto(ctx, profileID)
	}
	if err != nil {
		return nil, fmt.Errorf("insight: erase: look for the devices: %w", err)
	}
	last, err := r.lastOf(ctx, profileID)
	if err != nil {
		return nil, fmt.Errorf("insight: erase: look for what was received last: %w", err)
	}
	if !last.Before(at) {
		er.At = last.Add(time.Microsecond)
	}
	if err := c.Mark(ctx, er); err != nil {
		return nil, fmt.Errorf("insight: %w", err)
	}
	if err := e.Complete(ctx); err != nil {
		return nil, err
	}
	// Before the links are gone: an erasure that is repeated must find the devices again.
	if err := h.Erase(ctx, p.ID, er.Devices, append([]string{profileID}, er.Merged...)); err != nil {
		return nil, fmt.Errorf("insight: %w", err)
	}
	if err := c.Erase(ctx, er); err != nil {
		return nil, fmt.Errorf("insight: %w", err)
	}
	e.cache.invalidate(ctx, p.ID, e.clock.Now())
	return &Erased{ProfileID: profileID, ErasedAt: er.At.In(p.Location()), Devices: len(er.Devices), Merged: len(er.Merged)}, nil
}

// lastOf returns when the last event of a profile was received; zero if there is none.
func (r *reader) lastOf(ctx context.Context, profileID string) (last time.Time, err error) {
	q := sql("SELECT MAX("+r.d.Micros("received_at")+") AS us FROM events WHERE project_id = @ AND @", bind(r.project.ID), r.eventsOfProfile(profileID))
	return last, r.each(ctx, q, func(scan func(...any) error) error {
		var us *int64
		if err := scan(&us); err != nil || us == nil || *us == 0 {
			return err
		}
		last = time.UnixMicro(*us)
		return nil
	})
}

// Complete waits until all that was acknowledged is in the cold tier. Error:
// EUNAVAILABLE.
func (e *Engine) Complete(ctx context.Context) error {
	asked := e.clock.Now()
	for range barrierTries {
		asOf, err := e.b.Flush(ctx)
		if err != nil {
			return fmt.Errorf("insight: barrier: %w", err)
		}
		if !asOf.Before(asked) {
			return nil
		}
	}
	return weir.Errorf(weir.EUNAVAILABLE, "not all events are in the cold tier: try again when they are")
}
