package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// pauses are between two tries of a unit: the destination may be away for a moment.
var pauses = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}

// unit copies a unit, in several tries if need be.
func (r *run) unit(ctx context.Context, u unit) error {
	modes := []mode{u.mode}
	if u.mode == resumed && r.o.Recheck {
		modes = append(modes, mixed) // what was deleted since does not come back by its token
	}
	var came outcome
	for _, u.mode = range modes {
		for try := 0; ; try++ {
			r.meter.begin(u.project, u.span.first)
			var err error
			if came, err = r.try(ctx, &u); err == nil {
				break
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			err = fmt.Errorf("project %s, %s: %w", u.project, u.span, err)
			// The server there may still be at it, and two that erase the same may add
			// what is left of it twice.
			if errors.Is(err, errNotErasedYet) && try >= 2 {
				if err := r.eraseMarked(ctx, u.project); err != nil {
					r.log.Warn("migrate: erase again", "error", err)
				}
			}
			if try == len(pauses) {
				return err
			}
			r.log.Warn("migrate: trying again", "pause", pauses[try], "error", err)
			if err := r.o.Pause(ctx, pauses[try]); err != nil {
				return err
			}
			if u.mode == fresh {
				u.mode = resumed
			}
		}
	}
	r.meter.end(u.content.rows())
	r.report.add(came.found)
	r.report.Differences = append(r.report.Differences, came.differences...)
	return nil
}

// outcome is what a unit came to.
type outcome struct {
	found       content
	checksum    uint64 // sum of the hashes of all rows
	differences []Difference
}

// try copies a unit, and marks it as done if it is.
func (r *run) try(ctx context.Context, u *unit) (outcome, error) {
	var out outcome
	if e := r.erased[u.project].name(); e != u.erased {
		u.erased, u.mode = e, mixed
	}
	if u.mode == fresh {
		if err := r.mark(ctx, markBegun, u, r.begunName(u)); err != nil {
			return out, err
		}
	}
	r.log.Debug("migrate: copying", "project", u.project, "days", u.span.String(), "mode", u.mode.String())
	c := u.content
	if err := copyTable(ctx, r, events, u, c.events, &out.found.events, &out); err != nil {
		return out, err
	}
	// The sum of the states may be 0 though there are some.
	if c.versions != 0 {
		if err := copyTable(ctx, r, visits, u, max(c.visits, 1), &out.found.visits, &out); err != nil {
			return out, err
		}
	}
	if err := copyTable(ctx, r, links, u, c.links, &out.found.links, &out); err != nil {
		return out, err
	}
	if err := copyTable(ctx, r, aliases, u, c.aliases, &out.found.aliases, &out); err != nil {
		return out, err
	}
	if err := copyTable(ctx, r, traits, u, c.traits, &out.found.traits, &out); err != nil {
		return out, err
	}
	if err := copyTable(ctx, r, deadLetters, u, c.dead, &out.found.dead, &out); err != nil {
		return out, err
	}
	if changed, err := r.refresh(ctx, u.project); err != nil || changed {
		return out, cmp.Or(err, errErasedMeanwhile)
	}
	if len(out.differences) > 0 {
		return out, nil // no mark: it is looked at again
	}
	return out, r.mark(ctx, markDone, u, fmt.Sprintf("%s#%016x", u.name(), out.checksum))
}

// copyTable copies the n rows that a unit has of a table, window by window.
func copyTable[T any](ctx context.Context, r *run, t *table[T], u *unit, n int64, found *int64, out *outcome) error {
	if n == 0 {
		return nil
	}
	windows, err := split(ctx, r.from, &t.relation, u.project, u.span.window(), n, int64(r.o.Window))
	if err != nil {
		return err
	}
	all := Difference{Project: u.project, Day: u.span.first.time(), Last: u.span.last.time(), Table: t.name}
	for _, w := range windows {
		if err := ctx.Err(); err != nil {
			return err
		}
		j := newJob(r, t, u, w)
		d, err := j.do(ctx)
		if err != nil {
			return err
		}
		all.add(d)
		for s, n := range j.want {
			*found += int64(n)
			out.checksum += s.all * uint64(n)
		}
		*found -= int64(d.Missing + d.Altered)
	}
	if !all.empty() {
		out.differences = append(out.differences, all)
	}
	return nil
}
