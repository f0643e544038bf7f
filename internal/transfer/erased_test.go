package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

// visited are n events of two persons on monday, every other one ada's. Those of a
// profile have no device.
func visited(log string, n int, profileOnly bool) []weir.Event {
	var out []weir.Event
	for i := range n {
		at := monday.Add(time.Duration(i)*17*time.Second + 345*time.Millisecond)
		e := weir.Event{
			ID: fmt.Sprint(log, "-", i), ProjectID: "shop", Name: "click", ProfileID: [2]string{"ada", "bob"}[i%2], Path: "/secret",
			Time: at, ReceivedAt: at.Add(time.Millisecond),
		}
		if !profileOnly {
			e.DeviceID = "device of " + e.ProfileID
		}
		out = append(out, e)
	}
	return out
}

// eraseAda erases her up to some time.
func eraseAda(t testing.TB, s cold.Eraser, at time.Time) {
	t.Helper()
	err := s.Erase(t.Context(), cold.Erasure{ProjectID: "shop", ProfileID: "ada", Devices: []string{"device of ada"}, At: at, By: "user 1"})
	if err != nil {
		t.Fatal(err)
	}
}

// inDuckDB opens an empty store.
func inDuckDB(t *testing.T) cold.Store { return newFile(t) }

func TestWhoIsErasedInTheSourceIsErasedInTheDestinationByTheNextCopy(t *testing.T) {
	testErasedInTheSource(t, inDuckDB)
}

func testErasedInTheSource(t *testing.T, open func(*testing.T) cold.Store) {
	for _, profileOnly := range []bool{false, true} {
		from, to := newFile(t), open(t)
		newDrain("log").write(t, from, visited("log", 20, profileOnly), 7)
		copyAll(t, from, to, today())
		eraseAda(t, from, clock())
		for range 2 {
			if rep := copyAll(t, from, to, today()); rep.Events != 20 {
				t.Errorf("%d events, of a profile only: %v", rep.Events, profileOnly)
			}
			same(t, from, to)
		}
	}
}

func TestWhoIsErasedInTheDestinationIsThereOnceHoweverOftenItIsCopied(t *testing.T) {
	testErasedInTheDestination(t, inDuckDB)
}

func testErasedInTheDestination(t *testing.T, open func(*testing.T) cold.Store) {
	from, to := newFile(t), open(t)
	newDrain("log").write(t, from, visited("log", 20, false), 7)
	newDrain("other").write(t, to, visited("other", 6, false), 7)
	copyAll(t, from, to, today())
	eraseAda(t, to, clock())
	want := contents(t, to)
	o := today()
	o.Recheck = true
	for range 3 {
		copyAll(t, from, to, o)
		if diff := cmp.Diff(want, contents(t, to)); diff != "" {
			t.Fatalf("(-after the erasure +after the copy):\n%s", diff)
		}
	}
}

func TestVisitIsCopiedWhenAnErasedPersonReturnsToIt(t *testing.T) {
	testComesBack(t, inDuckDB)
}

func testComesBack(t *testing.T, open func(*testing.T) cold.Store) {
	from, to := newFile(t), open(t)
	event := func(minute int, who string) weir.Event {
		at := monday.Add(time.Duration(minute) * time.Minute)
		return weir.Event{ID: fmt.Sprint("e-", minute), ProjectID: "shop", Name: "click", ProfileID: who, DeviceID: "device of ada", Time: at, ReceivedAt: at.Add(time.Second)}
	}
	d := newDrain("log")
	d.write(t, from, []weir.Event{event(0, "bob")}, 1)
	eraseAda(t, from, monday.Add(5*time.Minute))
	d.write(t, from, []weir.Event{event(10, "ada"), event(11, "bob"), event(12, "ada")}, 1)
	copyAll(t, from, to, today())
	same(t, from, to)
	if got := rowsOf(t, to, "SELECT profile_id, SUM(sign * events) FROM visits GROUP BY device_id, session_id, profile_id HAVING SUM(sign) > 0"); len(got) != 2 {
		t.Errorf("visits %q, want bob's and, since ada came back, another", got)
	}
}

func TestErasedEventsOfTwoLogsAreToldApart(t *testing.T) {
	// Same shard, seq and day: only the ids tell them apart.
	from, to, whole := newFile(t), newFile(t), newFile(t)
	for s, log := range map[cold.Store]string{from: "one", to: "two"} {
		events := visited(log, 18, true)
		for _, s := range []cold.Store{s, whole} {
			newDrain(log).write(t, s, events, 18)
		}
	}
	for _, s := range []cold.Store{from, to, whole} {
		eraseAda(t, s, clock())
	}
	copyAll(t, from, to, small())
	same(t, whole, to)
	copyAll(t, to, from, small())
	same(t, whole, from)
}

func TestCopyRemovesAnErasedPersonsPagesOnBothSides(t *testing.T) {
	// Bob follows ada on her device: his click is on her page, and his view ends hers.
	event := func(i int, name, who, path string) weir.Event {
		at := monday.Add(time.Duration(i) * time.Minute)
		return weir.Event{ID: fmt.Sprint("e-", i), ProjectID: "shop", Name: name, ProfileID: who, DeviceID: "device of ada", Path: path, Time: at, ReceivedAt: at.Add(time.Second)}
	}
	events := []weir.Event{event(0, "screen_view", "ada", "/secret"), event(1, "click", "bob", ""), event(2, "screen_view", "bob", "/own"), event(3, "click", "bob", "")}
	took := func(s cold.Reader) []string {
		return rowsOf(t, s, "SELECT id FROM events WHERE path = '/secret' OR closes_path = '/secret'")
	}
	for _, tt := range []struct {
		name         string
		in           int // the side that the erasure is in: 0 is the source
		copiedBefore bool
	}{{"in the source", 0, true}, {"in the destination", 1, true}, {"in the destination, before the first copy", 1, false}} {
		t.Run(tt.name, func(t *testing.T) {
			sides := [2]cold.Store{newFile(t), newFile(t)}
			newDrain("log").write(t, sides[0], events, 4)
			if got := took(sides[0]); len(got) != 3 {
				t.Fatalf("%q have the page", got)
			}
			if tt.copiedBefore {
				copyAll(t, sides[0], sides[1], today())
			}
			// She comes back after it, on a device that she was linked to before.
			eraseAda(t, sides[tt.in], monday.Add(time.Hour))
			again := event(61, "click", "ada", "/new")
			newDrain("later").write(t, sides[0], []weir.Event{again}, 1)
			o := today()
			o.Recheck = true
			for range 2 {
				copyAll(t, sides[0], sides[1], o)
				if got := took(sides[1]); len(got) > 0 {
					t.Errorf("%q still have the page", got)
				}
			}
			if got := rowsOf(t, sides[1], "SELECT profile_id FROM identities WHERE device_id = 'device of ada' AND profile_id = 'ada'"); len(got) == 0 {
				t.Error("the link from after the erasure is missing")
			}
			copyAll(t, sides[1], sides[0], o)
			same(t, sides[1], sides[0])
		})
	}
}

func TestMarksOfAProjectWithoutRowsAreCopied(t *testing.T) {
	from, to := newFilled(t), newFile(t)
	err := from.Erase(t.Context(), cold.Erasure{ProjectID: "empty", ProfileID: "ada", At: monday, By: "user 1"})
	if err != nil {
		t.Fatal(err)
	}
	copyAll(t, from, to, small())
	same(t, from, to)

	o := small()
	o.Projects = []string{"empty"}
	third := newFile(t)
	copyAll(t, from, third, o)
	if got := rowsOf(t, third, "SELECT project_id FROM erasures"); len(got) != 1 {
		t.Errorf("marks of %q", got)
	}
}

func TestAnErasureInTheDestinationDuringTheCopyIsNoDifference(t *testing.T) {
	for at := 1; ; at += 3 {
		erased := false
		from, to := newFile(t), newFile(t)
		newDrain("log").write(t, from, visited("log", 20, false), 7)
		copyAll(t, from, &unreliable{Store: to, after: func(n int, _ *cold.Batch) error {
			if n == at {
				erased = true
				eraseAda(t, to, clock())
			}
			return nil
		}}, small())
		if !erased { // it has fewer writes
			if at < 8 {
				t.Errorf("only %d writes", at)
			}
			return
		}
		eraseAda(t, from, clock())
		same(t, from, to)
	}
}

func TestAnErasureInTheSourceDuringTheCopyIsNoticed(t *testing.T) {
	from, to := newFile(t), newFile(t)
	newDrain("log").write(t, from, visited("log", 20, true), 7)
	_, err := transfer.Run(t.Context(), from, &unreliable{Store: to, after: func(n int, b *cold.Batch) error {
		if n == 3 {
			eraseAda(t, from, clock())
		}
		return nil
	}}, small())
	if !errors.Is(err, transfer.ErrChanged) {
		t.Errorf("error %v, want ErrChanged", err)
	}
}

func TestErasedEventsOfVersionsBeforeAreComparedWithoutTheirId(t *testing.T) {
	for name, old := range map[string][]int{"in the source": {0}, "in the destination": {1}, "in both": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			stores := []cold.Store{newFile(t), newFile(t)}
			from, to := stores[0], stores[1]
			for _, log := range []string{"one", "two"} {
				newDrain(log).write(t, from, visited(log, 20, true), 7)
			}
			copyAll(t, from, to, small())
			for i, s := range stores {
				eraseAda(t, s, clock())
				for _, o := range old {
					if i == o {
						statement(t, s, "UPDATE events SET id = 'erased' WHERE id LIKE 'erased%'")
					}
				}
			}
			want := contents(t, to)
			o := small()
			o.Recheck = true
			for range 2 {
				copyAll(t, from, to, o)
				if diff := cmp.Diff(want, contents(t, to)); diff != "" {
					t.Fatalf("(-before +after the copy):\n%s", diff)
				}
			}
			// Where they are not there yet they come as they are.
			third := newFile(t)
			copyAll(t, from, third, small())
			same(t, from, third)
		})
	}
}

func TestErasedRowsInWindowsShorterThanAMinuteAreFound(t *testing.T) {
	from, to := newFile(t), newFile(t)
	newDrain("log").write(t, from, visited("log", 40, false), 40)
	o := small()
	o.Window, o.Batch, o.Recheck = 1, 3, true
	copyAll(t, from, to, o)
	eraseAda(t, to, clock())
	want := contents(t, to)
	copyAll(t, from, to, o)
	if diff := cmp.Diff(want, contents(t, to)); diff != "" {
		t.Fatalf("(-before +after the copy):\n%s", diff)
	}
	third := newFile(t)
	if err := third.Write(t.Context(), &cold.Batch{Token: "m", Log: "m", Now: clock(), Marks: (&cold.Erasure{
		ProjectID: "shop", ProfileID: "ada", Devices: []string{"device of ada"}, At: clock(), By: "user 1",
	}).Marks()}); err != nil {
		t.Fatal(err)
	}
	copyAll(t, from, third, o)
	same(t, to, third)
}

func TestARowThatComesBesideAnErasureIsErasedToo(t *testing.T) {
	// A batch that was under way when a server noted the erasure may miss the note.
	from, to := newFile(t), newFile(t)
	newDrain("log").write(t, from, visited("log", 20, true), 7)
	copyAll(t, from, to, small())
	statement(t, to, "CREATE TABLE kept AS SELECT * FROM events WHERE id = 'log-4'")
	eraseAda(t, to, clock())
	o := small()
	tries := 0
	o.Pause = func(context.Context, time.Duration) error { tries++; return nil }
	copyAll(t, from, &unreliable{Store: to, after: func(_ int, b *cold.Batch) error {
		if strings.HasPrefix(b.Token, "migrate-erased/") {
			statement(t, to, "DELETE FROM events WHERE (shard, seq) IN (SELECT shard, seq FROM kept)")
			statement(t, to, "INSERT INTO events SELECT * FROM kept")
		}
		return nil
	}}, o)
	if tries == 0 {
		t.Error("the row was not noticed")
	}
	eraseAda(t, from, clock())
	same(t, from, to)
}
