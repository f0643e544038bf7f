// Package deletion deletes events of a project, as if they had never come: a mistake of a sender,
// or an import that was wrong. An erasure (package insight) is about a person and keeps numbers; a
// deletion is about events and changes them.
//
// A deletion has three steps that are stored: asked, selected (it is stored which events are
// deleted) and done. One that did not end is continued by Run, on any node with the role jobs.
// Before its events are selected it may be cancelled, and it fails if its filter is not valid any
// more.
package deletion

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Store is what a deletion needs of a cold tier. A cold.Store is one.
type Store interface {
	cold.Reader
	cold.Writer
	cold.Deleter
}

// Cold deletes a deletion's events from a cold tier, and corrects what is stored beside them:
// tallies, visits, what other events have of the deleted ones, sightings, links and traits. The
// events are those of the table deleted_events. All of it may be repeated.
type Cold struct {
	Store     Store
	ProjectID string
	ID        string    // of the deletion
	Before    time.Time // the events were received before
	Clock     weir.Clock

	// Complete waits until all that was acknowledged is stored; nil if nobody writes.
	Complete func(context.Context) error
}

// Delete does it. The open visits of the events' devices must be dropped before.
func (c *Cold) Delete(ctx context.Context) error {
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"events", c.deleteEvents},
		{"visits", c.refold},
		{"links and traits", c.deletePeople},
		{"sightings", c.deleteSightings},
		{"what came meanwhile", c.addAnew},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("deletion: %s: %w", step.what, err)
		}
	}
	return nil
}

func (c *Cold) deleteEvents(ctx context.Context) error {
	return c.chunks(ctx, func(n int, rows []cold.DeletedEvent) error {
		return c.Store.DeleteEvents(ctx, cold.DeletedChunk{ProjectID: c.ProjectID, DeletionID: c.ID, Number: n, Events: rows})
	})
}

// ofDeletion is the condition on rows of deleted_events.
const ofDeletion = "project_id = ? AND deletion_id = ?"

func (c *Cold) ids() []any { return []any{c.ProjectID, c.ID} }

// chunks calls f with all events of the deletion, MaxDeletedChunk at a time, always the same
// ones under a number. The numbers begin at 0.
func (c *Cold) chunks(ctx context.Context, f func(n int, rows []cold.DeletedEvent) error) error {
	columns := schema.DeletedEvents.Stored()
	q := "SELECT " + schema.Names(columns) + " FROM deleted_events WHERE " + ofDeletion
	args := c.ids()
	for n := 0; ; n++ {
		read := schema.Scanner(columns)
		var rows []cold.DeletedEvent
		err := c.each(ctx, q+fmt.Sprintf(" ORDER BY quarter, shard, seq, id LIMIT %d", cold.MaxDeletedChunk), args, func(r *sql.Rows) error {
			rows = append(rows, cold.DeletedEvent{})
			return read(r.Scan, &rows[len(rows)-1])
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := f(n, rows); err != nil {
			return err
		}
		last := &rows[len(rows)-1]
		if n == 0 {
			q += " AND quarter >= ? AND (quarter > ? OR shard > ? OR shard = ? AND (seq > ? OR seq = ? AND id > ?))"
		}
		quarter := int64(weir.Quarter(last.Time))
		args = append(c.ids(), quarter, quarter, last.Shard, last.Shard, last.Seq, last.Seq, last.Event.ID)
	}
}

// texts calls f with the distinct values of a column of the deletion's events for which a
// condition holds, some at a time. Empty text is left out.
func (c *Cold) texts(ctx context.Context, column, where string, some int, f func([]string) error) error {
	for last := ""; ; {
		var page []string
		q := fmt.Sprintf("SELECT DISTINCT %s FROM deleted_events WHERE %s AND %s AND %s > ? ORDER BY %s LIMIT %d", column, ofDeletion, where, column, column, some)
		err := c.each(ctx, q, append(c.ids(), last), func(r *sql.Rows) error {
			page = append(page, "")
			return r.Scan(&page[len(page)-1])
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := f(page); err != nil {
			return err
		}
		last = page[len(page)-1]
	}
}

// each calls f for each row of a query.
func (c *Cold) each(ctx context.Context, q string, args []any, f func(*sql.Rows) error) error {
	return each(ctx, c.Store, q, args, f)
}

func each(ctx context.Context, from cold.Reader, q string, args []any, f func(*sql.Rows) error) error {
	rows, err := from.Query(ctx, q, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// token names a write of this run. A deletion that is repeated may have other rows to write.
func (c *Cold) token(what string, number int) string {
	return fmt.Sprintf("delete/%s/%s/%d/%d", c.ID, what, number, c.Clock.Now().UnixNano())
}

// write writes rows that are no events.
func (c *Cold) write(ctx context.Context, b *cold.Batch) error {
	b.Token = c.token("rows", 0)
	b.Log, b.Shard, b.Now, b.Effaced, b.Copied = b.Token, noShard, c.Clock.Now(), true, true
	err := c.Store.Write(ctx, b)
	for tries := 0; err != nil && tries < writeTries && ctx.Err() == nil; tries++ {
		b.Again = true
		err = c.Store.Write(ctx, b)
	}
	return err
}

const (
	// noShard is the shard of batches that no drain writes.
	noShard = -1
	// writeTries is how often a write is repeated whose result is unknown.
	writeTries = 3
)

// in is a list of bound values.
func in[V any](values []V) (list string, args []any) {
	for i, v := range values {
		if i > 0 {
			list += ", "
		}
		list += "?"
		args = append(args, v)
	}
	return "(" + list + ")", args
}
