package coldtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

func testForget(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	tests := map[string]func(*testing.T, func(*testing.T, string) cold.Store){
		"a project's rows of before a time are deleted, and no others": testForgetRows,
		"each project is cut at its own time":                          testForgetEach,
		"to forget the same again changes nothing":                     testForgetTwice,
		"what is forgotten is forgotten after a reopen":                testForgetReopen,
		"events of a forgotten quarter that come later are counted":    testForgetLate,
		"a time that begins no quarter of an hour is refused":          testForgetUnaligned,
		"a project's id is a value, whatever is in it":                 testForgetOddID,
		"batches are written meanwhile":                                testForgetMeanwhile,
		"all rows of a project are deleted, and no others":             testDeleteProject,
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) { f(t, open) })
	}
}

// cut is the time up to which the tests forget.
var cut = time.Date(2026, 3, 1, 12, 15, 0, 0, time.UTC)

// around is a batch with rows of several projects on both sides of cut: those whose
// names end in "old" are before it.
func around(first uint64, projects ...string) *cold.Batch {
	// Of now, since an engine may let go of the tokens of long ago.
	now := time.Now().UTC().Truncate(time.Microsecond)
	b := &cold.Batch{Token: fmt.Sprint("around-", first), Log: "log", First: first, Now: now}
	seq := first
	for _, p := range projects {
		for _, at := range []struct {
			name string
			time.Time
		}{
			{"long-old", cut.AddDate(-1, 0, 0)},
			{"month-old", cut.AddDate(0, -1, 0)},
			{"old", cut.Add(-time.Microsecond)},
			{"cut", cut},
			{"new", cut.Add(time.Hour)},
		} {
			id := p + " " + at.name
			b.Events = append(b.Events, weir.EventRow{Event: weir.Event{
				ID: id, ProjectID: p, Name: at.name, DeviceID: at.name, Time: at.Time, ReceivedAt: cut,
			}, Seq: seq})
			b.Visits = append(b.Visits, weir.VisitRow{
				ProjectID: p, DeviceID: at.name, SessionID: id, Sign: 1, Version: 1, Start: at.Time, End: cut.Add(2 * time.Hour), Events: 1,
			})
			b.Dead = append(b.Dead, weir.DeadLetter{ProjectID: p, Seq: seq, Reason: at.name, Event: []byte("{}"), At: at.Time})
			b.Links = append(b.Links, weir.Link{ProjectID: p, DeviceID: at.name, ProfileID: "u", At: at.Time})
			seq++
		}
	}
	b.Last = seq - 1
	return b
}

// left are the rows of each table by project and name, in order.
func left(t *testing.T, s cold.Store) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for table, q := range map[string]string{
		"events":       "SELECT project_id, name FROM events ORDER BY project_id, ts",
		"sightings":    "SELECT project_id, person FROM sightings GROUP BY project_id, person, quarter ORDER BY project_id, quarter",
		"tallies":      "SELECT project_id, name FROM tallies GROUP BY project_id, name, quarter ORDER BY project_id, quarter",
		"visits":       "SELECT project_id, device_id FROM visits ORDER BY project_id, start_at",
		"dead_letters": "SELECT project_id, reason FROM dead_letters ORDER BY project_id, refused_at",
		"identities":   "SELECT project_id, device_id FROM identities ORDER BY project_id, linked_at",
	} {
		out[table] = pairs(t, s, q)
	}
	return out
}

func pairs(t *testing.T, s cold.Store, q string) []string {
	t.Helper()
	rows, err := s.Query(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var p, name string
		if err := rows.Scan(&p, &name); err != nil {
			t.Fatal(err)
		}
		out = append(out, p+" "+strings.TrimPrefix(name, "d"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func forget(t *testing.T, s cold.Store, project string, before time.Time) {
	t.Helper()
	if err := s.Forget(t.Context(), cold.Deletion{ProjectID: project, Before: before}); err != nil {
		t.Fatalf("forget %q: %v", project, err)
	}
}

func testForgetRows(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	write(t, s, around(1, "p", "q"))
	want := left(t, s)
	for table, rows := range want {
		if len(rows) != 10 {
			t.Fatalf("%s has %v before", table, rows)
		}
		if table == "identities" {
			continue
		}
		want[table] = nil
		for _, r := range rows {
			if !strings.HasPrefix(r, "p ") || !strings.HasSuffix(r, "old") {
				want[table] = append(want[table], r)
			}
		}
	}
	forget(t, s, "p", cut)
	if d := cmp.Diff(want, left(t, s)); d != "" {
		t.Errorf("(-want +left)\n%s", d)
	}
	// The batch is still known.
	again(t, s, around(1, "p", "q"))
	if d := cmp.Diff(want, left(t, s)); d != "" {
		t.Errorf("after the batch came again (-want +left)\n%s", d)
	}
}

func testForgetEach(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	write(t, s, around(1, "p", "q", "r", "s"))
	cuts := []cold.Deletion{
		{ProjectID: "p", Before: cut},
		{ProjectID: "q", Before: cut.Add(15 * time.Minute)},
		{ProjectID: "r", Before: cut.AddDate(0, -6, 0)},
		{ProjectID: "unknown", Before: cut.AddDate(1, 0, 0)},
	}
	for len(cuts) < cold.MaxDeletions {
		cuts = append(cuts, cold.Deletion{ProjectID: fmt.Sprint("unknown ", len(cuts)), Before: cut.AddDate(1, 0, len(cuts)%28)})
	}
	if err := s.Forget(t.Context(), cuts...); err != nil {
		t.Fatal(err)
	}
	rows := []string{
		"p cut", "p new", "q new", "r month-old", "r old", "r cut", "r new", "s long-old", "s month-old", "s old", "s cut", "s new",
	}
	want := map[string][]string{"events": rows, "sightings": rows, "tallies": rows, "visits": rows, "dead_letters": rows}
	got := left(t, s)
	delete(got, "identities")
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +left)\n%s", d)
	}
	if err := s.Forget(t.Context(), append(cuts, cold.Deletion{ProjectID: "s", Before: cut})...); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("one more than MostCuts: error %v, want EINVALID", err)
	}
	if err := s.Forget(t.Context()); err != nil {
		t.Errorf("nothing to forget: %v", err)
	}
}

func testForgetTwice(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	forget(t, s, "p", cut) // nothing is there yet
	write(t, s, around(1, "p"))
	forget(t, s, "p", cut)
	want := left(t, s)
	forget(t, s, "p", cut)
	forget(t, s, "p", cut.AddDate(0, 0, -1))
	if d := cmp.Diff(want, left(t, s)); d != "" {
		t.Errorf("(-want +left)\n%s", d)
	}
	forget(t, s, "p", cut.Add(15*time.Minute))
	if got := left(t, s)["events"]; !cmp.Equal(got, []string{"p new"}) {
		t.Errorf("events %v are left, want the new one", got)
	}
}

func testForgetReopen(t *testing.T, open func(*testing.T, string) cold.Store) {
	dir := t.TempDir()
	s := open(t, dir)
	write(t, s, around(1, "p"))
	forget(t, s, "p", cut)
	want := left(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir)
	defer s.Close()
	if d := cmp.Diff(want, left(t, s)); d != "" {
		t.Errorf("(-want +left)\n%s", d)
	}
}

func testForgetLate(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	p := &weir.Project{ID: "p", Timezone: "UTC"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{})
	totals := func() (unique, total float64) {
		t.Helper()
		tr, err := insight.Ask[insight.Trend](t.Context(), e, p, weir.Trend{Common: weir.Common{From: cut.Add(-24 * time.Hour), To: cut.Add(24 * time.Hour), Interval: weir.Hour}, Series: []weir.Series{{Math: weir.MathUnique}, {Math: weir.MathTotal}}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return *tr.Series[0].Total, *tr.Series[1].Total
	}
	one := func(seq uint64) *cold.Batch {
		b := batch(0, seq, 1)
		b.Events[0].DeviceID, b.Events[0].Time = "d", cut.Add(-time.Minute)
		return b
	}
	write(t, s, one(1))
	if unique, total := totals(); unique != 1 || total != 1 {
		t.Fatalf("%v persons and %v events before, want 1 and 1", unique, total)
	}
	forget(t, s, "p", cut)
	if unique, total := totals(); unique != 0 || total != 0 {
		t.Fatalf("%v persons and %v events are left, want none", unique, total)
	}
	write(t, s, one(2))
	if unique, total := totals(); unique != 1 || total != 1 {
		t.Errorf("%v persons and %v events when one came later, want 1 and 1", unique, total)
	}
	forget(t, s, "p", cut)
	if unique, total := totals(); unique != 0 || total != 0 {
		t.Errorf("%v persons and %v events after the next time, want none", unique, total)
	}
}

func testForgetUnaligned(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	write(t, s, around(1, "p"))
	want := left(t, s)
	for _, before := range []time.Time{cut.Add(time.Minute), cut.Add(time.Nanosecond), cut.Add(-time.Microsecond), {}, cold.Latest.Add(15 * time.Minute)} {
		if err := s.Forget(t.Context(), cold.Deletion{ProjectID: "q", Before: cut}, cold.Deletion{ProjectID: "p", Before: before}); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("before %v: error %v, want EINVALID", before, err)
		}
	}
	if d := cmp.Diff(want, left(t, s)); d != "" {
		t.Errorf("(-want +left)\n%s", d)
	}
}

func testForgetOddID(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	odd := []string{`it's`, `a\`, `a\'b"; DROP TABLE events; --`, `' OR '1'='1`, "用户\t\n", "?{p1:String}%_", "nul\x00"}
	write(t, s, around(1, append([]string{"p"}, odd...)...))
	done := 0
	for some := range slices.Chunk(odd, 4) {
		var deletions []cold.Deletion
		for _, id := range some {
			deletions = append(deletions, cold.Deletion{ProjectID: id, Before: cut})
		}
		if err := s.Forget(t.Context(), deletions...); err != nil {
			t.Fatalf("forget %q: %v", some, err)
		}
		done += len(some)
		if n, want := len(left(t, s)["events"]), 5+2*done+5*(len(odd)-done); n != want {
			t.Errorf("%d events are left after %q, want %d", n, some, want)
		}
	}
}

func testForgetMeanwhile(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	write(t, s, around(1, "p"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		n := 0
		defer func() { done <- n }()
		for ctx.Err() == nil && n < 200 {
			b := batch(0, uint64(1000+10*n), 10)
			for i := range b.Events {
				b.Events[i].Time = cut.Add(time.Minute)
			}
			if err := s.Write(t.Context(), b); err != nil {
				t.Errorf("write: %v", err)
				return
			}
			n++
		}
	}()
	for range 3 {
		forget(t, s, "p", cut)
		forget(t, s, "q", cut)
	}
	cancel()
	n := <-done
	if got, want := len(left(t, s)["events"]), 2+10*n; got != want {
		t.Errorf("%d events are left, want %d", got, want)
	}
}

func testDeleteProject(t *testing.T, open func(*testing.T, string) cold.Store) {
	s := begin(t, open)
	write(t, s, around(1, "p", "pp", "p'--"))
	traits := &cold.Batch{Token: "traits", Log: "log", First: 100, Last: 101, Now: time.Now().UTC().Truncate(time.Microsecond)}
	for i, p := range []string{"p", "pp"} {
		traits.Traits = append(traits.Traits, weir.TraitChange{ProjectID: p, ProfileID: "u", Trait: "plan", Op: weir.TraitSet, Text: "pro", At: cut, Place: fmt.Sprint(i)})
	}
	write(t, s, traits)
	// rows returns how many rows each table has of each project.
	rows := func() map[string]int64 {
		got := map[string]int64{}
		for _, p := range cold.ProjectParts("p") {
			r, err := s.Query(t.Context(), "SELECT project_id, COUNT(*) FROM "+p.Table+" GROUP BY project_id")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for r.Next() {
				var project string
				var n int64
				if err := r.Scan(&project, &n); err != nil {
					t.Fatal(err)
				}
				got[project+" "+p.Table] = n
			}
			if err := r.Err(); err != nil {
				t.Fatal(err)
			}
		}
		return got
	}
	want := rows()
	for _, table := range []string{"events", "visits", "sightings", "tallies", "identities", "traits", "dead_letters"} {
		if want["p "+table] == 0 {
			t.Fatalf("%s has nothing of p: %v", table, want)
		}
		delete(want, "p "+table)
	}
	for range 2 {
		if err := s.DeleteRows(t.Context(), cold.ProjectParts("p")...); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, rows()); d != "" {
			t.Error(d)
		}
	}
}
