package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// batchOf is a batch of n events of as many visits, over two months.
func batchOf(first uint64, n int) *cold.Batch {
	b := &cold.Batch{Token: fmt.Sprint("log/0/", first), Log: "log", First: first, Last: first + uint64(n) - 1, Now: noon}
	for i := range n {
		at := noon.AddDate(0, i%2, 0).Add(time.Duration(i) * time.Second)
		seq := first + uint64(i)
		b.Events = append(b.Events, weir.EventRow{
			Event: weir.Event{ID: fmt.Sprint("e", seq), ProjectID: "p", Name: "click", Time: at, ReceivedAt: at, DeviceID: fmt.Sprint("d", i)},
			Seq:   seq,
		})
		b.Visits = append(b.Visits, weir.VisitRow{
			ProjectID: "p", DeviceID: fmt.Sprint("d", i), SessionID: fmt.Sprint("s", i), Start: at, End: at, Events: 1, Sign: 1, Version: 1,
		})
		b.Links = append(b.Links, weir.Link{ProjectID: "p", DeviceID: fmt.Sprint("d", i), ProfileID: "u", At: at})
	}
	b.Dead = []weir.DeadLetter{{ProjectID: "p", Seq: first, Reason: "why", Event: []byte("{}"), At: noon}}
	return b
}

// nextStates is a batch after b in which each visit of it has one event more.
func nextStates(b *cold.Batch) *cold.Batch {
	n := batchOf(b.Last+1, len(b.Events))
	n.Visits = nil
	for _, v := range b.Visits {
		before := v
		before.Sign = -1
		v.Version, v.Events = 2, 2
		n.Visits = append(n.Visits, before, v)
	}
	return n
}

func count(t *testing.T, s *clickhouse.Store, query string) (n int64) {
	t.Helper()
	rows, err := s.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// whole checks that the tables hold what the batches of n events add, once.
func whole(t *testing.T, s *clickhouse.Store, events, states, visits int64) {
	t.Helper()
	for q, want := range map[string]int64{
		"SELECT COUNT(*) FROM events":                             events,
		"SELECT COUNT(DISTINCT (shard, seq)) FROM events":         events,
		"SELECT COUNT(DISTINCT person) FROM sightings":            visits,
		"SELECT toInt64(SUM(sign)) FROM visits":                   visits,
		"SELECT toInt64(SUM(sign * events)) FROM visits":          states,
		"SELECT COUNT(DISTINCT device_id) FROM identities":        visits,
		"SELECT COUNT(*) - COUNT(DISTINCT seq) FROM dead_letters": 0,
	} {
		if n := count(t, s, q); n != want {
			t.Errorf("%s: %d, want %d", q, n, want)
		}
	}
}

// A server that dies between the noting of a token and the rows refuses the token
// afterwards, though the rows are not there.
func TestRetriedBatchIsWrittenWhenOnlyItsTokenIsStored(t *testing.T) {
	server := clickhousetest.Start(t)
	openAt(t, server.URL("weir"))
	for i, lost := range []string{
		"events WHERE toMonth(ts) = 4", "events", "visits", "visits WHERE toMonth(start_at) = 3", "sightings", "identities", "dead_letters", "tallies", "tallies WHERE events % 2 = 0",
	} {
		t.Run(lost, func(t *testing.T) {
			for _, table := range []string{"events", "visits", "sightings", "tallies", "identities", "dead_letters", "batches"} {
				server.Do("TRUNCATE TABLE weir." + table)
			}
			b := batchOf(uint64(1000*i+1), 100)
			if err := openAt(t, server.URL("weir")).Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			// A deletion by mask leaves the tokens known.
			server.Do("DELETE FROM weir." + strings.Replace(lost+" WHERE 1", " WHERE 1", where(lost), 1))
			server.Do("TRUNCATE TABLE weir.batches")
			b.Again = true
			s := openAt(t, server.URL("weir")) // as another node does
			for range 2 {
				if err := s.Write(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				whole(t, s, 100, 100, 100)
			}
			// The next batch takes the states back, and comes twice.
			n := nextStates(b)
			for range 2 {
				if err := s.Write(t.Context(), n); err != nil {
					t.Fatal(err)
				}
				n.Again = true
				server.Do("TRUNCATE TABLE weir.batches")
			}
			whole(t, s, 200, 200, 100)
		})
	}
}

// where completes a DELETE, which needs a condition.
func where(table string) string {
	if strings.Contains(table, " WHERE ") {
		return ""
	}
	return " WHERE 1"
}

func TestAnEventAgainstAConstraintIsNamedAndTheRestGoesOn(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	server.Do("ALTER TABLE weir.events ADD CONSTRAINT sober CHECK name != 'bad'")
	for _, bad := range [][]int{{0}, {99}, {3, 4, 50}, {}} {
		server.Do("TRUNCATE TABLE weir.events")
		b := batchOf(uint64(1000*len(bad)+1), 100)
		for _, i := range bad {
			b.Events[i].Name = "bad"
		}
		var named []string
		for {
			err := s.Write(t.Context(), b)
			var row *cold.RowError
			if !errors.As(err, &row) {
				if err != nil {
					t.Fatal(err)
				}
				break
			}
			if !strings.Contains(row.Reason, "sober") {
				t.Errorf("reason %q does not name the constraint", row.Reason)
			}
			named = append(named, b.Events[row.Index].Name)
			b.Events = append(b.Events[:row.Index:row.Index], b.Events[row.Index+1:]...)
			b.Again = true
		}
		if strings.Join(named, "") != strings.Repeat("bad", len(bad)) {
			t.Errorf("named %q of %v", named, bad)
		}
		if n := count(t, s, "SELECT COUNT(*) FROM events"); n != int64(100-len(bad)) {
			t.Errorf("%d events, want %d", n, 100-len(bad))
		}
	}
	if tables := server.Do("SELECT name FROM system.tables WHERE database = 'weir' AND name LIKE 'probe%'"); tables != "" {
		t.Errorf("left behind: %s", tables)
	}
}

// What the server is in want of for a while is told, and is gone on with after it.
func TestBatchIsWrittenAfterAReportedOutageOfClickHouse(t *testing.T) {
	server := clickhousetest.Start(t)
	for name, c := range map[string]struct{ begin, end, want string }{
		"too many parts": {
			"ALTER TABLE weir.events MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1",
			"ALTER TABLE weir.events RESET SETTING parts_to_throw_insert, parts_to_delay_insert", "merges are behind",
		},
		"a disk that is full": {
			"ALTER TABLE weir.events MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000",
			"ALTER TABLE weir.events RESET SETTING min_free_disk_bytes_to_perform_insert", "the disk is full",
		},
		"a table that is read-only": {
			"ALTER TABLE weir.events MODIFY SETTING table_readonly = 1",
			"ALTER TABLE weir.events MODIFY SETTING table_readonly = 0", "read-only",
		},
		"a table that is gone": {"RENAME TABLE weir.visits TO weir.away", "RENAME TABLE weir.away TO weir.visits", "table is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openAt(t, server.URL("weir"))
			for _, table := range []string{"events", "visits", "sightings", "tallies", "identities", "dead_letters", "batches"} {
				server.Do("TRUNCATE TABLE weir." + table)
			}
			if err := s.Write(t.Context(), batchOf(1, 10)); err != nil {
				t.Fatal(err)
			}
			server.Do(c.begin)
			b := batchOf(11, 10)
			b.Visits, b.Links, b.Dead = batchOf(1, 20).Visits[10:], nil, nil
			err := s.Write(t.Context(), b)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			server.Do(c.end)
			b.Again = true
			if err := s.Write(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			if n := count(t, s, "SELECT COUNT(*) FROM events"); n != 20 {
				t.Errorf("%d events, want 20", n)
			}
		})
	}
}

func TestAServerThatIsAwayIsSaidToBeAndComesBack(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	if err := s.Write(t.Context(), batchOf(1, 10)); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	b := batchOf(11, 10)
	b.Visits, b.Links = nil, nil
	if err := s.Write(t.Context(), b); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("write: %v", err)
	}
	if _, err := s.Query(t.Context(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "cannot be reached") {
		t.Errorf("query: %v", err)
	}
	server.Restart()
	b.Again = true
	if err := s.Write(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if n := count(t, s, "SELECT COUNT(*) FROM events"); n != 20 {
		t.Errorf("%d events, want 20", n)
	}
}

func TestAHungServerIsGivenUpWithTheContext(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	for call, f := range map[string]func(context.Context) error{
		"write":  func(ctx context.Context) error { return s.Write(ctx, batchOf(11, 10)) },
		"erased": func(ctx context.Context) error { _, err := s.Erased(ctx, time.Time{}); return err },
		"query":  func(ctx context.Context) error { _, err := s.Query(ctx, "SELECT 1"); return err },
	} {
		if err := f(t.Context()); err != nil {
			t.Fatal(err)
		}
		server.Pause()
		// The first goes over the connection of that, the second gets none. A deadline is
		// looked at elsewhere than a stop.
		for _, end := range []time.Duration{time.Hour, time.Hour, 300 * time.Millisecond} {
			ctx, stop := context.WithTimeout(t.Context(), end)
			time.AfterFunc(300*time.Millisecond, stop)
			ended := make(chan error, 1)
			go func() { ended <- f(ctx) }()
			select {
			case err := <-ended:
				if err == nil {
					t.Errorf("%s: a server that stands still has answered", call)
				}
			case <-time.After(20 * time.Second):
				t.Errorf("%s goes on", call)
			}
			stop()
		}
		server.Restart() // a ClickHouse that stood still for seconds may abort when it goes on
	}
}

func TestManyProjectsAreForgottenInAFewStatements(t *testing.T) {
	server := clickhousetest.Start(t)
	s := openAt(t, server.URL("weir"))
	if err := s.Write(t.Context(), batchOf(1, 100)); err != nil {
		t.Fatal(err)
	}
	var cuts []cold.Deletion
	for i := range cold.MaxDeletions {
		cuts = append(cuts, cold.Deletion{ProjectID: fmt.Sprint("p", i), Before: noon.AddDate(0, 0, i%30)})
	}
	cuts[29].ProjectID = "p"
	asked := func() (n int) {
		t.Helper()
		if _, err := fmt.Sscan(server.Do("SELECT value FROM system.events WHERE event = 'Query'"), &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := asked()
	if err := s.Forget(t.Context(), cuts...); err != nil {
		t.Fatal(err)
	}
	if n := asked() - before; n > 20 { // five tables, of which each is looked at and deleted from
		t.Errorf("%d statements", n)
	}
	if n := count(t, s, "SELECT COUNT(*) FROM events WHERE toMonth(ts) = 3"); n != 0 {
		t.Errorf("%d events are left", n)
	}
}
