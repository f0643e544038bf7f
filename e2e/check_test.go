package e2e_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/weir-analytics/weir/internal/hot"
)

var (
	errMissing = errors.New("an acknowledged event is missing")
	errTwice   = errors.New("an event is stored twice")
)

// audit compares what is stored with what was acknowledged. Everything that was
// sent was sent until it was acknowledged, and all of it is drained.
type audit struct {
	acked   []sent // of a device in order
	project string
	hot     hot.Store
	cold    *sql.DB
	close   func()
}

// check compares what the stopped nodes hold with what the loads' clients sent.
func check(t *testing.T, stopped interface{ audit() (audit, error) }, p project, loads ...*load) error {
	t.Helper()
	a, err := stopped.audit()
	if err != nil {
		return err
	}
	defer a.close()
	a.project = p.ID
	for _, l := range loads {
		a.acked = append(a.acked, l.acked...)
	}
	return a.check(t.Context())
}

// check finds the first difference: in events, in counters, in visits.
func (a audit) check(ctx context.Context) error {
	for _, look := range []func(context.Context) error{a.drained, a.events, a.counters, a.visits} {
		if err := look(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a audit) drained(ctx context.Context) error {
	n, err := waiting(ctx, a.hot)
	if err == nil && n > 0 {
		err = fmt.Errorf("%d events are not drained", n)
	}
	return err
}

// waiting is how many events the log holds that are not in the cold tier.
func waiting(ctx context.Context, log hot.Log) (n uint64, err error) {
	for shard := range log.Shards() {
		head, err := log.Head(ctx, shard)
		if err != nil {
			return 0, err
		}
		p, err := log.Progress(ctx, shard)
		if err != nil {
			return 0, err
		}
		n += head - p.Committed
	}
	return n, nil
}

func (a audit) events(ctx context.Context) error {
	stored := map[string]int{}
	err := a.each(ctx, `SELECT id, count(*) FROM events GROUP BY id`, func(rows *sql.Rows) error {
		var id string
		var n int
		err := rows.Scan(&id, &n)
		stored[id] = n
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range a.acked {
		switch n := stored[e.ID]; n {
		case 1:
		case 0:
			return fmt.Errorf("%w: %s", errMissing, e.ID)
		default:
			return fmt.Errorf("%w: %s, %d times", errTwice, e.ID, n)
		}
	}
	if len(stored) != len(a.acked) {
		return fmt.Errorf("%d events are stored, %d were sent", len(stored), len(a.acked))
	}
	return nil
}

// counters compares those of each minute and name with the events of it.
func (a audit) counters(ctx context.Context) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		cold := map[int64]int64{}
		err := a.each(ctx, `SELECT epoch_us(ts)//60000000, count(*) FROM events WHERE name = ? GROUP BY 1`, func(rows *sql.Rows) error {
			var minute, n int64
			err := rows.Scan(&minute, &n)
			cold[minute] = n
			return err
		}, name)
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

// sitting is a visit as a scan over a device's events finds it.
type sitting struct {
	start, end                time.Time
	events, views, acts, page int64 // page: ms on pages that were left
	entry, exit               string
}

func (a audit) visits(ctx context.Context) error {
	byDevice := map[string][]sent{}
	for _, e := range a.acked {
		byDevice[e.Device] = append(byDevice[e.Device], e)
	}
	for device, events := range byDevice {
		want := scanVisits(events)
		got, err := a.storedVisits(ctx, device)
		if err != nil {
			return err
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("visits of %s:\n got %+v\nwant %+v", device, got, want)
		}
	}
	return nil
}

func scanVisits(events []sent) []sitting {
	var visits []sitting
	var last, view time.Time
	for _, e := range events {
		if len(visits) == 0 || e.Time.Sub(last) > 30*time.Minute || e.Time.Sub(visits[len(visits)-1].start) > 24*time.Hour {
			visits = append(visits, sitting{start: e.Time})
			view = time.Time{}
		}
		v := &visits[len(visits)-1]
		v.end, last = e.Time, e.Time
		v.events++
		if e.Name != "screen_view" {
			v.acts++
			continue
		}
		v.views++
		if !view.IsZero() {
			v.page += e.Time.Sub(view).Milliseconds()
		}
		if v.entry == "" {
			v.entry = e.Path
		}
		v.exit, view = e.Path, e.Time
	}
	return visits
}

func (a audit) storedVisits(ctx context.Context, device string) (visits []sitting, err error) {
	err = a.each(ctx, `
		SELECT min(v.start_at) s, max(v.end_at), sum(v.events)::BIGINT, sum(v.screen_views)::BIGINT, sum(v.interactive)::BIGINT,
			coalesce(arg_min(v.entry, v.entry_at), ''), coalesce(arg_max(v.exit, v.exit_at), ''),
			(SELECT coalesce(sum(e.closes_ms), 0)::BIGINT FROM events e WHERE e.device_id = ? AND e.session_id = v.session_id)
		FROM visits v WHERE v.device_id = ? GROUP BY v.session_id ORDER BY s`, func(rows *sql.Rows) error {
		var v sitting
		err := rows.Scan(&v.start, &v.end, &v.events, &v.views, &v.acts, &v.entry, &v.exit, &v.page)
		v.start, v.end = v.start.UTC(), v.end.UTC()
		visits = append(visits, v)
		return err
	}, device, device)
	return visits, err
}

// each calls scan for each row of the query.
func (a audit) each(ctx context.Context, query string, scan func(*sql.Rows) error, args ...any) error {
	rows, err := a.cold.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
