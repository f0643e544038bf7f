package coldtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/deletion"
	"github.com/weir-analytics/weir/internal/insight"
)

// testDelete deletes events of a world, one deletion after the other, and asks what the oracle
// answers of a world in which they never came.
func testDelete(t *testing.T, open func(*testing.T, string) cold.Store, p Part) {
	s := begin(t, open)
	z := zones[2]
	r := rand.New(rand.NewPCG(17, 3))
	w, err := generate(r, z.name, z.from, 600)
	if err != nil {
		t.Fatal(err)
	}
	w.unfold(true)
	for _, b := range w.lateBatches(r, 40) {
		write(t, s, b)
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{Actions: savedActions{}})
	base := world{project: w.project, from: w.from, days: w.days, events: slices.Clone(w.events), links: w.links}
	base.sessionize()
	sameVisits(t, s, &base)
	day := func(n int) time.Time { return w.from.AddDate(0, 0, n) }
	named := func(names ...string) weir.Filter { return weir.Filter{{Column: "name", Op: "in", Values: names}} }
	deletions := []struct {
		what  string
		match insight.Match
		is    func(*weir.EventRow) bool
	}{
		{"an import", insight.Match{Filter: weir.Filter{{Column: "import_id", Op: "=", Values: []string{"first"}}}}, func(e *weir.EventRow) bool { return e.ImportID == "first" }},
		{"views of some days", insight.Match{Filter: named(weir.NameScreenView), From: day(2), To: day(6)}, func(e *weir.EventRow) bool {
			return e.Name == weir.NameScreenView && !e.Time.Before(day(2)) && e.Time.Before(day(6))
		}},
		{"what names people, and calls", insight.Match{Filter: named(weir.NameIdentify, weir.NameCall), From: day(5)}, func(e *weir.EventRow) bool {
			return (e.Name == weir.NameIdentify || e.Name == weir.NameCall) && !e.Time.Before(day(5))
		}},
		{"some hours", insight.Match{From: day(7).Add(30 * time.Minute), To: day(9)}, func(e *weir.EventRow) bool {
			return !e.Time.Before(day(7).Add(30*time.Minute)) && e.Time.Before(day(9))
		}},
	}
	if p.Of > 1 && !long() {
		deletions = deletions[1:2]
	}
	for i, of := range deletions {
		n := len(w.events)
		w.events = slices.DeleteFunc(w.events, func(e weir.EventRow) bool { return of.is(&e) })
		if n == len(w.events) {
			t.Fatalf("%s: no event", of.what)
		}
		of.match.Before = time.Now()
		id := fmt.Sprint("deletion-", i)
		if got := selectEvents(t, s, e, w.project, of.match, id); got != n-len(w.events) {
			t.Fatalf("%s: %d events match, want %d", of.what, got, n-len(w.events))
		}
		c := deletion.Cold{Store: s, ProjectID: w.project.ID, ID: id, Before: of.match.Before, Clock: time.Now}
		times := 2 // once more changes nothing
		if p.Of > 1 && !long() {
			times = 1
		}
		for range times {
			if err := c.Delete(t.Context()); err != nil {
				t.Fatalf("%s: %v", of.what, err)
			}
		}
		e.Invalidate(t.Context(), w.project)
		left := world{project: w.project, from: w.from, days: w.days, events: slices.Clone(w.events), links: w.links}
		left.sessionize()
		sameVisits(t, s, &left)
		o := newOracle(&left)
		some := p.Of
		if !long() {
			some = max(p.Of, 8)
		}
		a := &asker{e: e, w: &left, want: o, date: o.date, r: r, turns: some, of: some}
		t.Run("without "+of.what, func(t *testing.T) {
			from, to := w.from.AddDate(-2, 0, 0), w.from.AddDate(0, 1, 0)
			a.ask(t, weir.Pages{Common: weir.Common{From: from, To: to, Bots: weir.BotsIn}, Limit: 1000})
			for _, raw := range []bool{false, true} {
				a.e = insight.New(s, written{time.Now()}, time.Now, insight.Options{Raw: raw, Actions: savedActions{}})
				a.ask(t, weir.Trend{Common: weir.Common{From: w.from, To: to, Interval: weir.Day, Bots: weir.BotsIn}, Breakdown: "name", Limit: 100, Series: []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}}})
			}
			if p.Of <= 1 || long() {
				t.Run("pages", a.pages)
				t.Run("growth", a.growth)
			}
			t.Run("anything together", a.anything)
			t.Run("events", a.events)
		})
	}
}

// selectEvents stores which events a deletion deletes, and returns how many.
func selectEvents(t *testing.T, s cold.Store, e *insight.Engine, p *weir.Project, m insight.Match, id string) (n int) {
	t.Helper()
	var last *weir.EventRow
	for {
		page, err := e.MatchPage(t.Context(), p, m, last, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			return n
		}
		var rows []cold.DeletedEvent
		for _, r := range page {
			rows = append(rows, cold.DeletedEvent{DeletionID: id, EventRow: r})
		}
		if err := s.Add(t.Context(), fmt.Sprint(id, n), cold.Additions{Deleted: rows}); err != nil {
			t.Fatal(err)
		}
		n += len(page)
		last = &page[len(page)-1]
	}
}

// sameVisits compares the stored visits with those of the world.
func sameVisits(t *testing.T, s cold.Store, w *world) {
	t.Helper()
	type spanned struct {
		device     string
		start, end time.Time
		events     int64
	}
	count := map[spanned]int{}
	for _, v := range readVisits(t, s) {
		count[spanned{v.DeviceID, v.Start, v.End, v.Events}] += int(v.Sign)
	}
	of := map[[2]string]*spanned{}
	for i := range w.events {
		e := &w.events[i]
		if e.SessionID == "" || e.DeviceID == "" {
			continue
		}
		k := [2]string{e.DeviceID, e.SessionID}
		if of[k] == nil {
			of[k] = &spanned{e.DeviceID, e.Time, e.Time, 0}
		}
		of[k].end = e.Time
		of[k].events++
	}
	for _, v := range of {
		count[*v]--
	}
	for v, n := range count {
		if n != 0 {
			t.Errorf("visit of %s from %v to %v with %d events is stored %d times too often", v.device, v.start, v.end, v.events, n)
		}
	}
}
