package visit_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

// fataler is a *testing.T or a *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// viewTimes returns how long each view was looked at, in ms by its id.
func viewTimes(t fataler, rows []weir.EventRow) map[string]float64 {
	t.Helper()
	sum, n := map[string]float64{}, map[string]int{}
	for _, r := range rows {
		if r.ClosesEventID != "" {
			sum[r.ClosesEventID] += float64(r.ClosesMS)
			n[r.ClosesEventID]++
		}
		if r.ReplacesMS.Known {
			sum[r.ClosesEventID] -= r.ReplacesMS.Value
			n[r.ClosesEventID]--
		}
		if r.RestMS.Known {
			of := r.ClosesEventID
			if r.IsScreenView() {
				of = r.ID
				n[of]++
			}
			sum[of] += r.RestMS.Value
		}
	}
	for id := range sum {
		if n[id] != 1 || sum[id] < 0 {
			t.Fatalf("%s was closed %d times, after %v ms", id, n[id], sum[id])
		}
	}
	return sum
}

func TestAnEventInheritsThePageItHappenedOn(t *testing.T) {
	s := newShard()
	rows := s.fold(at(-minute, "early"), view(0, "/a"), at(minute, "click"))
	rows = append(rows, s.fold(
		at(2*minute, "own", func(e *weir.Event) { e.Path = "/own" }), view(3*minute, "/b"), at(4*minute, "click"))...)
	rows = append(rows, s.fold(at(2*minute, "before b"))...)
	for i, want := range []struct{ path, origin, from string }{
		{},
		{"/a", "https://x", ""},
		{"/a", "https://x", "e2"},
		{"/own", "", ""},
		{"/b", "https://x", ""},
		{"/b", "https://x", "e5"},
		{"/a", "https://x", "e2"},
	} {
		r := rows[i]
		if r.Path != want.path || r.Origin != want.origin || r.InheritedFrom != want.from {
			t.Errorf("%s: %q %q from %q, want %+v", r.Name, r.Path, r.Origin, r.InheritedFrom, want)
		}
	}
}

func TestAScreenViewIsClosedOnceByWhatLeavesIt(t *testing.T) {
	s := newShard()
	rows := s.fold(view(0, "/a"), at(minute, "click"), at(2*minute, weir.NameScreenLeave), view(5*minute, "/b"))
	rows = append(rows, s.fold(view(6*minute, "/c"))...)
	type closing struct {
		id, path string
		ms       int64
	}
	for i, want := range []closing{{}, {}, {"e1", "/a", 120_000}, {}, {"e4", "/b", 60_000}} {
		r := rows[i]
		if got := (closing{r.ClosesEventID, r.ClosesPath, r.ClosesMS}); got != want {
			t.Errorf("row %d closes %+v, want %+v", i, got, want)
		}
	}
}

func TestALeaveOfThePageBeforeDoesNotCloseTheOneThatIsShown(t *testing.T) {
	leave := func(d time.Duration, path string) weir.Event {
		return at(d, weir.NameScreenLeave, func(e *weir.Event) { e.Path = path })
	}
	s := newShard()
	rows := s.fold(view(0, "/a"), view(minute, "/b"), leave(minute+50*time.Millisecond, "/a"), leave(3*minute, "/b"),
		view(4*minute, "/c"), leave(4*minute+time.Second, "/c"),
		view(5*minute, "/d"), leave(7*minute, "/d/details")) // an app whose SDK saw no view of that
	type closing struct {
		path string
		ms   int64
	}
	for i, want := range []closing{{}, {"/a", 60_000}, {}, {"/b", 120_000}, {}, {"/c", 1000}, {}, {"/d", 120_000}} {
		if got := (closing{rows[i].ClosesPath, rows[i].ClosesMS}); got != want {
			t.Errorf("row %d closes %+v, want %+v", i, got, want)
		}
	}
}

func TestALateViewCorrectsThePageTimesThatAreStored(t *testing.T) {
	leave := func(d time.Duration, path string) weir.Event {
		return at(d, weir.NameScreenLeave, func(e *weir.Event) { e.Path = path })
	}
	for name, tt := range map[string]struct {
		events []weir.Event // a batch each
		want   map[string]float64
	}{
		"a view":                         {[]weir.Event{view(0, "/0"), view(10*minute, "/10"), view(4*minute, "/4")}, map[string]float64{"e1": 240_000, "e3": 360_000}},
		"three":                          {[]weir.Event{view(0, "/0"), view(10*minute, "/10"), view(6*minute, "/6"), view(4*minute, "/4")}, map[string]float64{"e1": 240_000, "e4": 120_000, "e3": 240_000}},
		"a leave":                        {[]weir.Event{view(0, "/0"), view(10*minute, "/10"), leave(4*minute, "/0")}, map[string]float64{"e1": 240_000}},
		"a view after a leave":           {[]weir.Event{view(0, "/0"), leave(2*minute, "/0"), view(10*minute, "/10"), view(4*minute, "/4")}, map[string]float64{"e1": 120_000, "e4": 360_000}},
		"a view before a leave of it":    {[]weir.Event{view(0, "/0"), leave(4*minute, "/4"), view(3*minute, "/4")}, map[string]float64{"e1": 180_000, "e3": 60_000}},
		"a view before another's leave":  {[]weir.Event{view(0, "/0"), leave(4*minute, "/0"), view(9*minute, "/9"), view(4*minute-time.Second, "/1")}, map[string]float64{"e1": 239_000, "e4": 301_000}},
		"a view before all":              {[]weir.Event{view(10*minute, "/10"), view(4*minute, "/4")}, map[string]float64{"e2": 360_000}},
		"a click":                        {[]weir.Event{view(0, "/0"), view(10*minute, "/10"), at(4*minute, "click")}, map[string]float64{"e1": 600_000}},
		"an end that comes after others": {[]weir.Event{view(0, "/0"), view(10*minute, "/10"), at(12*minute, "click"), at(11*minute, weir.NameSessionEnd)}, map[string]float64{"e1": 600_000, "e2": 60_000}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShard()
			for _, e := range tt.events {
				s.fold(e)
			}
			if d := cmp.Diff(tt.want, viewTimes(t, s.rows)); d != "" {
				t.Fatal(d)
			}
		})
	}
}
