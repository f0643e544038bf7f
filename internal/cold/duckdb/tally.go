package duckdb

import (
	"fmt"

	"github.com/weir-analytics/weir/internal/cold"
)

// compaction adds up the tallies of one kind now and then, since each batch brings
// rows of its own.
type compaction struct {
	rows     int   // added since the last one
	limit    int   // of rows
	from, to int32 // the quarters that they are of
}

// compactAt is how many rows are left as they come.
const compactAt = 50_000

// note takes the batch's tallies into account.
func (c *compaction) note(tallies []cold.Tally) {
	for i, t := range tallies {
		if c.rows == 0 && i == 0 {
			c.from, c.to = t.Quarter, t.Quarter
		}
		c.from, c.to = min(c.from, t.Quarter), max(c.to, t.Quarter)
	}
	c.rows += len(tallies)
}

// compact adds the tallies up that came since the last time, once there are enough:
// within the batch's transaction, after its rows.
func (w *writer) compact() error {
	c := &w.compaction
	if c.rows < max(c.limit, compactAt) {
		return nil
	}
	quarters := fmt.Sprintf("quarter >= %d AND quarter <= %d", c.from, c.to)
	for _, q := range []string{
		"CREATE OR REPLACE TEMP TABLE added_up AS SELECT project_id, quarter, name, method, route, status, CAST(sum(events) AS BIGINT) AS events" +
			" FROM tallies WHERE " + quarters + " GROUP BY ALL",
		"DELETE FROM tallies WHERE " + quarters,
		"INSERT INTO tallies SELECT * FROM added_up ORDER BY project_id, quarter",
	} {
		if err := w.exec(q); err != nil {
			return err
		}
	}
	left, err := w.number("SELECT count(*) FROM added_up")
	if err != nil {
		return err
	}
	// The more there are, the more new ones make it worth the while.
	*c = compaction{limit: int(left) / 4}
	return w.exec("DROP TABLE added_up")
}
