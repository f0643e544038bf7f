package visit_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

// sessions maps the stored session ids of a device, "d/s", to those that answers give.
func (s *shard) sessions() map[string]string {
	out := map[string]string{}
	for _, v := range s.total() {
		for former := range strings.FieldsSeq(v.Formerly) {
			out[v.DeviceID+"/"+former] = v.SessionID
		}
	}
	return out
}

// answered returns the rows with the session ids that answers give.
func (s *shard) answered() []weir.EventRow {
	rows, sessions := slices.Clone(s.rows), s.sessions()
	for i := range rows {
		if to, ok := sessions[rows[i].DeviceID+"/"+rows[i].SessionID]; ok {
			rows[i].SessionID = to
		}
	}
	return rows
}

// one returns the only visit, and fails if there are others, or events that are not in it.
func (s *shard) one(t *testing.T) weir.VisitRow {
	t.Helper()
	total := s.total()
	if len(total) != 1 {
		t.Fatalf("%d visits: %+v", len(total), total)
	}
	rows := s.answered()
	v := total["d/"+rows[0].SessionID]
	for _, r := range rows {
		if r.SessionID != v.SessionID {
			t.Fatalf("%s is in %q, want %q", r.ID, r.SessionID, v.SessionID)
		}
	}
	if v.Events != int64(len(rows)) {
		t.Fatalf("%+v", v)
	}
	return v
}

func TestALateEventMergesTheStoredVisitsThatItIsBetween(t *testing.T) {
	from := func(channel, profile string) func(*weir.Event) {
		return func(e *weir.Event) { e.Channel, e.ProfileID, e.Revenue = channel, profile, weir.Known(1) }
	}
	s := newShard()
	s.fold(view(0, "/0", from("email", "")))
	s.fold(view(50*minute, "/50", from("direct", "me")))
	s.fold(view(25*minute, "/25", from("direct", "")))
	first := s.rows[0].SessionID
	want := weir.VisitRow{
		ProjectID: "p", DeviceID: "d", SessionID: first, Sign: 1, Version: 2, ProfileID: "me", Beside: "\na\n", Start: t0, End: t0.Add(50 * minute), Channel: "email",
		Entry: "/0", EntryAt: t0, Exit: "/50", ExitAt: t0.Add(50 * minute), Events: 3, ScreenViews: 3, Revenue: 3, Formerly: s.rows[1].SessionID,
	}
	if d := cmp.Diff(want, s.one(t)); d != "" {
		t.Fatal(d)
	}
	if d := cmp.Diff(map[string]float64{"e1": 25 * 60_000, "e3": 25 * 60_000}, viewTimes(t, s.rows)); d != "" {
		t.Fatal(d)
	}
	s.fold(view(51*minute, "/51"))
	if s.rows[3].SessionID != first || s.one(t).Events != 4 {
		t.Fatal("the merged visit does not go on")
	}
}

func TestAnEventThatIsNoViewMergesVisitsAndTheirPageTimes(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/0"))
	s.fold(view(50*minute, "/50"))
	s.fold(at(25*minute, "click"))
	s.one(t)
	if d := cmp.Diff(map[string]float64{"e1": 50 * 60_000}, viewTimes(t, s.rows)); d != "" {
		t.Fatal(d)
	}
}

func TestAnEndedVisitIsMergedWithNoneThatComesAfterItsEnd(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/0"), at(10*minute, weir.NameSessionEnd))
	s.fold(view(20*minute, "/20"))
	s.fold(at(5*minute, "late"))
	if len(s.total()) != 2 {
		t.Fatalf("%d visits", len(s.total()))
	}
}

func TestVisitsWithNamesOfTheirOwnAreNotMerged(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/0", session("s1")))
	s.fold(view(50*minute, "/50", session("s2")))
	s.fold(at(25*minute, "late"))
	if len(s.total()) != 2 {
		t.Fatalf("%d visits", len(s.total()))
	}
}

func TestAVisitTakesTheNameThatItsSDKSaysLater(t *testing.T) {
	for name, batches := range map[string][][]weir.Event{
		"in one batch":              {{view(0, "/0"), view(minute, "/1", session("s")), at(2*minute, "x")}},
		"in another":                {{view(0, "/0")}, {view(minute, "/1", session("s")), at(2*minute, "x")}},
		"late":                      {{view(0, "/0"), at(2*minute, "x")}, {view(minute, "/1", session("s"))}},
		"between two":               {{view(0, "/0")}, {at(50*minute, "x")}, {view(25*minute, "/1", session("s"))}},
		"when it has begun already": {{view(0, "/0")}, {view(50*minute, "/50", session("s"))}, {view(25*minute, "/25")}},
		"and one that begins again": {{view(0, "/0", session("s"))}, {view(45*minute, "/45")}, {view(50*minute, "/50", session("s"))}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShard()
			for _, b := range batches {
				s.fold(b...)
			}
			if v := s.one(t); v.SessionID != "s" || v.Entry != "/0" {
				t.Fatalf("%+v", v)
			}
			viewTimes(t, s.rows)
			s.fold(at(51*minute, "x", session("s2")))
			if v := s.total()["d/s2"]; v.Events != 1 {
				t.Fatalf("%+v", v)
			}
		})
	}
}

// A hostile device merges visits on and on. Its state stays small.
func TestAVisitHasABoundedNumberOfFormerNames(t *testing.T) {
	s := newShard()
	for i := range 60 {
		s.fold(view(time.Duration(50*i)*minute, "/"))
		s.fold(view(time.Duration(50*i-25)*minute, "/"))
	}
	for _, st := range s.open {
		if n := len(st.Encode()); n > 4000 {
			t.Fatalf("%d bytes", n)
		}
		for _, v := range st {
			if n := len(strings.Fields(v.Formerly)); n > 16 {
				t.Fatalf("%d names", n)
			}
		}
	}
	viewTimes(t, s.rows)
}

// The second event comes 50 minutes after the first one, and the third 2 minutes after that.
func TestAnIdleVisitStaysInTheStateWhileLateEventsMayMergeIt(t *testing.T) {
	s := newShard()
	s.fold(view(0, "/0"))
	s.expire(31 * minute)
	s.now = t0.Add(50 * minute)
	s.fold(view(50*minute, "/50"))
	s.now = t0.Add(52 * minute)
	s.fold(view(25*minute, "/25"))
	if v := s.one(t); v.Ended {
		t.Fatalf("%+v", v)
	}
	n := len(s.visits)
	s.expire(31 * minute)
	s.expire(30 * minute)
	if len(s.open) != 0 || len(s.visits) != n {
		t.Fatalf("%d open, wrote %+v", len(s.open), s.visits[n:])
	}
}
