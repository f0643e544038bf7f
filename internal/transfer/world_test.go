package transfer_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/transfer"
	"github.com/weir-analytics/weir/internal/visit"
)

// monday is when pasts begin.
var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// clock is what the copies go by: later than all pasts.
func clock() time.Time { return monday.AddDate(0, 1, 0) }

func openFile(t testing.TB, path string) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(path, duckdb.Options{Threads: 2, Memory: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// newFile is a copy of an empty file, newFilled one of a file that fill has filled: to make
// them anew for each test takes longer than most tests.
func newFile(t testing.TB) *duckdb.Store   { t.Helper(); return copyOf(t, &emptyFile, nil) }
func newFilled(t testing.TB) *duckdb.Store { t.Helper(); return copyOf(t, &filledFile, fill) }

// Files that were made for the first test, as bytes.
var emptyFile, filledFile []byte

func copyOf(t testing.TB, file *[]byte, fill func(testing.TB, cold.Writer)) *duckdb.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cold.duckdb")
	if *file == nil {
		s := openFile(t, path)
		if fill != nil {
			fill(t, s)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		*file = b
	} else if err := os.WriteFile(path, *file, 0o600); err != nil {
		t.Fatal(err)
	}
	return openFile(t, path)
}

const shards = 3

// drain makes what a drain would write of events, and goes on where it ended.
type drain struct {
	log  string
	seqs [shards]uint64
	open [shards]visit.Open
}

func newDrain(log string) *drain {
	d := &drain{log: log}
	for i := range d.open {
		d.open[i] = visit.Open{}
	}
	return d
}

// write drains events in batches of a size, with a dead letter in some.
func (d *drain) write(t testing.TB, to cold.Writer, events []weir.Event, size int) {
	t.Helper()
	for chunk := range slices.Chunk(events, size) {
		var rows [shards][]weir.EventRow
		for _, e := range chunk {
			shard := 0
			for _, c := range []byte(e.DeviceID) {
				shard = (shard*31 + int(c)) % shards
			}
			d.seqs[shard]++
			rows[shard] = append(rows[shard], weir.EventRow{Event: e, Shard: shard, Seq: d.seqs[shard]})
		}
		for shard, rows := range rows {
			if len(rows) > 0 {
				d.batch(t, to, shard, rows)
			}
		}
	}
}

func (d *drain) batch(t testing.TB, to cold.Writer, shard int, rows []weir.EventRow) {
	t.Helper()
	first, last := rows[0].Seq, rows[len(rows)-1].Seq
	now := rows[len(rows)-1].ReceivedAt
	erased, err := to.Erased(t.Context(), monday)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		erased.Efface(&rows[i])
	}
	fold := visit.Folder{LogID: d.log, Erased: erased.MayBeIn}.Fold(d.open[shard], rows, now, nil)
	maps.Copy(d.open[shard], fold.Changed)
	b := &cold.Batch{
		Token: fmt.Sprintf("%s-%d-%d-%d", d.log, shard, first, last), Log: d.log, Shard: shard, First: first, Last: last, Now: now,
		Events: rows, Visits: fold.Visits,
	}
	if last%7 == 0 { // of events that are no longer kept
		r := rows[len(rows)-1]
		r.ID, r.Name, r.ProfileID, r.Properties = "gone", weir.NameIdentify, fmt.Sprint("user-", last%3), []byte(`{"plan":"pro","$set_once":{"first":1.5},"$add":{"n":1},"$unset":["x"],"$set":3}`)
		b.Traits = weir.TraitChanges(&r)
		b.Links = append(b.Links, weir.Link{ProjectID: r.ProjectID, DeviceID: fmt.Sprint("gone-", last%3), ProfileID: r.ProfileID, At: r.Time, Alias: true})
	}
	if last%5 == 0 {
		r := rows[0]
		b.Dead = []weir.DeadLetter{{ProjectID: r.ProjectID, Shard: shard, Seq: last, Reason: "latency_ms is not a finite number", Event: fmt.Appendf(nil, "{%q:%q,%q:%q,%q:%q,\"a\":\"\xff\"}",
			"ProfileID", r.ProfileID, "DeviceID", r.DeviceID, "ReceivedAt", r.ReceivedAt.Format(time.RFC3339Nano)), At: now}}
	}
	if err := to.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// mix is n events of a project over some days from monday, in the order of time.
func mix(project string, seed int64, days, n int) []weir.Event {
	return slices.Collect(bench.Mix(seed, bench.Plan{Project: project, From: monday, To: monday.AddDate(0, 0, days), Events: n, Devices: n/20 + 1}))
}

// identified makes identify events of some.
func identified(events []weir.Event) []weir.Event {
	for i := range events {
		if i%4 == 0 {
			e := &events[i]
			e.Name, e.ProfileID, e.Call = weir.NameIdentify, fmt.Sprint("user-", i%5), nil
			e.Properties = []byte(fmt.Sprintf(`{"plan":"p%d","$add":{"visits":1}}`, i%3))
			if i%12 == 0 {
				e.Properties = []byte(fmt.Sprintf(`{"$alias":"former-%d"}`, i%7))
			}
			if i%8 == 0 {
				e.DeviceID = "" // a server's
			}
		}
	}
	return events
}

// filled is how many events fill makes.
const filled = 750

// fill makes a past of two projects: 2 days with 600 events, 1 with 150.
func fill(t testing.TB, to cold.Writer) {
	t.Helper()
	newDrain("log").write(t, to, mix("shop", 1, 2, 600), 200)
	newDrain("blog").write(t, to, identified(mix("a/b %", 2, 1, 150)), 100)
	err := to.Write(t.Context(), &cold.Batch{Token: "marks", Log: "log", Shard: shards, Now: clock(), Marks: []cold.Mark{
		{ProjectID: "shop", Person: "hash", At: monday, By: "user 1"}, {ProjectID: "shop", Person: "other", At: monday},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// small makes a copy of little cut it often.
func small() transfer.Options {
	return transfer.Options{
		Batch: 60, Window: 200, Clock: clock,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func copyAll(t testing.TB, from cold.Reader, to transfer.Store, o transfer.Options) transfer.Report {
	t.Helper()
	rep, err := transfer.Run(t.Context(), from, to, o)
	if err != nil {
		t.Fatal(err, rep.Differences)
	}
	return rep
}

// columns are what is compared of a table, by a reader that the copy has no part in.
var columns = map[string]string{
	"events": `id, project_id, name, ts, quarter, received_at, profile_id, device_id, session_id, person, path, origin, title, referrer, channel,
utm_source, utm_medium, utm_campaign, utm_term, utm_content, country, region, city, browser, browser_version, os, os_version, device_type, bot,
language, library, method, route, status, latency_ms, consumer, revenue, currency, properties,
inherited_from, closes_event_id, closes_path, closes_ms, shard, seq FROM events`,
	"visits": `device_id, session_id, version, project_id, profile_id, start_at, end_at, entry, exit, entry_at, exit_at,
events, screen_views, interactive, calls, revenue, ended, bot, referrer, channel, utm_source, utm_medium, utm_campaign,
country, region, city, browser, os, device_type, language, CAST(SUM(sign) AS BIGINT) AS n FROM visits
GROUP BY device_id, session_id, version, project_id, profile_id, start_at, end_at, entry, exit, entry_at, exit_at,
events, screen_views, interactive, calls, revenue, ended, bot, referrer, channel, utm_source, utm_medium, utm_campaign,
country, region, city, browser, os, device_type, language HAVING SUM(sign) <> 0`,
	// A writer leaves out what is there from an earlier time on, so the same links may be in other rows.
	"identities":   "project_id, device_id, profile_id, MIN(linked_at) AS since FROM identities GROUP BY project_id, device_id, profile_id",
	"aliases":      "DISTINCT project_id, alias, profile_id, linked_at FROM aliases",
	"traits":       "DISTINCT project_id, trait, profile_id, place, changed_at, op, text, quoted, micros FROM traits",
	"erasures":     "DISTINCT project_id, person, erased_at, erased_by FROM erasures",
	"dead_letters": "project_id, shard, seq, reason, event, refused_at FROM dead_letters",
	"sightings":    "DISTINCT project_id, quarter, person FROM sightings",
}

// contents are the rows of all tables as text, in order.
func contents(t testing.TB, s cold.Reader) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for table, query := range columns {
		out[table] = rowsOf(t, s, "SELECT "+query)
	}
	return out
}

func rowsOf(t testing.TB, s cold.Reader, query string) []string {
	t.Helper()
	rows, err := s.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, v := range values {
			switch v := v.(type) {
			case time.Time:
				fmt.Fprintf(&b, "%d|", v.UnixMicro())
			case []byte:
				fmt.Fprintf(&b, "%q|", string(v))
			case string:
				fmt.Fprintf(&b, "%q|", v)
			default:
				fmt.Fprintf(&b, "%v|", v)
			}
		}
		out = append(out, b.String())
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

func same(t testing.TB, want, got cold.Reader) {
	t.Helper()
	if diff := cmp.Diff(contents(t, want), contents(t, got)); diff != "" {
		t.Errorf("(-source +destination):\n%s", diff)
	}
}

// statement runs a statement that answers nothing.
func statement(t testing.TB, s cold.Reader, query string) {
	t.Helper()
	rows, err := s.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		t.Fatal(err)
	}
}
