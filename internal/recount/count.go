package recount

import (
	"context"
	"database/sql"
	"strings"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
)

// count reads the events of some days from the cold tier and adds them to the emptied buckets. Days
// and hours begin with a quarter of an hour, so it reads numbers by quarter.
type count struct {
	r        *Recounter
	project  string
	loc      *time.Location
	from, to time.Time
	id       string    // of the recount in the hot tier
	cut      time.Time // when the buckets were emptied
	heads    []uint64  // of the shards then: later events are counted already
	steps    uint64
}

// where is the condition of the events to count.
func (c *count) where() (string, []any) {
	args := []any{c.project, int64(weir.Quarter(c.from)), int64(weir.Quarter(c.to)), c.cut.Add(-spilled).UnixMicro()}
	var later []string
	for shard, head := range c.heads {
		later = append(later, "(shard = ? AND seq > ?)")
		args = append(args, int64(shard), int64(head)) //nolint:gosec // seqs are far below 2^63
	}
	// Rows of a former log may have any seq: they are older.
	return " FROM events WHERE project_id = ? AND quarter >= ? AND quarter < ? AND (" +
		c.r.c.Cold.Dialect().Micros("received_at") + " < ? OR NOT (" + strings.Join(later, " OR ") + "))", args
}

func (c *count) each(ctx context.Context, columns, more, end string, row func(scan func(...any) error) error) error {
	from, args := c.where()
	rows, err := c.r.c.Cold.Query(ctx, "SELECT "+columns+from+more+" GROUP BY "+end, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return rows.Close()
}

// buckets returns the day and the hour that a quarter of an hour is in, unless they are past their
// time.
func (c *count) buckets(quarter int32) (buckets []hot.Bucket) {
	t := time.Unix(int64(quarter)*cold.QuarterSeconds, 0)
	for _, g := range recounted {
		if c.cut.Sub(t) < g.Kept() {
			buckets = append(buckets, hot.Bucket{Grain: g, Start: g.Start(t, c.loc).Unix()})
		}
	}
	return buckets
}

// amounts adds the numbers of events.
func (c *count) amounts(ctx context.Context) error {
	type key struct {
		shard int
		hot.Bucket
		hot.Fact
	}
	sums := map[key]int64{}
	flush := func() error {
		amounts := make([]hot.Amount, 0, len(sums))
		for k, n := range sums {
			amounts = append(amounts, hot.Amount{Shard: k.shard, Bucket: k.Bucket, Fact: k.Fact, N: n})
		}
		clear(sums)
		return c.add(ctx, amounts, nil)
	}
	const columns = "quarter, shard, name, CASE WHEN method IS NULL THEN 0 ELSE 1 END AS is_call, route, status, consumer"
	err := c.each(ctx, columns+", COUNT(*)", "", "quarter, shard, name, is_call, route, status, consumer ORDER BY quarter", func(scan func(...any) error) error {
		var (
			quarter         int32
			shard, isCall   int
			n               int64
			status          sql.NullInt64
			route, consumer sql.NullString
			e               weir.Event
		)
		if err := scan(&quarter, &shard, &e.Name, &isCall, &route, &status, &consumer, &n); err != nil {
			return err
		}
		if isCall != 0 {
			e.Call = &weir.Call{Route: route.String, Status: int(status.Int64), Consumer: consumer.String}
		}
		if len(sums) > hot.MaxCorrection-hot.AmountsPerEvent {
			if err := flush(); err != nil {
				return err
			}
		}
		var facts [8]hot.Fact
		for _, b := range c.buckets(quarter) {
			for _, f := range hot.Facts(facts[:0], &e) {
				sums[key{shard, b, f}] += n
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// devices adds the devices.
func (c *count) devices(ctx context.Context) error {
	var unique []hot.Unique
	added := map[hot.Unique]struct{}{} // lately, so that a device is not added for each quarter
	flush := func() error {
		err := c.add(ctx, nil, unique)
		unique = unique[:0]
		return err
	}
	err := c.each(ctx, "quarter, device_id, bot", " AND device_id <> ''", "quarter, device_id, bot ORDER BY quarter", func(scan func(...any) error) error {
		var quarter int32
		var u hot.Unique
		if err := scan(&quarter, &u.Device, &u.Bot); err != nil {
			return err
		}
		for _, u.Bucket = range c.buckets(quarter) {
			if _, ok := added[u]; ok {
				continue
			}
			if len(added) == maxAdded {
				clear(added)
			}
			added[u] = struct{}{}
			if unique = append(unique, u); len(unique) == hot.MaxCorrection {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}

// maxAdded bounds the devices that devices remembers, some 100 bytes each.
const maxAdded = 100_000

func (c *count) add(ctx context.Context, amounts []hot.Amount, unique []hot.Unique) error {
	if len(amounts)+len(unique) == 0 {
		return nil
	}
	c.steps++
	return c.r.c.Hot.Refill(ctx, c.project, hot.Step{ID: c.id, Number: c.steps}, amounts, unique)
}
