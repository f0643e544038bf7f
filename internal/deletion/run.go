package deletion

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/visit"
)

const (
	// lookEvery is how often Run looks for deletions that did not end.
	lookEvery = time.Minute
	// lockTTL is the lease time of the lock. If a node dies in the middle of a deletion, another
	// one continues it after this time.
	lockTTL = 30 * time.Second
	// marksKept is how long marks of open visits stay: the drain drops such visits within minutes.
	marksKept = 7 * 24 * time.Hour
	// mostMarks is how many devices with open visits are marked one by one. Of more than that, all
	// open visits of the project are dropped.
	mostMarks = 10_000
	// statesAtOnce is how many states of open visits are asked for at once.
	statesAtOnce = 1000
)

// Run does what is asked for, and continues what did not end, until ctx is done; then it returns
// nil. What fails is logged and tried again.
func (d *Deletions) Run(ctx context.Context) error {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		if err := d.Look(ctx); err != nil && ctx.Err() == nil {
			d.Logger.Error("deletion: failed, retrying in a minute", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		case <-d.wake:
		}
	}
}

// Look is one round of Run. A deletion that fails delays later ones of its project, and no others.
func (d *Deletions) Look(ctx context.Context) error {
	open, err := steps(ctx, d.Cold, "1 = 1")
	if err != nil {
		return err
	}
	var projects map[string]*weir.Project
	var errs []error
	waits := map[string]bool{} // projects
	for i := range open {
		row := &open[i]
		if row.Step >= done {
			continue
		}
		if projects == nil {
			all, err := d.Projects(ctx)
			if err != nil {
				return fmt.Errorf("deletion: %w", err)
			}
			projects = make(map[string]*weir.Project, len(all))
			for _, p := range all {
				projects[p.ID] = p
			}
		}
		p := projects[row.ProjectID]
		if p == nil || waits[p.ID] {
			continue
		}
		switch err := d.continueOne(ctx, p, row); {
		case errors.Is(err, errLater):
			waits[p.ID] = true // those after it must not begin before it has ended
		case err != nil:
			waits[p.ID] = true
			errs = append(errs, fmt.Errorf("deletion %s of project %s: %w", row.ID, p.ID, err))
		}
	}
	return errors.Join(errs...)
}

// errLater says that a deletion is left for a later round.
var errLater = errors.New("another node deletes, erases or counts again")

// continueOne does what is left of a deletion. It returns errLater if another node does it. Erasures have the
// same lock, since both change the same rows.
func (d *Deletions) continueOne(ctx context.Context, p *weir.Project, row *cold.DeletionStep) error {
	release, mine, err := fleet.Hold(ctx, d.Locks, "erase:"+p.ID, lockTTL)
	switch {
	case err != nil:
		return err
	case !mine:
		return errLater
	}
	defer release()
	// A recount counts stored events into empty counters. Events that are deleted meanwhile would be
	// subtracted though they are not counted.
	if p.Recounting.Running {
		return errLater
	}
	releaseCounters, mine, err := fleet.Hold(ctx, d.Locks, hot.CorrectionLock(p.ID), lockTTL)
	switch {
	case err != nil:
		return err
	case !mine:
		return errLater
	}
	defer releaseCounters()
	now, err := steps(ctx, d.Cold, "project_id = ? AND id = ?", p.ID, row.ID)
	if err != nil || len(now) == 0 || now[0].Step >= done { // another node was faster
		return err
	}
	*row = now[0]
	one, err := deletionOf(row)
	if err != nil {
		return err
	}
	if err := d.Select.Complete(ctx); err != nil {
		return err
	}
	c := &Cold{Store: d.Cold, ProjectID: p.ID, ID: row.ID, Before: row.Before, Clock: d.Clock, Complete: d.Select.Complete}
	// Deletions are done one after the other, so those before have ended.
	others := cold.Part{Table: "deleted_events", Where: "project_id = ? AND deletion_id <> ?", Args: c.ids()}
	if err := d.Cold.DeleteRows(ctx, others); err != nil {
		return err
	}
	if row.Step == asked {
		if err := d.choose(ctx, p, c, one, row); err != nil || row.Step != selected {
			return err
		}
	}
	for _, step := range []func() error{
		func() error { return d.markOpen(ctx, c) },
		func() error { return d.Select.Complete(ctx) },
		func() error { return c.Delete(ctx) },
		func() error { d.Select.Invalidate(ctx, p); return d.correct(ctx, p, c) },
		func() error { return d.report(ctx, p, c) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	d.Select.Invalidate(ctx, p)
	row.Step, row.ChangedAt = done, d.Clock.Now().UTC().Truncate(time.Microsecond)
	if err := d.note(ctx, *row); err != nil {
		return err
	}
	d.Logger.Info("deletion: done", "project", p.ID, "id", row.ID, "events", row.Events)
	return d.Cold.DeleteRows(ctx, cold.Part{Table: "deleted_events", Where: ofDeletion, Args: c.ids()})
}

// choose stores which events are deleted, and notes the step that it leads to: selected, failed if
// the filter is not valid any more, or cancelled. What an earlier run has stored is deleted first.
func (d *Deletions) choose(ctx context.Context, p *weir.Project, c *Cold, one *Deletion, row *cold.DeletionStep) error {
	err := d.selectEvents(ctx, p, c, one, row)
	if code := weir.ErrorCode(err); code == weir.EINVALID || code == weir.ENOTFOUND {
		return d.fail(ctx, p, c, one, row, err)
	}
	if err != nil {
		return err
	}
	return d.decide(ctx, c, row, selected)
}

func (d *Deletions) selectEvents(ctx context.Context, p *weir.Project, c *Cold, one *Deletion, row *cold.DeletionStep) error {
	if err := d.Cold.DeleteRows(ctx, cold.Part{Table: "deleted_events", Where: ofDeletion, Args: c.ids()}); err != nil {
		return err
	}
	row.Events = 0
	var last *weir.EventRow
	for n := 0; ; n++ {
		page, err := d.Select.Page(ctx, p, one.Spec, row.Before, last, cold.MaxDeletedChunk)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		rows := make([]cold.DeletedEvent, len(page))
		for i := range page {
			rows[i] = cold.DeletedEvent{DeletionID: row.ID, EventRow: page[i]}
		}
		if err := d.Cold.Add(ctx, c.token("select", n), cold.Additions{Deleted: rows}); err != nil {
			return err
		}
		row.Events += int64(len(page))
		last = &page[len(page)-1]
	}
}

// markOpen marks the devices with deleted events that have open visits, so that the drain drops
// these. It deletes marks that are too old to be needed.
func (d *Deletions) markOpen(ctx context.Context, c *Cold) error {
	old := cold.Part{Table: "erasures", Where: "project_id = ? AND NOT (" + cold.OfPersons + ") AND erased_at < " + d.Cold.Dialect().Time("?"), Args: []any{c.ProjectID, d.Clock.Now().Add(-marksKept).UnixMicro()}}
	if err := d.Cold.DeleteRows(ctx, old); err != nil {
		return err
	}
	var open []string
	err := c.texts(ctx, "device_id", "session_id <> ''", statesAtOnce, func(devices []string) error {
		if len(open) > mostMarks {
			return nil
		}
		keys := map[int][]string{}
		for _, device := range devices {
			shard := hot.ShardOf(&weir.Event{ProjectID: c.ProjectID, DeviceID: device}, d.Hot.Shards())
			keys[shard] = append(keys[shard], visit.Key(c.ProjectID, device))
		}
		for shard, keys := range keys {
			states, err := d.Hot.States(ctx, shard, keys)
			if err != nil {
				return err
			}
			for i, state := range states {
				if state != nil {
					_, device := visit.Split(keys[i])
					open = append(open, device)
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("open visits: %w", err)
	}
	if len(open) > mostMarks {
		open = []string{""} // all devices
	}
	var marks []cold.Mark
	for _, device := range open {
		marks = append(marks, cold.RefoldMark(c.ProjectID, device, c.Before))
	}
	if len(marks) == 0 {
		return nil
	}
	return c.write(ctx, &cold.Batch{Marks: marks})
}

// report computes the stored reports of the days with deleted events again. If that fails, the
// deletion is done all the same: the hourly check of reports finds those of the last weeks.
func (d *Deletions) report(ctx context.Context, p *weir.Project, c *Cold) error {
	if d.Report == nil {
		return nil
	}
	var first, last sql.NullInt64
	err := c.each(ctx, "SELECT MIN(quarter), MAX(quarter) FROM deleted_events WHERE "+ofDeletion+" HAVING COUNT(*) > 0", c.ids(), func(r *sql.Rows) error { return r.Scan(&first, &last) })
	if err != nil || !first.Valid {
		return err
	}
	date := func(quarter int64) weir.Date {
		return weir.DateOf(time.Unix(quarter*weir.QuarterSeconds, 0), p.Location())
	}
	if err := d.Report(ctx, p, date(first.Int64), date(last.Int64)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		d.Logger.Error("deletion: reports are not computed again, those of the last weeks follow within an hour", "project", p.ID, "id", c.ID, "error", err)
	}
	return nil
}
