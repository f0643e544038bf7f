package clickhouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ClickHouse/ch-go/proto"
	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/weir-analytics/weir/internal/cold"
)

// forgetTimeout is how long one table of a server may take. What it began goes on
// in the server after that, and the next call waits for it.
const forgetTimeout = 10 * time.Minute

// Forget deletes on each server of a cluster, table by table, and waits until the
// rows are gone there. A server that is away is an error; the others are done.
func (s *Store) Forget(ctx context.Context, deletions ...cold.Deletion) error {
	deletions = slices.Clone(deletions)
	for i := range deletions {
		deletions[i].ProjectID = clean(deletions[i].ProjectID)
	}
	parts, err := cold.DeletionParts(deletions, Dialect{}.Time("?"))
	if err != nil || len(parts) == 0 {
		return err
	}
	// Connections of its own: a question's limits are too short.
	u := *s.url
	u.MaxTime = forgetTimeout
	servers, done, err := (&Store{url: &u}).servers(ctx)
	if err != nil {
		return fmt.Errorf("clickhouse: forget: %w", Explain(err))
	}
	defer done()
	// Before it, so that a batch written meanwhile brings its sightings; after it,
	// since they may have gone with the others.
	s.writer.forgetSightings()
	defer s.writer.forgetSightings()
	var errs []error
	for _, db := range servers {
		for _, p := range parts {
			if err := forgetRows(ctx, db, u.Database+"."+u.local(p.Table)+" WHERE "+p.Where, p.Args...); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", u.local(p.Table), Explain(err)))
				break
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("clickhouse: forget: %w", err)
	}
	return nil
}

// forgetRows deletes the rows of a table and a condition. A deletion passes over
// all parts of the table, so none is begun where there is nothing to delete.
func forgetRows(ctx context.Context, db *sql.DB, from string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	found, err := anyRow(ctx, db, from, args)
	if err != nil || !found {
		return err
	}
	return mutate(ctx, db, "DELETE FROM "+from, args)
}

// updateRows changes columns of the rows of a condition. No column may be in the sorting
// key. The first bound arguments are those of set, the others those of where.
func updateRows(ctx context.Context, db *sql.DB, table, set string, bound int, where string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, forgetTimeout)
	defer cancel()
	n, err := anyRow(ctx, db, table+" WHERE "+where, args[bound:])
	if err != nil || !n {
		return err
	}
	return mutate(ctx, db, "ALTER TABLE "+table+" UPDATE "+set+" WHERE "+where, args)
}

// anyRow says whether there is a row of a table and a condition.
func anyRow(ctx context.Context, db *sql.DB, from string, args []any) (bool, error) {
	q, bound, err := bindings("SELECT toInt64(count()) FROM (SELECT 1 FROM "+from+" LIMIT 1)", args)
	if err != nil {
		return false, err
	}
	var n int64
	err = db.QueryRowContext(ctx, q, bound...).Scan(&n)
	return n > 0, err
}

// mutate passes over the parts of a table.
func mutate(ctx context.Context, db *sql.DB, q string, args []any) error {
	q, bound, err := bindings(q, args)
	if err != nil {
		return err
	}
	// 1 waits for this server, and each is asked: 2 would wait for replicas that are
	// away. Before 24.4 the second was not known, and the first did.
	set := ch.Settings{"mutations_sync": 1, "lightweight_deletes_sync": 1}
	_, err = db.ExecContext(ch.Context(ctx, ch.WithSettings(set)), q, bound...)
	if code(err) == codeUnknownSetting {
		delete(set, "lightweight_deletes_sync")
		_, err = db.ExecContext(ch.Context(ctx, ch.WithSettings(set)), q, bound...)
	}
	return err
}

const codeUnknownSetting proto.Error = 115

// forgetSightings makes the connections that wait for work forget which sightings
// and links are there. One too many does no harm.
func (w *writer) forgetSightings() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.idle {
		c.sightings, c.linked = cold.Sightings{}, cold.Linked{}
	}
}
