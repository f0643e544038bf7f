package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/schema"
)

// Add inserts the rows of each table under the token.
func (s *Store) Add(ctx context.Context, token string, rows cold.Additions) error {
	err := s.session(ctx, func(c *session) error {
		for _, f := range []func() error{
			func() error { return insert(ctx, c, deleted, token, rows.Deleted, schema.Origin{}) },
			func() error { return insert(ctx, c, sightings, token, rows.Sightings, schema.Origin{}) },
			func() error { return insert(ctx, c, deletions, token, rows.Steps, schema.Origin{}) },
		} {
			if err := f(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("clickhouse: add: %w", Explain(err))
	}
	return nil
}

// session runs f with a connection for writing.
func (s *Store) session(ctx context.Context, f func(*session) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	return retry(ctx, func() error {
		c, err := s.writer.acquire(ctx)
		if err != nil {
			return err
		}
		err = f(c)
		s.writer.give(c, err)
		return err
	})
}

// DeleteEvents inserts negative tallies under a log of the chunk's own, and deletes the events
// then. When it is repeated, only tallies that are not there under that log are inserted.
func (s *Store) DeleteEvents(ctx context.Context, d cold.DeletedChunk) error {
	b := &cold.Batch{Token: fmt.Sprintf("delete/%s/%d", d.DeletionID, d.Number), Shard: -1}
	b.Log = b.Token
	for i := range d.Events {
		b.Events = append(b.Events, d.Events[i].EventRow)
	}
	err := s.session(ctx, func(c *session) error {
		there, err := c.presentTallies(ctx, b)
		if err != nil {
			return err
		}
		var missing []cold.Tally
		for _, t := range d.Tallies() {
			if !there[kindOf(t)] {
				missing = append(missing, t)
			}
		}
		return insert(ctx, c, tallies, fmt.Sprintf("%s/%d", b.Token, time.Now().UnixNano()), missing, originOf(b))
	})
	if err != nil {
		return fmt.Errorf("clickhouse: tallies of deleted events: %w", Explain(err))
	}
	places := make([]string, len(d.Events))
	for i := range d.Events {
		places[i] = placeOf(&d.Events[i].EventRow)
	}
	first, last := d.Span()
	return s.DeleteRows(ctx, cold.Part{
		Table: "events", Where: "project_id = ? AND quarter >= ? AND quarter <= ? AND " + placeIn(places),
		Args: []any{clean(d.ProjectID), int64(first), int64(last)},
	})
}

// DeleteRows deletes on each server of a cluster in turn.
func (s *Store) DeleteRows(ctx context.Context, parts ...cold.Part) error {
	if len(parts) == 0 {
		return nil
	}
	defer s.writer.forgetSightings()
	return s.onServers(ctx, "delete rows", func(u *URL, db *sql.DB) error {
		for _, p := range parts {
			if err := forgetRows(ctx, db, u.Database+"."+u.local(p.Table)+" WHERE "+p.Where, p.Args...); err != nil {
				return fmt.Errorf("%s: %w", u.local(p.Table), err)
			}
		}
		return nil
	})
}

// Refold updates the columns in place: none is in the sorting key.
func (s *Store) Refold(ctx context.Context, rows []weir.EventRow) error {
	if len(rows) == 0 {
		return nil
	}
	places := make([]string, len(rows))
	first, last := weir.Quarter(rows[0].Time), weir.Quarter(rows[0].Time)
	for i := range rows {
		places[i] = placeOf(&rows[i])
		first, last = min(first, weir.Quarter(rows[i].Time)), max(last, weir.Quarter(rows[i].Time))
	}
	index := "indexOf([" + strings.Join(places, ", ") + "], " + eventPlace + ")"
	var set []string
	for _, c := range cold.FoldedColumns {
		values := make([]string, len(rows))
		for i := range rows {
			switch f := c.Value.(type) {
			case func(*weir.EventRow) *string:
				values[i] = quoted(*f(&rows[i]))
			case func(*weir.EventRow) *int64:
				values[i] = "toInt64(" + strconv.FormatInt(*f(&rows[i]), 10) + ")"
			case func(*weir.EventRow) *weir.Number:
				values[i] = "NULL"
				if n := f(&rows[i]); n.Known {
					values[i] = "toFloat64(" + strconv.FormatFloat(n.Value, 'g', -1, 64) + ")"
				}
			}
		}
		list := "[" + strings.Join(values, ", ") + "]"
		if c.Null != schema.Never {
			list = "CAST(" + list + ", 'Array(Nullable(Float64))')"
		}
		set = append(set, c.Name+" = "+list+"["+index+"]")
	}
	where := "project_id = ? AND quarter >= ? AND quarter <= ? AND " + placeIn(places)
	args := []any{clean(rows[0].ProjectID), int64(first), int64(last)}
	return s.onServers(ctx, "refold", func(u *URL, db *sql.DB) error {
		return updateRows(ctx, db, u.Database+"."+u.local("events"), strings.Join(set, ", "), 0, where, args...)
	})
}

// onServers runs f on each server of a cluster. If one is away that is an error, and the
// others are done.
func (s *Store) onServers(ctx context.Context, what string, f func(*URL, *sql.DB) error) error {
	u := *s.url
	u.MaxTime = forgetTimeout
	servers, done, err := (&Store{url: &u}).servers(ctx)
	if err != nil {
		return fmt.Errorf("clickhouse: %s: %w", what, Explain(err))
	}
	defer done()
	var errs []error
	for _, db := range servers {
		if err := f(&u, db); err != nil {
			errs = append(errs, Explain(err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clickhouse: %s: %w", what, err)
	}
	return nil
}

// eventPlace is an event's shard, seq and id as one text. placeOf is the same of a row, as a
// literal.
const eventPlace = "concat(toString(shard), ' ', toString(seq), ' ', id)"

func placeOf(r *weir.EventRow) string { return quoted(fmt.Sprintf("%d %d %s", r.Shard, r.Seq, r.ID)) }

func placeIn(places []string) string {
	return eventPlace + " IN (" + strings.Join(places, ", ") + ")"
}

// quoted is text as a literal. A "?" in it is no place for an argument.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
