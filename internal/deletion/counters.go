package deletion

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
)

// correct takes the deleted events out of the hot tier, see hot.Corrector: out of counters, of
// the numbers of devices, and of the ids that make an event a duplicate. The events are always
// the same, and so are the steps.
func (d *Deletions) correct(ctx context.Context, p *weir.Project, c *Cold) error {
	now := d.Clock.Now()
	buckets := map[hot.Bucket]bool{}
	step := hot.Step{ID: c.ID}
	err := c.chunks(ctx, func(_ int, rows []cold.DeletedEvent) error {
		events := eventRows(rows)
		for i := range events {
			var some [len(hot.Grains)]hot.Bucket
			for _, b := range hot.Buckets(some[:0], events[i].Time, p.Location(), now) {
				buckets[b] = true
			}
		}
		for amounts := range slices.Chunk(hot.Amounts(events, p.Location()), hot.MaxCorrection) {
			step.Number++
			if err := d.Hot.Subtract(ctx, c.ProjectID, step, amounts); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("counters: %w", err)
	}
	sorted := slices.SortedFunc(maps.Keys(buckets), func(a, b hot.Bucket) int { return int(a.Start - b.Start) })
	for some := range slices.Chunk(sorted, hot.MaxCorrection) {
		if err := d.Hot.ClearUniques(ctx, c.ProjectID, some); err != nil {
			return fmt.Errorf("numbers of devices: %w", err)
		}
	}
	if err := d.Select.Complete(ctx); err != nil {
		return err
	}
	if err := d.addDevices(ctx, p, c, buckets, now); err != nil {
		return fmt.Errorf("numbers of devices: %w", err)
	}
	err = c.chunks(ctx, func(_ int, rows []cold.DeletedEvent) error { return d.Hot.DropIDs(ctx, eventRows(rows)) })
	if err != nil {
		return fmt.Errorf("ids of events: %w", err)
	}
	return nil
}

func eventRows(rows []cold.DeletedEvent) []weir.EventRow {
	out := make([]weir.EventRow, len(rows))
	for i := range rows {
		out[i] = rows[i].EventRow
	}
	return out
}

// addDevices adds the devices of the events that are left to the buckets, an hour at a time. Each
// bucket is within a day that has a bucket too.
func (d *Deletions) addDevices(ctx context.Context, p *weir.Project, c *Cold, buckets map[hot.Bucket]bool, now time.Time) error {
	dialect := d.Cold.Dialect()
	q := "SELECT DISTINCT " + dialect.Micros(dialect.Minute("ts")) + " AS minute, device_id, bot FROM events WHERE project_id = ? AND quarter >= ? AND quarter <= ? AND ts >= " +
		dialect.Time("?") + " AND ts < " + dialect.Time("?") + " AND device_id <> ''"
	for b := range buckets {
		if b.Grain != hot.Day {
			continue
		}
		begin := time.Unix(b.Start, 0)
		end := weir.DateOf(begin, p.Location()).Add(1).Begin(p.Location())
		for from := begin; from.Before(end); from = from.Add(time.Hour) {
			to := from.Add(time.Hour)
			if end.Before(to) {
				to = end
			}
			unique := map[hot.Unique]bool{}
			args := []any{c.ProjectID, int64(weir.Quarter(from)), int64(weir.Quarter(to)), from.UnixMicro(), to.UnixMicro()}
			err := c.each(ctx, q, args, func(r *sql.Rows) error {
				var us int64
				var device string
				var bot bool
				if err := r.Scan(&us, &device, &bot); err != nil {
					return err
				}
				var some [len(hot.Grains)]hot.Bucket
				for _, in := range hot.Buckets(some[:0], time.UnixMicro(us), p.Location(), now) {
					if buckets[in] {
						unique[hot.Unique{Bucket: in, Device: device, Bot: bot}] = true
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
			for some := range slices.Chunk(slices.Collect(maps.Keys(unique)), hot.MaxCorrection) {
				if err := d.Hot.AddUniques(ctx, c.ProjectID, some); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
