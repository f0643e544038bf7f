package meta_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

func TestANewTimezoneAsksForARecountAndForReports(t *testing.T) {
	f := open(t)
	p, _ := newProject(t, f)
	other, _ := newProject(t, f)
	recounts := func() []weir.Recount { return must(f.Recounts(t.Context()))(t) }
	for _, id := range []string{p.ID, other.ID} {
		a := &weir.Report{ProjectID: id, Date: "2026-03-01", Revision: 1, Timezone: p.Timezone, Counters: &weir.ReportCounters{Events: 5}}
		if saved, err := f.SaveReport(t.Context(), a, 0); err != nil || !saved {
			t.Fatal(saved, err)
		}
	}
	counted := func(id string) int64 {
		heads := must(f.ReportHeads(t.Context(), id, "2026-03-01", "2026-03-01"))(t)
		if len(heads) != 1 {
			t.Fatal(heads)
		}
		return heads[0].Counted
	}
	state := func(id string) weir.Recounting { return must(f.Project(t.Context(), id))(t).Recounting }

	wantCode(t, f.SetTimezone(t.Context(), p.ID, "Mars/Olympus"), weir.EINVALID)
	wantCode(t, f.SetTimezone(t.Context(), "nothing", "Asia/Tokyo"), weir.ENOTFOUND)
	if err := f.SetTimezone(t.Context(), p.ID, p.Timezone); err != nil {
		t.Fatal(err)
	}
	if all := recounts(); len(all) != 0 || counted(p.ID) != 5 || state(p.ID).Running {
		t.Fatalf("the same timezone asks for %v", all)
	}

	if err := f.SetTimezone(t.Context(), p.ID, "Asia/Tokyo"); err != nil {
		t.Fatal(err)
	}
	if got := must(f.Project(t.Context(), p.ID))(t); got.Timezone != "Asia/Tokyo" || got.Location().String() != "Asia/Tokyo" {
		t.Fatalf("%+v", got)
	}
	first := recounts()
	if len(first) != 1 || first[0].ProjectID != p.ID || first[0].Timezone != "Asia/Tokyo" || first[0].Done != 0 || first[0].AskedAt.IsZero() {
		t.Fatalf("%+v", first)
	}
	if counted(p.ID) != weir.CountedElsewhere || counted(other.ID) != 5 {
		t.Fatalf("counted: %d, of another project %d", counted(p.ID), counted(other.ID))
	}
	if d := cmp.Diff([]weir.Recounting{{Running: true}, {}}, []weir.Recounting{state(p.ID), state(other.ID)}); d != "" {
		t.Fatal(d)
	}

	first[0].Done = weir.RecountDays / 2
	if current, err := f.SaveRecount(t.Context(), first[0]); err != nil || !current {
		t.Fatal(current, err)
	}
	if d := cmp.Diff(weir.Recounting{Running: true, Percent: 50}, state(p.ID)); d != "" {
		t.Fatal(d)
	}
	if err := f.SetTimezone(t.Context(), p.ID, "Europe/Berlin"); err != nil {
		t.Fatal(err)
	}
	again := recounts()
	if len(again) != 1 || again[0].ID == first[0].ID || again[0].Done != 0 || again[0].Timezone != "Europe/Berlin" {
		t.Fatalf("%+v after %+v", again, first)
	}
	if current, err := f.SaveRecount(t.Context(), first[0]); err != nil || current {
		t.Fatalf("the former recount goes on (%v)", err)
	}
	if err := f.EndRecount(t.Context(), first[0]); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(again, recounts()); d != "" {
		t.Fatal(d)
	}
	again[0].Done = weir.RecountDays
	if current, err := f.SaveRecount(t.Context(), again[0]); err != nil || !current {
		t.Fatal(current, err)
	}
	if d := cmp.Diff(weir.Recounting{Percent: 100}, state(p.ID)); d != "" {
		t.Fatal(d)
	}
	if err := f.EndRecount(t.Context(), again[0]); err != nil {
		t.Fatal(err)
	}
	if all := recounts(); len(all) != 0 || state(p.ID).Running {
		t.Fatalf("%+v", all)
	}
}
