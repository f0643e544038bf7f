package visit_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/visit"
)

var t0 = time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)

// shard plays a shard's drain: it folds batches, keeps the state between them.
type shard struct {
	visit.Folder
	open   visit.Open
	full   map[string]bool
	seq    uint64
	now    time.Time
	rows   []weir.EventRow
	visits []weir.VisitRow
}

func newShard() *shard {
	return &shard{Folder: visit.Folder{LogID: "log"}, open: visit.Open{}, now: t0}
}

func (s *shard) apply(r visit.Result) {
	s.visits = append(s.visits, r.Visits...)
	for k, st := range r.Changed {
		if len(st) == 0 {
			delete(s.open, k)
		} else {
			s.open[k] = st
		}
	}
}

// fold folds the events as one batch and returns their rows.
func (s *shard) fold(events ...weir.Event) []weir.EventRow {
	rows := make([]weir.EventRow, len(events))
	for i, e := range events {
		s.seq++
		rows[i] = weir.EventRow{Event: e, Seq: s.seq}
		if rows[i].ID == "" {
			rows[i].ID = fmt.Sprint("e", s.seq)
		}
	}
	s.apply(s.Fold(s.open, rows, s.now, s.full))
	s.rows = append(s.rows, rows...)
	return rows
}

func (s *shard) expire(after time.Duration) {
	s.now = s.now.Add(after)
	s.apply(s.Expire(s.open, s.now))
}

// live are the states that no row cancels, in the order in which they were
// written. It fails on a row that cancels a state that is not there just so.
func live(rows []weir.VisitRow) ([]weir.VisitRow, error) {
	var states []weir.VisitRow
	for _, v := range rows {
		switch v.Sign {
		case 1:
			states = append(states, v)
		case -1:
			v.Sign = 1
			i := slices.Index(states, v)
			if i < 0 {
				return nil, fmt.Errorf("cancels what is not there: %+v", v)
			}
			states = slices.Delete(states, i, i+1)
		default:
			return nil, fmt.Errorf("sign %d", v.Sign)
		}
	}
	return states, nil
}

// total is the last state of each visit, by device and session.
func (s *shard) total() map[string]weir.VisitRow {
	states, err := live(s.visits)
	if err != nil {
		panic(err)
	}
	total := map[string]weir.VisitRow{}
	for _, v := range states {
		total[v.DeviceID+"/"+v.SessionID] = v
	}
	return total
}

func at(after time.Duration, name string, change ...func(*weir.Event)) weir.Event {
	e := weir.Event{ProjectID: "p", DeviceID: "d", Name: name, Time: t0.Add(after)}
	for _, c := range change {
		c(&e)
	}
	return e
}

func view(after time.Duration, path string, change ...func(*weir.Event)) weir.Event {
	e := at(after, weir.NameScreenView, change...)
	e.Path, e.Origin = path, "https://x"
	return e
}

func session(id string) func(*weir.Event) { return func(e *weir.Event) { e.SessionID = id } }

const minute = time.Minute

func TestEventsWithinHalfAnHourAreOneVisit(t *testing.T) {
	s := newShard()
	rows := s.fold(view(0, "/a"), at(29*minute, "click"))
	rows = append(rows, s.fold(view(59*minute, "/b"), at(59*minute, "buy", func(e *weir.Event) { e.Revenue = weir.Known(3) }))...)
	for _, r := range rows {
		if r.SessionID == "" || r.SessionID != rows[0].SessionID {
			t.Fatalf("sessions %q and %q", rows[0].SessionID, r.SessionID)
		}
	}
	got := s.total()["d/"+rows[0].SessionID]
	want := weir.VisitRow{
		ProjectID: "p", DeviceID: "d", SessionID: rows[0].SessionID, Sign: 1, Version: 2, Start: t0, End: t0.Add(59 * minute),
		Entry: "/a", EntryAt: t0, Exit: "/b", ExitAt: t0.Add(59 * minute), Events: 4, ScreenViews: 2, Interactive: 2, Revenue: 3,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestAnIdleHalfHourEndsAVisitAndWritesNoRow(t *testing.T) {
	s := newShard()
	rows := s.fold(view(0, "/a"), view(31*minute, "/b"))
	if rows[0].SessionID == rows[1].SessionID {
		t.Fatal("one visit over 31 idle minutes")
	}
	if rows[1].ClosesEventID != "" {
		t.Fatal("a screen view of one visit closed that of another")
	}
	if len(s.visits) != 2 || len(s.total()) != 2 {
		t.Fatalf("wrote %+v", s.visits)
	}
}

func TestADayEndsAVisit(t *testing.T) {
	s := newShard()
	first := s.fold(at(0, "x"))[0].SessionID
	for i := range 24 * 3 {
		after := time.Duration(i+1) * 20 * minute
		got := s.fold(at(after, "x"))[0].SessionID
		if same := got == first; same != (after <= visit.MaxAge) {
			t.Fatalf("at %v the first visit goes on: %v", after, same)
		}
	}
}

func TestAnIdleVisitLeavesTheStateAfterAnHour(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/a"))
	s.expire(59 * minute)
	if len(s.open) != 1 {
		t.Fatal("gone after 59 minutes")
	}
	s.expire(2 * minute)
	if len(s.open) != 0 || len(s.visits) != 1 {
		t.Fatalf("%d in the state, wrote %+v", len(s.open), s.visits)
	}
}

// What is far behind joins an idle visit only between its first and last event, whether a sweep came
// between or not.
func TestAVisitIsOverHalfAnHourAfterItsLastArrival(t *testing.T) {
	for _, after := range []time.Duration{29 * minute, 31 * minute} {
		s := newShard()
		long := []weir.Event{at(0, "x"), at(25*minute, "x"), at(50*minute, "x"), at(75*minute, "x"), at(100*minute, "x")}
		first := s.fold(long...)[0].SessionID
		s.now = s.now.Add(after)
		rows := s.fold(at(-minute, "far behind"), at(minute, "within"))
		if over := rows[0].SessionID != first; over != (after >= visit.Idle) || rows[1].SessionID != first {
			t.Errorf("after %v: %+v", after, rows)
		}
	}
}

func TestIDsOfVisitsBeginAlikeAndGrow(t *testing.T) {
	s := newShard()
	rows := s.fold(at(0, "x"), at(0, "x", func(e *weir.Event) { e.DeviceID = "other" }))
	a, b := rows[0].SessionID, rows[1].SessionID
	if !visit.IsDerived(a) || a[:8] != b[:8] || a[8:] != "000000000001" || b[8:] != "000000000002" {
		t.Errorf("ids %s, %s", a, b)
	}
	other := visit.Folder{LogID: "log", HashIDs: true} // as batches of versions before have it
	one := []weir.EventRow{{Event: at(0, "x"), Seq: 1}}
	other.Fold(visit.Open{}, one, t0, nil)
	if one[0].SessionID != "f138a7e8bfb88e8324ab" {
		t.Errorf("a batch of a version before has the id %s", one[0].SessionID)
	}
}

func TestABatchOfAVersionBeforeMarksIdleVisits(t *testing.T) {
	s := newShard()
	s.MarkOver = true
	s.fold(view(0, "/a"))
	s.expire(29 * minute)
	if len(s.visits) != 1 {
		t.Fatal("ended after 29 minutes")
	}
	s.expire(2 * minute)
	if len(s.open) != 1 || len(s.total()) != 1 {
		t.Fatalf("%d in the state, %d visits", len(s.open), len(s.total()))
	}
	for _, v := range s.total() {
		if !v.Ended || v.Events != 1 || !v.End.Equal(t0) {
			t.Fatalf("%+v", v)
		}
	}
	s.now = t0.Add(40 * minute)
	a := s.fold(view(40*minute, "/b"), view(80*minute, "/c"))[0]
	if v := s.total()["d/"+a.SessionID]; !v.Ended {
		t.Errorf("a newer visit left %+v", v)
	}
}

func TestASessionEndEndsAVisit(t *testing.T) {
	s := newShard()
	rows := s.fold(view(0, "/a"), at(2*minute, weir.NameSessionEnd), at(3*minute, "click"))
	if rows[1].SessionID != rows[0].SessionID || rows[2].SessionID == rows[0].SessionID {
		t.Fatal("the end is part of its visit, and what follows is not")
	}
	if r := rows[1]; r.ClosesEventID != rows[0].ID || r.ClosesPath != "/a" || r.ClosesMS != 120_000 {
		t.Fatalf("%+v", r)
	}
}

func TestSessionEndWithoutAVisitOpensNone(t *testing.T) {
	s := newShard()
	rows := s.fold(at(0, weir.NameSessionEnd), at(0, weir.NameSessionEnd, session("s")), at(0, weir.NameScreenLeave))
	if len(s.visits) != 0 || len(s.open) != 0 {
		t.Fatalf("visits %+v, open %+v", s.visits, s.open)
	}
	if rows[0].SessionID != "" || rows[1].SessionID != "s" {
		t.Fatalf("sessions %q, %q", rows[0].SessionID, rows[1].SessionID)
	}
}

func TestSessionIDsOfTheSDKAreKept(t *testing.T) {
	s := newShard()
	rows := s.fold(
		view(0, "/a", session("s1")), view(minute, "/b", session("s2")), at(2*minute, "late", session("s1")),
		at(3*minute, "unnamed"), at(50*minute, "after a pause", session("s2")))
	want := []string{"s1", "s2", "s1", "s2", "s2"}
	for i, r := range rows {
		if r.SessionID != want[i] {
			t.Errorf("event %d: session %q, want %q", i, r.SessionID, want[i])
		}
	}
	sum := s.total()
	if len(sum) != 2 || sum["d/s1"].Events != 2 || sum["d/s2"].Events != 3 {
		t.Fatalf("%+v", sum)
	}
}

func TestALateEventJoinsTheVisitItFellIn(t *testing.T) {
	s := newShard()
	rows := s.fold(view(0, "/a"), at(10*minute, "click"), view(60*minute, "/b"))
	rows = append(rows, s.fold(at(5*minute, "late"), at(61*minute, "click"), at(-300*minute, "ancient"), at(-299*minute, "ancient"), at(62*minute, "click"))...)
	a, b := rows[0].SessionID, rows[2].SessionID
	ancient := rows[5].SessionID
	want := []string{a, a, b, a, b, ancient, ancient, b}
	for i, r := range rows {
		if r.SessionID != want[i] {
			t.Errorf("event %d (%s) is in %q, want %q", i, r.Name, r.SessionID, want[i])
		}
	}
	if v := s.total()["d/"+a]; v.Ended || !v.End.Equal(t0.Add(10*minute)) || v.Events != 3 {
		t.Fatalf("the ended visit changed its end: %+v", v)
	}
}

func TestALateEventMakesTheVisitBeforeLonger(t *testing.T) {
	s := newShard()
	rows := append(s.fold(view(0, "/a")), s.fold(view(50*minute, "/b"))...)
	rows = append(rows, s.fold(view(15*minute, "/late"))...)
	if rows[2].SessionID != rows[0].SessionID || rows[1].SessionID == rows[0].SessionID || len(s.total()) != 2 {
		t.Fatalf("%d visits", len(s.total()))
	}
	if v := s.total()["d/"+rows[0].SessionID]; !v.End.Equal(t0.Add(15*minute)) || v.ScreenViews != 2 || v.Exit != "/late" {
		t.Fatalf("%+v", v)
	}
}

func TestARequestOutOfOrderIsOneVisit(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/0"), view(50*minute, "/50"), view(25*minute, "/25"))
	if len(s.total()) != 1 {
		t.Fatalf("%d visits", len(s.total()))
	}
	s = newShard()
	rows := s.fold(view(0, "/0"), view(10*minute, "/10"), view(4*minute, "/4"))
	if rows[2].ClosesMS != 240_000 || rows[1].ClosesMS != 360_000 || rows[1].ClosesPath != "/4" {
		t.Fatalf("%+v", rows)
	}
}

func TestManySessionsOfADeviceAreOneVisitEach(t *testing.T) {
	s := newShard()
	for i := range 24 {
		s.fold(at(time.Duration(i)*minute, "x", session(fmt.Sprint("s", i%6))))
	}
	states, err := live(s.visits)
	if err != nil || len(states) != 6 {
		t.Fatalf("%d visits: %v", len(states), err)
	}
}

func TestAVisitIsOfTheProfileOfItsLastEventByTime(t *testing.T) {
	who := func(id string) func(*weir.Event) { return func(e *weir.Event) { e.ProfileID = id } }
	s := newShard()
	s.fold(at(10*minute, "x", who("last")))
	s.fold(at(5*minute, "x", who("first")), at(11*minute, "x"))
	for _, v := range s.total() {
		if v.ProfileID != "last" || v.Beside != "\nufirst\na\n" {
			t.Errorf("%q %q", v.ProfileID, v.Beside)
		}
	}
}

func TestALateEventNeverReopensAnEndedVisit(t *testing.T) {
	s := newShard()
	rows := s.fold(view(0, "/a"), at(minute, weir.NameSessionEnd), at(2*minute, "after"))
	if rows[2].SessionID == rows[0].SessionID {
		t.Fatal("an event after the end joined the ended visit")
	}
	if v := s.total()["d/"+rows[0].SessionID]; !v.End.Equal(t0.Add(minute)) {
		t.Fatalf("%+v", v)
	}
}

func TestALogImportedBackwardsKeepsItsVisits(t *testing.T) {
	s := newShard()
	june := s.fold(view(0, "/june"), at(minute, "x"))
	may := s.fold(view(-1000*minute, "/may"), at(-999*minute, "x"), at(-900*minute, "x"), at(-899*minute, "x"))
	again := s.fold(at(2*minute, "x"))
	if again[0].SessionID != june[0].SessionID {
		t.Fatal("the newest visit was torn in two")
	}
	if n := len(s.total()); n != 3 {
		t.Fatalf("%d visits, want 3", n)
	}
	if may[0].SessionID != may[1].SessionID || may[1].SessionID == may[2].SessionID || may[2].SessionID != may[3].SessionID {
		t.Fatalf("may: %q %q %q %q", may[0].SessionID, may[1].SessionID, may[2].SessionID, may[3].SessionID)
	}
}

func TestAnEventWithoutADeviceIsPartOfNoVisit(t *testing.T) {
	s := newShard()
	rows := s.fold(at(0, "x", func(e *weir.Event) { e.DeviceID, e.ProfileID = "", "pr" }))
	if rows[0].SessionID != "" || len(s.visits)+len(s.open) != 0 {
		t.Fatalf("%+v %+v", rows, s.visits)
	}
}

func TestAVisitSaysWhoIsInIt(t *testing.T) {
	s := newShard()
	who := func(id string) func(*weir.Event) { return func(e *weir.Event) { e.ProfileID = id } }
	s.fold(at(0, "x"), at(minute, "x", who("me")), at(2*minute, "x", who("you")), at(3*minute, "x", who("me")), at(4*minute, "x"))
	if v := s.open[visit.Key("p", "d")][0]; v.Beside != "\na\nume\nuyou\n" || v.ProfileID != "me" {
		t.Errorf("%q, %q", v.ProfileID, v.Beside)
	}
	for i := range 5 {
		s.fold(at(5*minute+time.Duration(i)*time.Millisecond, "x", who(fmt.Sprint("u", i))))
	}
	if v := s.open[visit.Key("p", "d")][0]; v.Beside != "\na\nume\nuyou\nuu0\nuu1\nc\n" {
		t.Errorf("%q", v.Beside)
	}
	s.fold(at(0, "x", func(e *weir.Event) { e.DeviceID = "e" }), at(0, "x", func(e *weir.Event) { e.DeviceID = "e" }))
	if v := s.open[visit.Key("p", "e")][0]; v.Beside != "" {
		t.Errorf("%q is in a visit of nobody", v.Beside)
	}
}

func TestAVisitIsAsOldAsItsFirstReceipt(t *testing.T) {
	s := newShard()
	received := func(d time.Duration) func(*weir.Event) { return func(e *weir.Event) { e.ReceivedAt = t0.Add(d) } }
	s.fold(at(0, "x", received(3*minute)), at(time.Second, "x", received(2*minute)), at(2*time.Second, "x", received(4*minute)))
	if got := s.open[visit.Key("p", "d")][0].ReceivedAt; !got.Equal(t0.Add(2 * minute)) {
		t.Errorf("%v", got)
	}
}

func TestProjectsAndDevicesAreApart(t *testing.T) {
	s := newShard()
	s.fold(at(0, "x"), at(0, "x", func(e *weir.Event) { e.DeviceID = "e" }), at(0, "x", func(e *weir.Event) { e.ProjectID = "q" }))
	if len(s.open) != 3 || len(s.visits) != 3 {
		t.Fatalf("%d open, %d visits, want 3", len(s.open), len(s.visits))
	}
}

func TestTheFoldLeavesItsInputAlone(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/a"), at(minute, "x"))
	before := maps.Clone(s.open)
	copies := map[string]string{}
	for k, st := range before {
		copies[k] = string(st.Encode())
	}
	rows := []weir.EventRow{{Event: view(2*minute, "/b"), Seq: 9}, {Event: view(200*minute, "/c"), Seq: 10}}
	s.Fold(s.open, rows, s.now, s.full)
	visit.Folder{}.Expire(s.open, s.now.Add(time.Hour))
	for k, st := range s.open {
		if string(st.Encode()) != copies[k] {
			t.Fatalf("state of %q changed", k)
		}
	}
}
