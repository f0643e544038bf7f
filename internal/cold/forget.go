package cold

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Forgetter deletes a project's past, as its retention asks.
type Forgetter interface {
	// Forget deletes a project's rows of before a time: events, sightings and
	// tallies by when the events happened, visits by when they began, dead letters
	// by when they were refused. Identities and traits stay, since they have no
	// end, and so does batches, which has no project. When it returns without an
	// error the rows are gone for every question that is asked after.
	//
	// before is the beginning of a quarter of an hour: EINVALID otherwise. To forget
	// the same again changes nothing, and after an error, when a part may be gone, it
	// deletes the rest. Rows of before that time that are written later are there
	// until the next call. A project that is not known has no rows.
	//
	// It is safe for concurrent use, beside Write too, which may wait for it.
	Forget(ctx context.Context, projectID string, before time.Time) error
}

// ForgetTo is the number of the quarter of an hour that begins at before, where
// Forget ends. Error: EINVALID when none does.
func ForgetTo(before time.Time) (quarter int32, err error) {
	if before.Before(Earliest) || before.After(Latest) {
		return 0, weir.Errorf(weir.EINVALID, "cannot forget what was before %s: the cold tier has no such time", before.UTC().Format(time.RFC3339))
	}
	if before.Unix()%QuarterSeconds != 0 || before.Nanosecond() != 0 {
		return 0, weir.Errorf(weir.EINVALID, "cannot forget what was before %s: that is not the beginning of a quarter of an hour", before.UTC().Format(time.RFC3339Nano))
	}
	return Quarter(&weir.Event{Time: before}), nil
}
