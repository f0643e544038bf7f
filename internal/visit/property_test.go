package visit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/visit"
	"pgregory.net/rapid"
)

// drawEvents draws a stream of events of a few devices; times mostly go on, and
// sometimes jump back or far ahead.
func drawEvents(t *rapid.T, ordered bool) []weir.Event {
	n := rapid.IntRange(1, 60).Draw(t, "n")
	now := t0
	events := make([]weir.Event, n)
	for i := range events {
		step := rapid.SampledFrom([]time.Duration{0, time.Second, minute, 20 * minute, 31 * minute, 5 * time.Hour}).Draw(t, "step")
		now = now.Add(step)
		when := now
		if !ordered && rapid.IntRange(0, 4).Draw(t, "late") == 0 {
			when = when.Add(-rapid.SampledFrom([]time.Duration{time.Second, 10 * minute, time.Hour, 48 * time.Hour}).Draw(t, "by"))
		}
		e := weir.Event{
			ID: fmt.Sprint("e", i), ProjectID: "p", Time: when,
			DeviceID: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "device"),
			Name:     rapid.SampledFrom([]string{weir.NameScreenView, weir.NameScreenView, "click", weir.NameCall, weir.NameSessionEnd, weir.NameScreenLeave}).Draw(t, "name"),
		}
		if !ordered {
			e.SessionID = rapid.SampledFrom([]string{"", "", "s1", "s2"}).Draw(t, "session")
			e.ProfileID = rapid.SampledFrom([]string{"", "", "me"}).Draw(t, "profile")
		}
		if e.IsScreenView() {
			e.Path = fmt.Sprint("/", i)
		}
		if e.Name == weir.NameCall {
			e.Call = &weir.Call{}
		}
		events[i] = e
	}
	return events
}

func foldIn(batches [][]weir.Event) *shard {
	s := newShard()
	for _, b := range batches {
		s.fold(b...)
	}
	return s
}

// cut cuts the events into batches.
func cut(t *rapid.T, events []weir.Event) [][]weir.Event {
	var batches [][]weir.Event
	for len(events) > 0 {
		n := rapid.IntRange(1, len(events)).Draw(t, "batch")
		batches = append(batches, events[:n])
		events = events[n:]
	}
	return batches
}

func TestTheSameInputFoldsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batches := cut(t, drawEvents(t, false))
		a, b := foldIn(batches), foldIn(batches)
		if d := cmp.Diff(a.rows, b.rows) + cmp.Diff(a.visits, b.visits) + cmp.Diff(a.open, b.open); d != "" {
			t.Fatal(d)
		}
	})
}

func TestBatchesDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, false)
		a, b := foldIn([][]weir.Event{events}), foldIn(cut(t, events))
		if d := cmp.Diff(a.rows, b.rows) + cmp.Diff(a.total(), b.total()) + cmp.Diff(a.open, b.open); d != "" {
			t.Fatal(d)
		}
	})
}

func TestStatesComeBackFromTheirStoredForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, st := range foldIn([][]weir.Event{drawEvents(t, false)}).open {
			got, err := visit.DecodeState(st.Encode())
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(st, got); d != "" {
				t.Fatal(d)
			}
		}
	})
}

func TestVisitsAndRowsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := foldIn(cut(t, drawEvents(t, false)))
		s.expire(time.Hour)
		if len(s.open) != 0 {
			t.Fatalf("%d devices left open", len(s.open))
		}
		sum := s.total()
		count := map[string]int64{}
		for _, r := range s.rows {
			if r.ClosesMS < 0 {
				t.Fatalf("negative duration: %+v", r)
			}
			if r.DeviceID == "" {
				continue
			}
			k := r.DeviceID + "/" + r.SessionID
			v, ok := sum[k]
			if !ok {
				if r.Name != weir.NameSessionEnd && r.Name != weir.NameScreenLeave {
					t.Fatalf("%s is in no visit", r.Name)
				}
				continue
			}
			lone := (r.Name == weir.NameSessionEnd || r.Name == weir.NameScreenLeave)
			if r.Time.Before(v.Start) || r.Time.After(v.End) {
				if lone {
					continue // named a visit that was not open
				}
				t.Fatalf("%s at %v is outside its visit %v to %v", r.Name, r.Time, v.Start, v.End)
			}
			if !lone {
				count[k]++
			}
		}
		for k, v := range sum {
			if v.Events < count[k] {
				t.Fatalf("visit %s has %d events, %d rows", k, v.Events, count[k])
			}
			if !v.Ended {
				t.Fatalf("visit %s did not end", k)
			}
		}
	})
}

func TestEachScreenViewIsClosedAtMostOnceAndByALaterEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := foldIn(cut(t, drawEvents(t, false)))
		byID := map[string]weir.EventRow{}
		for _, r := range s.rows {
			byID[r.ID] = r
		}
		closed := map[string]bool{}
		for _, r := range s.rows {
			if r.ClosesEventID == "" {
				continue
			}
			v := byID[r.ClosesEventID]
			if closed[v.ID] || !v.IsScreenView() || v.SessionID != r.SessionID || v.Path != r.ClosesPath ||
				r.Time.Sub(v.Time).Milliseconds() != r.ClosesMS {
				t.Fatalf("%+v closes %+v", r, v)
			}
			closed[v.ID] = true
		}
	})
}

// With events in order and no ids of the SDK, visits are what a sort and a scan
// find.
func TestOrderedEventsFallIntoTheVisitsThatAScanFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := foldIn(cut(t, drawEvents(t, true)))
		for _, device := range []string{"a", "b"} {
			var last, start time.Time
			var name string
			open := false
			for _, r := range s.rows {
				if r.DeviceID != device {
					continue
				}
				closer := r.Name == weir.NameSessionEnd || r.Name == weir.NameScreenLeave
				goesOn := open && r.Time.Sub(last) <= visit.Idle && r.Time.Sub(start) <= visit.MaxAge
				// An ended visit takes what happened at the moment of its end.
				if !open && name != "" && r.Time.Equal(last) {
					goesOn = true
				}
				switch {
				case goesOn && r.SessionID != name:
					t.Fatalf("%s at %v: visit %q, want %q", r.Name, r.Time, r.SessionID, name)
				case !goesOn && closer:
					if r.SessionID != "" {
						t.Fatalf("lone %s is in visit %q", r.Name, r.SessionID)
					}
					continue
				case !goesOn:
					if r.SessionID == name {
						t.Fatalf("%s at %v: visit %q goes on", r.Name, r.Time, name)
					}
					name, start, open = r.SessionID, r.Time, true
				}
				last = r.Time
				if r.Name == weir.NameSessionEnd {
					open = false
				}
			}
		}
	})
}

func FuzzDecodeState(f *testing.F) {
	s := newShard()
	s.fold(view(0, "/a"), at(minute, "x", session("s")))
	for _, st := range s.open {
		f.Add(st.Encode())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := visit.DecodeState(b)
		if err != nil {
			return
		}
		again, err := visit.DecodeState(st.Encode())
		if err != nil || !slices.Equal(st, again) {
			t.Fatal(err, st, again)
		}
	})
}
