package e2e_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// counters compares those of each minute and name with the events of it.
func (a audit) counters(ctx context.Context) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		cold := map[int64]int64{}
		err := a.each(ctx, `SELECT `+a.sql.IntDiv(a.sql.Micros("ts"), "60000000")+`, count(*) FROM events WHERE project_id = ? AND name = ? GROUP BY 1`, func(rows *sql.Rows) error {
			var minute, n int64
			err := rows.Scan(&minute, &n)
			cold[minute] = n
			return err
		}, a.project, name)
		if err != nil {
			return err
		}
		points, err := a.hot.Series(ctx, a.project, hot.Minute, hot.Name, name, time.Now().Add(-48*time.Hour), time.Now().Add(480*time.Hour))
		if err != nil {
			return err
		}
		if len(points) != len(cold) {
			return fmt.Errorf("%s: counters of %d minutes, events in %d", name, len(points), len(cold))
		}
		for _, p := range points {
			if n := cold[p.Start.Unix()/60]; n != p.Count {
				return fmt.Errorf("%s at %v: the counter says %d, %d are stored", name, p.Start, p.Count, n)
			}
		}
	}
	return nil
}

// days compares the counters of each day and name with the events of it.
func (a audit) days(ctx context.Context) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		cold := map[int64]int64{}
		err := a.each(ctx, `SELECT `+a.sql.IntDiv(a.sql.Micros("ts"), "86400000000")+`, count(*) FROM events WHERE project_id = ? AND name = ? GROUP BY 1`, func(rows *sql.Rows) error {
			var day, n int64
			err := rows.Scan(&day, &n)
			cold[day] = n
			return err
		}, a.project, name)
		if err != nil {
			return err
		}
		points, err := a.hot.Series(ctx, a.project, hot.Day, hot.Name, name, time.Now().AddDate(0, 0, -40), time.Now().AddDate(0, 0, 2))
		if err != nil {
			return err
		}
		for _, p := range points {
			day := p.Start.Unix() / 86400
			if n := cold[day]; n != p.Count {
				return fmt.Errorf("%s on %v: the counter says %d, %d are stored", name, p.Start, p.Count, n)
			}
			delete(cold, day)
		}
		if len(cold) > 0 {
			return fmt.Errorf("%s: no counter has the events of these days: %v", name, cold)
		}
	}
	return nil
}
