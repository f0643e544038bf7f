package transfer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// net are numbers that add up over visits.
func net(t *testing.T, s cold.Reader) string {
	t.Helper()
	return rowsOf(t, s, "SELECT CAST(SUM(sign) AS BIGINT), CAST(SUM(sign * events) AS BIGINT), CAST(SUM(sign * screen_views) AS BIGINT) FROM visits")[0]
}

func TestASourceThatGrewIsCopiedOn(t *testing.T) {
	from, to := newFile(t), newFile(t)
	events := mix("shop", 1, 3, 1000)
	d := newDrain("log")
	for _, n := range []int{550, 1, 249, 200} {
		d.write(t, from, events[:n], 150)
		events = events[n:]
		copyAll(t, from, to, small())
		same(t, from, to)
	}
}

func TestADestinationInUseKeepsWhatItHas(t *testing.T) {
	// The server stops with one cold tier and starts with the other, in the midst of
	// visits; then the past is brought after it.
	events := mix("shop", 1, 3, 1000)
	whole := newFile(t)
	newDrain("log").write(t, whole, events, 150)

	from, to := newFile(t), newFile(t)
	d := newDrain("log")
	d.write(t, from, events[:600], 150)
	d.write(t, to, events[600:], 150)
	if net(t, to) == net(t, whole) {
		t.Fatal("no visit is open at the change")
	}
	copyAll(t, from, to, small())
	same(t, whole, to)

	// Again, when the marks have expired.
	statement(t, to, "DELETE FROM batches")
	copyAll(t, from, to, small())
	same(t, whole, to)
}

// A late event merges two visits in the source after a copy, or where the server writes to the
// destination already.
func TestVisitsThatALateEventMergesAreCopiedAsOne(t *testing.T) {
	var events []weir.Event
	for i, minutes := range []int{0, 50, 25} {
		at := monday.Add(time.Duration(minutes) * time.Minute)
		events = append(events, weir.Event{
			ID: fmt.Sprint("e", i), ProjectID: "shop", DeviceID: "d", Name: weir.NameScreenView, Path: "/", Time: at, ReceivedAt: monday.Add(time.Hour),
		})
	}
	whole := newFile(t)
	newDrain("log").write(t, whole, events, 1)
	if got := net(t, whole); got != "1|3|3|" {
		t.Fatalf("visits, events, views: %s", got)
	}
	t.Run("in the source", func(t *testing.T) {
		from, to := newFile(t), newFile(t)
		d := newDrain("log")
		d.write(t, from, events[:2], 1)
		copyAll(t, from, to, small())
		d.write(t, from, events[2:], 1)
		copyAll(t, from, to, small())
		same(t, from, to)
		same(t, whole, to)
	})
	t.Run("in the destination", func(t *testing.T) {
		for _, collapsed := range []bool{false, true} { // as ClickHouse merges states with their cancellations
			from, to := newFile(t), newFile(t)
			d := newDrain("log")
			d.write(t, from, events[:2], 1)
			if collapsed {
				copyAll(t, from, to, small())
			}
			d.write(t, to, events[2:], 1)
			if collapsed {
				statement(t, to, "DELETE FROM visits WHERE formerly = ''")
			}
			o := small()
			o.Recheck = true
			copyAll(t, from, to, o)
			if got := net(t, to); got != "1|3|3|" {
				t.Errorf("collapsed %t: visits, events, views: %s", collapsed, got)
			}
		}
	})
}

func TestAVisitThatIsMergedAwayIsNotMissing(t *testing.T) {
	// As ClickHouse merges: of the visit that the server went on with only its last
	// state is left.
	events := mix("shop", 1, 1, 500)
	from, to := newFile(t), newFile(t)
	d := newDrain("log")
	d.write(t, from, events[:250], 150)
	d.write(t, to, events[250:], 150)
	copyAll(t, from, to, small())
	whole := contents(t, to)["visits"]
	statement(t, to, `CREATE TABLE kept AS SELECT * FROM visits v WHERE NOT EXISTS (SELECT 1 FROM visits o
WHERE o.device_id = v.device_id AND o.session_id = v.session_id AND o.version = v.version AND o.sign = -v.sign)`)
	statement(t, to, "DELETE FROM visits")
	statement(t, to, "INSERT INTO visits SELECT * FROM kept")
	statement(t, to, "DROP TABLE kept")
	o := small()
	o.Recheck = true
	copyAll(t, from, to, o)
	if got := contents(t, to)["visits"]; !slices.Equal(whole, got) {
		t.Errorf("%d visits, want %d", len(got), len(whole))
	}
}

func TestLogsThatShareShardsAndSeqsAreToldApart(t *testing.T) {
	// A hot tier was begun anew beside the same cold tier, twice on one day.
	from, to := newFile(t), newFile(t)
	for i, log := range []string{"one", "two", "three"} {
		newDrain(log).write(t, from, mix("shop", int64(i+1), 1, 200), 150)
	}
	copyAll(t, from, to, small())
	same(t, from, to)
	if got := rowsOf(t, to, "SELECT COUNT(*) FROM events"); got[0] != "600|" {
		t.Errorf("%s events", got)
	}
}

func TestRowsThatAreThereTwiceInTheSourceStayTwo(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	statement(t, from, "INSERT INTO events SELECT * FROM events WHERE seq % 3 = 0")
	copyAll(t, from, to, small())
	same(t, from, to)
}

func TestCopyKeepsTheTokensOfTheDestinationsOwnDrain(t *testing.T) {
	// The copy has batches of high seqs, and the server one of a low seq that it may
	// have to write again.
	from, to := newFilled(t), newFile(t)
	mine := &cold.Batch{
		Token: "log-2-1-1", Log: "log", Shard: 1, First: 1, Last: 1, Now: monday,
		Events: []weir.EventRow{{Event: weir.Event{ID: "mine", ProjectID: "p", Time: monday, ReceivedAt: monday}, Shard: 1, Seq: 1}},
	}
	if err := to.Write(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	o := small()
	o.Batch = 5 // more batches than DuckDB lets pass between two looks for old tokens
	copyAll(t, from, to, o)
	mine.Again = true
	if err := to.Write(t.Context(), mine); err != nil {
		t.Fatal(err)
	}
	if got := rowsOf(t, to, "SELECT COUNT(*) FROM events WHERE id = 'mine'"); got[0] != "1|" {
		t.Errorf("the server's event is there %s times", got)
	}
	// Nor does the server's drain make the copy's marks be forgotten.
	for i := range 300 {
		b := &cold.Batch{Token: fmt.Sprint("later-", i), Log: "log", Shard: i % 3, First: uint64(1_000_000 + i), Last: uint64(1_000_000 + i), Now: clock().AddDate(0, 0, 2)}
		if err := to.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if rep := copyAll(t, from, to, small()); rep.Before != rep.Days {
		t.Errorf("later: report %+v", rep)
	}
}

func TestMomentsWithMoreEventsThanAWindowAreCopied(t *testing.T) {
	// As an access log has them, whose times are seconds, and worse.
	from, to := newFile(t), newFile(t)
	at := func(n int, moment time.Duration) (out []weir.Event) {
		for i := range n {
			ts := monday.Add(moment)
			out = append(out, weir.Event{
				ID: fmt.Sprint(moment, "-", i), ProjectID: "shop", Name: "click", DeviceID: fmt.Sprint("d", i%7), Time: ts, ReceivedAt: monday,
			})
		}
		return out
	}
	d := newDrain("log")
	d.write(t, from, at(50, 0), 200)
	d.write(t, from, at(120, 5*time.Hour+7*time.Second), 200)
	d.write(t, from, at(90, 5*time.Hour+8*time.Second), 200)
	d.write(t, from, at(1, 5*time.Hour+8*time.Second+time.Microsecond), 200)
	d.write(t, from, at(60, 24*time.Hour-time.Microsecond), 200)
	o := small()
	o.Window, o.Batch = 40, 10
	if rep := copyAll(t, from, to, o); rep.Events != 321 || rep.Days != 1 {
		t.Errorf("report %+v", rep)
	}
	same(t, from, to)
}
