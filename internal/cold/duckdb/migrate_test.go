package duckdb_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/coldtest"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// deltas are visits as the version before stored them: what each batch adds.
// The first comes in out of order, and its last batch only marks its end; the
// second has no screen view; the third has the first one's id and another device.
const deltas = `INSERT INTO visits SELECT 'p', device, session, profile, '2026-01-02 10:00:00'::TIMESTAMP + INTERVAL (start) MINUTE,
	'2026-01-02 10:00:00'::TIMESTAMP + INTERVAL (until) MINUTE, entry, exit,
	'2026-01-02 10:00:00'::TIMESTAMP + INTERVAL (entered) MINUTE, '2026-01-02 10:00:00'::TIMESTAMP + INTERVAL (left_at) MINUTE,
	events, views, acts, calls, revenue, ended, bot, host, 'search', '', '', '', country, '', '', 'Chrome', 'Linux', 'desktop', 'de'
FROM (VALUES
	('d', 's', '',   10, 14, '/b', '/c', 10,   14,   4, 3, 1, 0, 1.5, false, false, 'b.com', 'DE'),
	('e', 't', 'me', 11, 11, '',   '',   NULL, NULL, 1, 0, 0, 1, 0.0, false, false, '',      'FR'),
	('d', 's', 'me', 5,  7,  '/a', '/b', 5,    6,    3, 2, 0, 1, 2.0, false, true,  'a.com', 'IN'),
	('d', 's', '',   15, 15, '',   '',   NULL, NULL, 1, 0, 1, 0, 0.0, false, false, 'c.com', 'US'),
	('e', 's', '',   20, 20, '/x', '/x', 20,   20,   1, 1, 0, 0, 0.0, false, false, 'x.com', 'JP'),
	('d', 's', 'me', 5,  15, '',   '',   NULL, NULL, 0, 0, 0, 0, 0.0, true,  false, '',      '')
) AS v(device, session, profile, start, until, entry, exit, entered, left_at, events, views, acts, calls, revenue, ended, bot, host, country)`

func TestVisitsOfTheFirstVersionBecomeOneStateEach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	old, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile("migrations/0001_schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	type totals struct {
		Visits, Events, Views, Acts, Calls, Ended, Bots, Lasted int64
		Revenue                                                 float64
	}
	var want, got totals
	for _, q := range []string{
		"CREATE TABLE schema_version (version INTEGER PRIMARY KEY, applied_at TIMESTAMP NOT NULL)",
		"INSERT INTO schema_version VALUES (1, now()::TIMESTAMP)", string(first), deltas,
		// Enough of them for more than one thread and row group.
		`INSERT INTO visits SELECT * EXCLUDE (range) REPLACE ('many' AS project_id, concat(device_id, range % 10_000) AS device_id) FROM visits, range(30_000)`,
	} {
		if _, err := old.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	const sums = `SELECT count(*), sum(n)::BIGINT, sum(views)::BIGINT, sum(acts)::BIGINT, sum(calls)::BIGINT,
		count(*) FILTER (ended), count(*) FILTER (bot), sum(lasted)::BIGINT, sum(revenue)`
	row := old.QueryRow(sums + ` FROM (SELECT sum(events) AS n, sum(screen_views) AS views, sum(interactive) AS acts, sum(calls) AS calls, sum(revenue) AS revenue,
		bool_or(ended) AS ended, bool_or(bot) AS bot, epoch_us(max(end_at)) - epoch_us(min(start_at)) AS lasted FROM visits GROUP BY project_id, device_id, session_id)`)
	if err := row.Scan(&want.Visits, &want.Events, &want.Views, &want.Acts, &want.Calls, &want.Ended, &want.Bots, &want.Lasted, &want.Revenue); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}

	for range 2 { // the second time there is nothing to do
		s := openFile(t, path)
		if err := scan(s, sums+` FROM (SELECT events AS n, screen_views AS views, interactive AS acts, calls, revenue, ended, bot, epoch_us(end_at) - epoch_us(start_at) AS lasted
			FROM visits WHERE sign = 1 AND version = 1)`,
			&got.Visits, &got.Events, &got.Views, &got.Acts, &got.Calls, &got.Ended, &got.Bots, &got.Lasted, &got.Revenue); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" || want.Visits != 30_003 {
			t.Errorf("%d visits (-before +after):\n%s", want.Visits, d)
		}
		if d := cmp.Diff([]string{
			"d/s 1 1 me 10:05:00 10:15:00 /a 10:05:00 /c 10:14:00 8 5 2 1 3.5 true true a.com IN",
			"e/t 1 1 me 10:11:00 10:11:00  -  - 1 0 0 1 0.0 false false  FR",
			"e/s 1 1  10:20:00 10:20:00 /x 10:20:00 /x 10:20:00 1 1 0 0 0.0 false false x.com JP",
		}, described(t, s)); d != "" {
			t.Error(d)
		}
		if err := s.Write(t.Context(), batch(1, 1)); err != nil {
			t.Error(err)
		}
		statement(t, s, "DELETE FROM visits WHERE session_id LIKE 'log%'")
		statement(t, s, "DELETE FROM batches")
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// described are the visits of the project p.
func described(t *testing.T, s *duckdb.Store) (visits []string) {
	t.Helper()
	rows, err := s.Query(t.Context(), `SELECT concat_ws(' ', concat(device_id, '/', session_id), sign, version, profile_id, start_at::TIME, end_at::TIME,
		entry, coalesce(entry_at::TIME::VARCHAR, '-'), exit, coalesce(exit_at::TIME::VARCHAR, '-'),
		events, screen_views, interactive, calls, revenue, ended, bot, referrer, country) FROM visits WHERE project_id = 'p' ORDER BY start_at`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			t.Fatal(err)
		}
		visits = append(visits, v)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return visits
}

func TestWhoWasIdentifiedBeforeThereWereAliasesIsMergedIntoNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.duckdb")
	coldtest.Upgrade(t, openFile(t, path), func(s cold.Store) cold.Store {
		for _, q := range []string{
			"DELETE FROM identities",
			"DROP TABLE aliases", "DROP TABLE deletions", "DROP TABLE deleted_events", "ALTER TABLE identities DROP COLUMN received_at",
			"ALTER TABLE visits DROP COLUMN formerly", "ALTER TABLE events DROP COLUMN rest_ms", "ALTER TABLE events DROP COLUMN replaces_ms",
			"ALTER TABLE visits DROP COLUMN received_at", "ALTER TABLE visits DROP COLUMN beside", "ALTER TABLE traits DROP COLUMN received_at", "ALTER TABLE events DROP COLUMN import_id",
			"ALTER TABLE events DROP COLUMN request_bytes", "ALTER TABLE events DROP COLUMN response_bytes", "ALTER TABLE events DROP COLUMN error",
			"ALTER TABLE events DROP COLUMN error_shape", "ALTER TABLE events DROP COLUMN trace_id",
			"DELETE FROM schema_version WHERE version >= 5",
		} {
			statement(t, s.(*duckdb.Store), q)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return openFile(t, path)
	})
}
