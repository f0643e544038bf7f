package clickhouse

import (
	"context"
	"fmt"
	"math/rand/v2"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// isolate finds the first event that the table does not take, such as one against a
// constraint, by writing ever smaller parts of the batch to a table of the same
// structure in memory. It returns a *cold.RowError, or cause when that table takes
// all: then the fault is not in a row.
func (c *session) isolate(ctx context.Context, b *cold.Batch, cause error) (err error) {
	probe := fmt.Sprintf("probe_%016x", rand.Uint64()) //nolint:gosec // only a name
	if err := c.exec(ctx, fmt.Sprintf("CREATE TABLE %s AS %s ENGINE = Memory", probe, c.url.local(events.name))); err != nil {
		return fmt.Errorf("look for the row: %w", err)
	}
	defer func() {
		if e := c.exec(ctx, "DROP TABLE "+probe); e != nil && err == nil {
			err = e
		}
	}()
	// The first bad row is in [from, to).
	from, to := 0, len(b.Events)
	for to-from > 0 {
		mid := from + (to-from+1)/2
		bad, err := c.refused(ctx, probe, b, b.Events[from:mid])
		switch {
		case err != nil:
			return err
		case bad != nil && mid-from == 1:
			return &cold.RowError{Index: from, Reason: reason(bad)}
		case bad != nil:
			to = mid
		default:
			from = mid
		}
	}
	return cause
}

// refused is ClickHouse's objection to a row among some, nil when it has none.
func (c *session) refused(ctx context.Context, probe string, b *cold.Batch, rows []weir.EventRow) (bad, err error) {
	err = insertInto(ctx, c, probe, events, "", rows, originOf(b))
	if spoiled[code(err)] {
		return err, nil
	}
	return nil, err
}

// reason is an error's text, cut to a length that fits into a row.
func reason(err error) string {
	const most = 500
	s := clean(err.Error())
	if len(s) > most {
		s = clean(s[:most])
	}
	return "ClickHouse: " + s
}
