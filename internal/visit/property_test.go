package visit_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
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
		e.Country = rapid.SampledFrom([]string{"", "DE", "IN"}).Draw(t, "country")
		e.Bot = rapid.IntRange(0, 9).Draw(t, "bot") == 0
		e.Revenue = weir.Known(float64(rapid.IntRange(0, 3).Draw(t, "revenue"))) // whole, so that no sum depends on its order
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

func TestFoldInAnyBatchesGivesTheSameVisits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, true)
		a, b := foldIn([][]weir.Event{events}), foldIn(cut(t, events))
		visits := func(s *shard) []weir.VisitRow {
			states, err := live(s.visits)
			if err != nil {
				t.Fatal(err)
			}
			return states
		}
		// How many states a visit has had is all that batches make of it.
		byCut := cmp.Options{
			cmpopts.IgnoreFields(weir.VisitRow{}, "Version"),
			cmpopts.SortSlices(func(x, y weir.VisitRow) bool { return naiveOrder(x) < naiveOrder(y) }),
		}
		if d := cmp.Diff(a.rows, b.rows) + cmp.Diff(visits(a), visits(b), byCut) + cmp.Diff(a.open, b.open, byCut); d != "" {
			t.Fatal(d)
		}
	})
}

// A batch is folded by time, so the order in which its events come makes no visit another.
func TestTheOrderOfArrivalWithinABatchChangesNoVisit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := drawEvents(t, true)
		for i := range events { // no two at the same time
			events[i].Time = events[i].Time.Add(time.Duration(i) * time.Microsecond)
		}
		what := func(events []weir.Event) (rows, visits []string) {
			s := foldIn([][]weir.Event{events})
			first := map[string]string{} // id of the first event of each visit by time
			byTime := slices.SortedFunc(slices.Values(s.rows), func(a, b weir.EventRow) int { return a.Time.Compare(b.Time) })
			for _, r := range byTime {
				key := r.DeviceID + "/" + r.SessionID
				if first[key] == "" {
					first[key] = r.ID
				}
				rows = append(rows, fmt.Sprint(r.ID, first[key], r.Path, r.InheritedFrom, r.ClosesEventID, r.ClosesPath, r.ClosesMS))
			}
			for key, v := range s.total() {
				v.SessionID = first[key]
				visits = append(visits, fmt.Sprintf("%+v", v))
			}
			slices.Sort(visits)
			return rows, visits
		}
		rows, visits := what(events)
		shuffledRows, shuffledVisits := what(rapid.Permutation(events).Draw(t, "shuffled"))
		if d := cmp.Diff(rows, shuffledRows) + cmp.Diff(visits, shuffledVisits); d != "" {
			t.Fatal(d)
		}
	})
}

func naiveOrder(v weir.VisitRow) string {
	v.Version = 0
	return fmt.Sprint(v)
}

func TestStatesComeBackFromTheirStoredForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, st := range foldIn([][]weir.Event{drawEvents(t, false)}).open {
			got, err := visit.DecodeState(string(st.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(st, got); d != "" {
				t.Fatal(d)
			}
		}
	})
}

func TestEachScreenViewIsClosedAtMostOnceAndByALaterEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := foldIn(cut(t, drawEvents(t, false)))
		byID := map[string]weir.EventRow{}
		for _, r := range s.answered() {
			byID[r.ID] = r
		}
		for _, r := range byID {
			if r.ClosesEventID == "" {
				continue
			}
			v := byID[r.ClosesEventID]
			if r.ClosesMS < 0 || !v.IsScreenView() || v.SessionID != r.SessionID && len(r.SessionID) > 2 || v.Path != r.ClosesPath ||
				r.Time.Sub(v.Time).Milliseconds() != r.ClosesMS {
				t.Fatalf("%+v closes %+v", r, v)
			}
		}
		viewTimes(t, s.rows)
	})
}

// Events of one or two devices come up to half an hour late, in any batches. They must give the
// same visits and page times as events in order. There is no session_end, because a late one does
// not split a stored visit. A leave comes after what it may close, else it is in no visit.
func TestTheOrderOfArrivalChangesNoVisit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		now := t0
		var events []weir.Event
		for i := range n {
			now = now.Add(rapid.SampledFrom([]time.Duration{time.Second, minute, 8 * minute, 20 * minute, 29 * minute, 31 * minute, 40 * minute}).Draw(t, "step") + time.Microsecond)
			e := weir.Event{ID: fmt.Sprint("e", i), ProjectID: "p", Time: now, DeviceID: rapid.SampledFrom([]string{"a", "a", "b"}).Draw(t, "device")}
			e.Name = rapid.SampledFrom([]string{weir.NameScreenView, weir.NameScreenView, "click", weir.NameScreenLeave}).Draw(t, "name")
			if e.Name != "click" {
				e.Path = rapid.SampledFrom([]string{"/a", "/b"}).Draw(t, "path")
			}
			e.ProfileID = rapid.SampledFrom([]string{"", "", "me", "you"}).Draw(t, "profile")
			e.Bot = rapid.Bool().Draw(t, "bot")
			e.Country = fmt.Sprint("C", i)
			events = append(events, e)
		}
		type late struct {
			event weir.Event
			at    time.Time
		}
		arrived := map[string]time.Time{} // by device: the last of its events
		arrivals := make([]late, n)
		for i, e := range events {
			by := rapid.SampledFrom([]time.Duration{0, 0, minute, 10 * minute, 29 * minute}).Draw(t, "late by")
			at := e.Time.Add(by)
			if e.Name == weir.NameScreenLeave {
				at = latest(e.Time, arrived[e.DeviceID])
			}
			arrived[e.DeviceID] = latest(arrived[e.DeviceID], at)
			arrivals[i] = late{e, at}
		}
		slices.SortStableFunc(arrivals, func(a, b late) int { return a.at.Compare(b.at) })
		var shuffled []weir.Event
		for _, a := range arrivals {
			shuffled = append(shuffled, a.event)
		}
		what := func(s *shard) (visits []string, times map[string]float64) {
			first := map[string]string{} // id of the first event of each visit by time
			rows := slices.SortedFunc(slices.Values(s.answered()), func(a, b weir.EventRow) int { return a.Time.Compare(b.Time) })
			for _, r := range rows {
				if key := r.DeviceID + "/" + r.SessionID; first[key] == "" {
					first[key] = r.ID
				}
			}
			for key, v := range s.total() {
				v.SessionID, v.Version, v.Formerly, v.Beside = first[key], 0, "", ""
				visits = append(visits, fmt.Sprintf("%+v", v))
			}
			slices.Sort(visits)
			return visits, viewTimes(t, s.rows)
		}
		visits, times := what(foldIn([][]weir.Event{events}))
		gotVisits, gotTimes := what(foldIn(cut(t, shuffled)))
		if d := cmp.Diff(visits, gotVisits) + cmp.Diff(times, gotTimes); d != "" {
			t.Fatal(d)
		}
	})
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
