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
	ErasedAt  time.Time `json:"erased_at" doc:"what was received before is erased, also when it is stored later; ahead of now where the profile had an event of a time to come"`
	Devices   int       `json:"devices" doc:"that were linked to the profile and erased with it"`
	Merged    int       `json:"merged" doc:"profiles that were merged into it by aliases and erased with it"`
}

// barrierTries is how often a barrier is passed until it is complete.
const barrierTries = 10

// Erase erases a profile, its devices and the profiles that are merged into it in the cold
// tier, c. by is who asked for it.
// What was acknowledged before the call is stored first, so that its links are known;
// and what was on its way while the erasure was noted is erased too. To erase again
// what is gone is no error. Errors: EINVALID, ECONFLICT for a
// profile that is merged into another, of which it is a part, EUNAVAILABLE when not all that was
// acknowledged gets into the cold tier: a part may be done, and the next call does the
// rest. Where an event of the profile is of a time to come, what is received until then
// is erased as well.
func (e *Engine) Erase(ctx context.Context, p *weir.Project, c cold.Eraser, profileID, by string) (*Erased, error) {
	if err := isProfile(profileID); err != nil {
		return nil, err
	}
	at := e.clock.Now().Truncate(time.Microsecond)
	if err := e.complete(ctx); err != nil {
		return nil, err
	}
	er := cold.Erasure{ProjectID: p.ID, ProfileID: profileID, At: at, By: by}
	l, err := e.linkage(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("insight: erase: %w", err)
	}
	if err := e.notMerged(ctx, p, l, profileID, weir.ECONFLICT); err != nil {
		return nil, err
	}
	if er.Devices, err = e.personsOfProfile(ctx, p, "d", profileID); err == nil && l.aliases {
		er.Merged, err = e.personsOfProfile(ctx, p, "u", profileID)
	}
	if err != nil {
		return nil, fmt.Errorf("insight: erase: look for the devices: %w", err)
	}
	last, err := e.lastOf(ctx, p, l, profileID, at)
	if err != nil {
		return nil, fmt.Errorf("insight: erase: look for what lies ahead: %w", err)
	}
	if !last.Before(at) {
		at = last.Add(time.Microsecond)
		er.At = at
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
	return &Erased{ProfileID: profileID, ErasedAt: at.In(p.Location()), Devices: len(er.Devices), Merged: len(er.Merged)}, nil
}

// lastOf is the latest time from then on of what is known of a profile. The clocks of
// senders may be ahead, and visits, links and changes of traits have no other time than
// their events'. The zero time is none.
func (e *Engine) lastOf(ctx context.Context, p *weir.Project, l linkage, profileID string, from time.Time) (last time.Time, err error) {
	latest := func(table, at string, of fragment) fragment {
		us := e.d.Micros(at)
		return sql("SELECT MAX("+us+") AS us FROM "+table+" WHERE project_id = @ AND "+us+" >= @ AND @", bind(p.ID), bind(from.UnixMicro()), of)
	}
	mine := sql("profile_id = @", bind(profileID))
	parts := []fragment{
		latest("events", "ts", e.ofProfile(p, l, profileID)), latest("visits", "start_at", e.visitsOfProfile(p, l, profileID)),
		latest("traits", "changed_at", mine), latest("identities", "linked_at", mine),
	}
	if l.aliases { // those of others too, in which it is the former id
		parts = append(parts, latest("aliases", "linked_at", sql("(profile_id = @ OR alias = @ OR CONCAT('u', alias) IN (SELECT device FROM (@) AS merged WHERE profile = @))",
			bind(profileID), bind(profileID), e.merges(p), bind("u"+profileID))))
	}
	q := sql("SELECT MAX(us) FROM (@) AS latest", list(parts, " UNION ALL "))
	return last, e.each(ctx, q, func(scan func(...any) error) error {
		var us *int64
		if err := scan(&us); err != nil || us == nil || *us == 0 {
			return err
		}
		last = time.UnixMicro(*us)
		return nil
	})
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
