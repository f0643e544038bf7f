package e2e_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/ClickHouse/clickhouse-go/v2"
	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/hot"
)

var (
	errMissing = errors.New("of an acknowledged event something is missing")
	errTwice   = errors.New("an event is stored twice")
)

// audit compares what is stored with what was acknowledged. Everything that was
// sent was sent until it was acknowledged, and all of it is drained.
type audit struct {
	acked   []sent // of a device in order
	project string
	hot     hot.Store
	cold    *sql.DB
	sql     cold.Dialect // of cold
	place   string       // columns that name the shard whose log an event stood in
	jumps   bool         // the server's clock was set while it ran
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

// check finds the first difference.
func (a audit) check(ctx context.Context) error {
	for _, look := range a.looks() {
		if err := look(ctx); err != nil {
			return err
		}
	}
	return nil
}

// looks are what there is to compare, in order, with names.
func (a audit) looks() iter.Seq2[string, func(context.Context) error] {
	return func(yield func(string, func(context.Context) error) bool) {
		_ = yield("log", a.drained) && yield("events", a.events) && yield("places", a.places) && yield("counters", a.counters) &&
			yield("tallies", a.tallies) && yield("sightings", a.sightings) && yield("links", a.links) && yield("visits", a.visits)
	}
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
	err := a.each(ctx, `SELECT id, count(*) FROM events WHERE project_id = ? GROUP BY id`, func(rows *sql.Rows) error {
		var id string
		var n int
		err := rows.Scan(&id, &n)
		stored[id] = n
		return err
	}, a.project)
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

// places checks that each place of each shard's log is stored once.
func (a audit) places(ctx context.Context) error {
	return a.each(ctx, `
		SELECT `+a.place+`, count(*)::BIGINT, count(DISTINCT seq)::BIGINT, max(seq)::BIGINT FROM events GROUP BY `+a.place, func(rows *sql.Rows) error {
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		var n, places, last int64
		into[len(into)-3], into[len(into)-2], into[len(into)-1] = &n, &places, &last
		if err := rows.Scan(into...); err != nil {
			return err
		}
		shard := row[:len(row)-3]
		switch {
		case n != places:
			return fmt.Errorf("%w: shard %v: %d events of %d places", errTwice, shard, n, places)
		case places != last:
			return fmt.Errorf("%w: shard %v: %d places up to %d", errMissing, shard, places, last)
		}
		return nil
	})
}

// tallies checks that they count the events.
func (a audit) tallies(ctx context.Context) error {
	count := func(n, table string) string {
		return `SELECT project_id, quarter, name, ` + n + `::BIGINT FROM ` + table + ` GROUP BY project_id, quarter, name`
	}
	return a.differ(ctx, "tallies", count("sum(events)", "tallies"), count("count(*)", "events"))
}

// sightings checks that those are of the events, and of all of them.
func (a audit) sightings(ctx context.Context) error {
	const rows = `SELECT DISTINCT project_id, quarter, person FROM `
	return a.differ(ctx, "sightings", rows+`sightings`, rows+`events WHERE person <> ''`)
}

// differ finds rows that one query answers and the other does not.
func (a audit) differ(ctx context.Context, what, got, want string) error {
	count := func(query string) (n int, err error) {
		err = a.cold.QueryRowContext(ctx, `SELECT count(*) FROM (`+query+`) x`).Scan(&n)
		return n, err
	}
	missing, err := count(want + ` EXCEPT ` + got)
	if err != nil {
		return err
	}
	more, err := count(got + ` EXCEPT ` + want)
	switch {
	case err != nil:
		return err
	case missing > 0:
		return fmt.Errorf("%w: %d %s, and %d are of nothing", errMissing, missing, what, more)
	case more > 0:
		return fmt.Errorf("%d %s are of nothing", more, what)
	}
	return nil
}

// links checks that each device with a profile is linked to it since its first event, and
// that each link is what an event says.
func (a audit) links(ctx context.Context) error {
	type link struct {
		device, profile string
		at              int64
	}
	got, want, said := map[link]bool{}, map[link]bool{}, map[link]bool{}
	query := `SELECT device_id, profile_id, ` + a.sql.Micros("linked_at") + ` FROM identities WHERE project_id = ? AND profile_id <> ''`
	err := a.each(ctx, query, func(rows *sql.Rows) error {
		var l link
		err := rows.Scan(&l.device, &l.profile, &l.at)
		got[l] = true
		return err
	}, a.project)
	if err != nil {
		return err
	}
	for device, events := range a.byDevice() {
		if profile := events[0].Profile; profile != "" {
			first := events[0].Time
			for _, e := range events {
				said[link{device, profile, e.Time.UnixMicro()}] = true
				if e.Time.Before(first) {
					first = e.Time
				}
			}
			want[link{device, profile, first.UnixMicro()}] = true
		}
	}
	for l := range want {
		if !got[l] {
			return fmt.Errorf("%w: the link %+v", errMissing, l)
		}
	}
	for l := range got {
		if !said[l] {
			return fmt.Errorf("the link %+v, which no event says", l)
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
	if err := a.states(ctx); err != nil {
		return err
	}
	stored, err := a.storedVisits(ctx)
	if err != nil {
		return err
	}
	sent := a.byDevice()
	for device, events := range sent {
		got, want := stored[device], scanVisits(events)
		if a.jumps { // a visit ends when no event has arrived for half an hour of this clock
			got, want = joined(got), joined(want)
		}
		if !slices.Equal(got, want) {
			return fmt.Errorf("visits of %s:\n got %+v\nwant %+v", device, got, want)
		}
	}
	if len(stored) != len(sent) {
		return fmt.Errorf("visits of %d devices, want %d", len(stored), len(sent))
	}
	return nil
}

func (a audit) byDevice() map[string][]sent {
	devices := map[string][]sent{}
	for _, e := range a.acked {
		devices[e.Device] = append(devices[e.Device], e)
	}
	return devices
}

// states checks that each row with sign -1 cancels one that is the same but for the batch
// that brought it, and that
// only the last state of each visit is left. A visit that a late event merged into another has no
// state left. No SDK named a visit, so no visit begins again.
func (a audit) states(ctx context.Context) error {
	all, err := a.columns(ctx, "visits")
	if err != nil {
		return err
	}
	merged := map[[2]string]bool{} // device, session
	err = a.each(ctx, `SELECT device_id, formerly FROM visits WHERE formerly <> '' GROUP BY device_id, session_id, formerly HAVING sum(sign) = 1`, func(rows *sql.Rows) error {
		var device, former string
		err := rows.Scan(&device, &former)
		for session := range strings.FieldsSeq(former) {
			merged[[2]string{device, session}] = true
		}
		return err
	})
	if err != nil {
		return err
	}
	state := strings.Join(slices.DeleteFunc(all, func(c string) bool { return c == "sign" || c == "batch" }), ", ")
	for what, query := range map[string]string{
		"a row that cancels nothing, or a state that is there twice": `
			SELECT device_id, session_id, version, n::BIGINT FROM (SELECT ` + state + `, sum(sign) AS n FROM visits GROUP BY ` + state + `) x WHERE n NOT IN (0, 1)`,
		"a version of a visit with several states": `
			SELECT device_id, session_id, version, sum(sign)::BIGINT FROM visits GROUP BY device_id, session_id, version
			HAVING sum(sign) NOT IN (0, 1) OR count(*) > 2`,
		"a visit that has not just its last state": `
			SELECT device_id, session_id, max(version), sum(sign)::BIGINT FROM visits GROUP BY device_id, session_id
			HAVING sum(sign) <> 1 OR sum(sign * version) <> max(version)`,
	} {
		err := a.each(ctx, query, func(rows *sql.Rows) error {
			var device, session string
			var version, n int64
			if err := rows.Scan(&device, &session, &version, &n); err != nil {
				return err
			}
			if n == 0 && merged[[2]string{device, session}] {
				return nil
			}
			return fmt.Errorf("%s: visit %s of %s, version %d: %d\n%s", what, session, device, version, n, a.rowsOf(ctx, device, session))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// rowsOf are the rows of a visit, for an error: of each column what it has in each row,
// where they differ.
func (a audit) rowsOf(ctx context.Context, device, session string) string {
	columns, err := a.columns(ctx, "visits")
	if err != nil {
		return err.Error()
	}
	values := make([][]string, len(columns))
	err = a.each(ctx, `SELECT * FROM visits WHERE device_id = ? AND session_id = ? ORDER BY version, sign`, func(rows *sql.Rows) error {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		err := rows.Scan(into...)
		for i, v := range row {
			values[i] = append(values[i], fmt.Sprint(v))
		}
		return err
	}, device, session)
	var text strings.Builder
	for i, v := range values {
		if len(slices.Compact(slices.Clone(v))) > 1 {
			fmt.Fprintf(&text, "  %s: %s\n", columns[i], strings.Join(v, " | "))
		}
	}
	if err != nil {
		text.WriteString(err.Error())
	}
	return text.String()
}

// joined are the visits of a device as if all were one, without the time on pages.
func joined(visits []sitting) []sitting {
	var all sitting
	for i, v := range visits {
		if i == 0 {
			all.start = v.start
		}
		all.end = v.end
		all.entry, all.exit = cmp.Or(all.entry, v.entry), cmp.Or(v.exit, all.exit)
		all.events, all.views, all.acts = all.events+v.events, all.views+v.views, all.acts+v.acts
	}
	return []sitting{all}
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

// storedVisits are the visits of each device, the first to begin first.
func (a audit) storedVisits(ctx context.Context) (map[string][]sitting, error) {
	visits := map[string][]sitting{}
	sum := func(value string) string { return `sum(v.sign * ` + value + `)::BIGINT` }
	// The session ids that a visit's events are stored with.
	names := `SELECT DISTINCT device_id, session_id AS name, session_id FROM visits UNION ALL
		SELECT device_id, ` + a.sql.Words("formerly") + ` AS name, session_id FROM (
			SELECT device_id, session_id, formerly FROM visits WHERE formerly <> '' GROUP BY device_id, session_id, formerly HAVING sum(sign) = 1) f`
	err := a.each(ctx, `
		SELECT v.device_id, `+sum(a.sql.Micros("v.start_at"))+` AS s, `+sum(a.sql.Micros("v.end_at"))+`,
			`+sum("v.events")+`, `+sum("v.screen_views")+`, `+sum("v.interactive")+`,
			`+a.sql.ArgMax("v.entry", "v.version")+`, `+a.sql.ArgMax("v.exit", "v.version")+`, max(e.ms)
		FROM visits v JOIN (
			SELECT n.device_id AS device_id, n.session_id AS session_id,
				(sum(e.closes_ms) + sum(coalesce(e.rest_ms, 0)) - sum(coalesce(e.replaces_ms, 0)))::BIGINT AS ms
			FROM (`+names+`) n JOIN events e ON e.device_id = n.device_id AND e.session_id = n.name
			GROUP BY n.device_id, n.session_id
		) e ON e.device_id = v.device_id AND e.session_id = v.session_id
		WHERE v.project_id = ?
		GROUP BY v.device_id, v.session_id HAVING sum(v.sign) > 0 ORDER BY s`, func(rows *sql.Rows) error {
		var v sitting
		var device string
		var start, end int64
		err := rows.Scan(&device, &start, &end, &v.events, &v.views, &v.acts, &v.entry, &v.exit, &v.page)
		v.start, v.end = time.UnixMicro(start).UTC(), time.UnixMicro(end).UTC()
		visits[device] = append(visits[device], v)
		return err
	}, a.project)
	return visits, err
}

// columns are the names of a table's.
func (a audit) columns(ctx context.Context, table string) ([]string, error) {
	rows, err := a.cold.QueryContext(ctx, `SELECT * FROM `+table+` LIMIT 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	return rows.Columns()
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
