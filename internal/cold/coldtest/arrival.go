package coldtest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/visit"
)

// testArrival stores a world whose events come up to half an hour late, in many batches, and
// asks what the oracle answers of the same events in the order of their times.
func testArrival(t *testing.T, open func(t *testing.T, dir string) cold.Store, p Part) {
	s := begin(t, open)
	// In no world of these has a device two sessions at once that an event without a name could join.
	seeds := []uint64{154, 76, 92, 231, 241}
	if !long() {
		seeds = seeds[:1]
	}
	for i, seed := range seeds {
		z := zones[i%len(zones)]
		r := rand.New(rand.NewPCG(seed, 0))
		w, err := generate(r, z.name, z.from, 200)
		if err != nil {
			t.Fatal(err)
		}
		w.unfold(false)
		merged := 0
		for _, b := range w.lateBatches(r, 8) {
			write(t, s, b)
			for _, v := range b.Visits {
				if v.Formerly != "" {
					merged += int(v.Sign)
				}
			}
		}
		if merged < 2 {
			t.Fatalf("late events merged %d visits: too few to say anything", merged)
		}
		w.sessionize()
		o := newOracle(w)
		e := insight.New(s, written{time.Now()}, time.Now, insight.Options{Actions: savedActions{}})
		a := &asker{e: e, w: w, want: o, date: o.date, r: r, turns: p.Of, of: p.Of}
		t.Run(fmt.Sprint("world ", seed), func(t *testing.T) {
			t.Run("all visits", func(t *testing.T) {
				from, to := w.from.AddDate(-2, 0, 0), w.from.AddDate(0, 1, 0)
				for _, column := range []string{"channel", "event_channel"} {
					f := weir.Filter{{Column: column, Op: "=", Values: []string{weir.ChannelEmail}}}
					a.ask(t, weir.Pages{Common: weir.Common{From: from, To: to, Filter: f}, Limit: 1000})
				}
				a.ask(t, weir.Pages{Common: weir.Common{From: from, To: to, Bots: weir.BotsIn}, Limit: 1000})
			})
			t.Run("pages", a.pages)
			t.Run("anything together", a.anything)
			if p.Of == 1 {
				t.Run("every breakdown", a.breakdowns)
				t.Run("events", a.events)
			}
		})
	}
}

// unfold removes what a fold computes, and some session ids. Devices with an even number lose all.
// Other devices lose the session id of each visit's first event, unless named is set.
func (w *world) unfold(named bool) {
	first := map[string]bool{} // session ids that were seen
	times := map[string]map[time.Time]bool{}
	slices.SortStableFunc(w.events, func(a, b weir.EventRow) int { return a.Time.Compare(b.Time) })
	for i := range w.events {
		e := &w.events[i]
		var device int
		_, err := fmt.Sscanf(e.DeviceID, "device-%d", &device)
		if err == nil && (device%2 == 0 || !named && !first[e.SessionID]) {
			first[e.SessionID] = true
			e.SessionID = ""
		}
		if named && e.SessionID != "" && e.Name == weir.NameScreenLeave {
			e.Name = "click" // a leave that begins a visit would be in none, and have its name
		}
		if e.DeviceID == "" || e.Name == weir.NameScreenLeave {
			e.SessionID = ""
		}
		e.ID = fmt.Sprint("e", i)
		e.ClosesEventID, e.ClosesPath, e.ClosesMS = "", "", 0
		if !e.IsScreenView() && e.Path == "" {
			e.Path = "/own" // what an event takes from a view is not corrected
		}
		if times[e.DeviceID] == nil {
			times[e.DeviceID] = map[time.Time]bool{}
		}
		for times[e.DeviceID][e.Time] {
			e.Time = e.Time.Add(time.Microsecond)
		}
		times[e.DeviceID][e.Time] = true
		e.ReceivedAt = e.Time
	}
}

// lateBatches returns the batches in which the events arrive, each up to half an hour late.
func (w *world) lateBatches(r *rand.Rand, size int) []*cold.Batch {
	last := map[string]time.Time{} // by device: when the last of its events arrived
	for i := range w.events {
		e := &w.events[i]
		e.ReceivedAt = e.Time.Add([]time.Duration{0, 0, 12 * time.Minute, 29 * time.Minute, 29 * time.Minute}[r.IntN(5)])
		if e.Name == weir.NameScreenLeave && e.ReceivedAt.Before(last[e.DeviceID]) {
			e.ReceivedAt = last[e.DeviceID] // a leave that comes before its view is in no visit
		}
		if e.ReceivedAt.After(last[e.DeviceID]) {
			last[e.DeviceID] = e.ReceivedAt
		}
	}
	arrivals := slices.SortedStableFunc(slices.Values(w.events), func(a, b weir.EventRow) int { return a.ReceivedAt.Compare(b.ReceivedAt) })
	shards := make([][]weir.EventRow, shardsOf)
	for _, e := range arrivals {
		e.Seq = uint64(len(shards[e.Shard]) + 1)
		shards[e.Shard] = append(shards[e.Shard], e)
	}
	places := map[string]uint64{}
	var out []*cold.Batch
	for shard, rows := range shards {
		states := visit.Open{}
		folder := visit.Folder{LogID: fmt.Sprint(w.project.ID, "-late-", shard)}
		for chunk := range slices.Chunk(rows, size) {
			for _, e := range chunk {
				places[e.ID] = e.Seq
			}
			first, last := chunk[0].Seq, chunk[len(chunk)-1].Seq
			folded := folder.Fold(states, chunk, w.from, nil)
			maps.Copy(states, folded.Changed)
			b := &cold.Batch{Token: fmt.Sprint(folder.LogID, "-", first), Log: folder.LogID, Shard: shard, First: first, Last: last, Now: w.from, Events: chunk, Visits: folded.Visits}
			if len(out) == 0 {
				b.Links = w.links
			}
			out = append(out, b)
		}
	}
	for i := range w.events {
		w.events[i].Seq = places[w.events[i].ID]
	}
	return out
}

// naiveVisit is a visit so far of a device.
type naiveVisit struct {
	name       string
	named      bool
	start, end time.Time
	view       *weir.EventRow // the last one
	closed     bool
	events     []*weir.EventRow
}

// sessionize gives the events, which are in the order of their times, the visits and closing
// events that numbers of visits are about.
func (w *world) sessionize() {
	devices := map[string][]*naiveVisit{}
	for i := range w.events {
		e := &w.events[i]
		if e.DeviceID == "" {
			continue
		}
		v := naiveVisitOf(devices[e.DeviceID], e)
		ends := e.Name == weir.NameScreenLeave
		if v == nil {
			if ends {
				e.SessionID = "" // it is in no visit
				continue
			}
			v = &naiveVisit{name: "visit of " + e.ID, start: e.Time}
			devices[e.DeviceID] = append(devices[e.DeviceID], v)
		}
		if e.SessionID != "" {
			v.name, v.named = e.SessionID, true
		}
		v.end = e.Time
		v.events = append(v.events, e)
		late := v.view != nil && ends && e.Path != v.view.Path && e.Time.Sub(v.view.Time) < 5*time.Second
		if (ends || e.IsScreenView()) && v.view != nil && !v.closed && !late {
			e.ClosesEventID, e.ClosesPath, e.ClosesMS = v.view.ID, v.view.Path, e.Time.Sub(v.view.Time).Milliseconds()
			v.closed = true
		}
		if e.IsScreenView() {
			v.view, v.closed = e, false
		}
	}
	for _, visits := range devices {
		for _, v := range visits {
			for _, e := range v.events {
				e.SessionID = v.name
			}
		}
	}
}

// naiveVisitOf returns the visit that an event joins: the one of its name, else the newest
// that goes on, and that has no name if the event has one.
func naiveVisitOf(visits []*naiveVisit, e *weir.EventRow) *naiveVisit {
	for _, v := range visits {
		if e.SessionID != "" && v.named && v.name == e.SessionID {
			return v
		}
	}
	for _, v := range slices.Backward(visits) {
		goesOn := e.Time.Sub(v.end) <= 30*time.Minute && (v.named || e.Time.Sub(v.start) <= 24*time.Hour)
		if goesOn && (e.SessionID == "" || !v.named) {
			return v
		}
	}
	return nil
}
