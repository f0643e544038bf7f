package meta_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/meta"
)

func shopOf(t *testing.T, f fixture) string {
	t.Helper()
	p, _, err := f.CreateProject(t.Context(), meta.NewProject{Name: "Shop"})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func reportOf(project string, d weir.Date, revision int, events int64) *weir.Report {
	return &weir.Report{
		ProjectID: project, Date: d, Timezone: "UTC", Revision: revision,
		ComputedAt: time.Date(2026, 3, 11, 1, 0, 0, 0, time.UTC),
		Totals:     weir.ReportTotals{Events: events},
		Calls:      weir.ReportCalls{ByAPI: []weir.ReportAPI{}},
		Visits:     weir.ReportVisits{Pages: []weir.ReportPage{}},
		Counters:   &weir.ReportCounters{Events: events + 1, ByAPI: []weir.APICounter{}},
	}
}

func save(t *testing.T, f fixture, r *weir.Report, after int) bool {
	t.Helper()
	return must(f.SaveReport(t.Context(), r, after))(t)
}

func TestAReportIsStoredOnceHoweverManyComputeIt(t *testing.T) {
	f := open(t)
	shop := shopOf(t, f)
	if !save(t, f, reportOf(shop, "2026-03-10", 1, 10), 0) {
		t.Fatal("the first was not stored")
	}
	if save(t, f, reportOf(shop, "2026-03-10", 1, 99), 0) {
		t.Error("a second first one was stored")
	}
	if !save(t, f, reportOf(shop, "2026-03-10", 2, 11), 1) {
		t.Error("the second revision was not stored")
	}
	if save(t, f, reportOf(shop, "2026-03-10", 2, 99), 1) {
		t.Error("a second revision 2 was stored")
	}
	if save(t, f, reportOf(shop, "2026-03-09", 2, 99), 1) {
		t.Error("a revision of a report that is not there was stored")
	}
	got := must(f.Report(t.Context(), shop, "2026-03-10"))(t)
	if d := cmp.Diff(reportOf(shop, "2026-03-10", 2, 11), got); d != "" {
		t.Error(d)
	}
}

func TestAComparisonIsNotStored(t *testing.T) {
	f := open(t)
	r := reportOf(shopOf(t, f), "2026-03-10", 1, 10)
	r.Compare = &weir.ReportCompare{}
	save(t, f, r, 0)
	if got := must(f.Report(t.Context(), r.ProjectID, r.Date))(t); got.Compare != nil || r.Compare == nil {
		t.Errorf("stored %+v, have %+v", got.Compare, r.Compare)
	}
}

func TestReportsComeByDayAndNotFromOtherProjects(t *testing.T) {
	f := open(t)
	shop, other := shopOf(t, f), shopOf(t, f)
	for _, d := range []weir.Date{"2026-03-12", "2026-03-10", "2026-03-11", "2026-02-28"} {
		save(t, f, reportOf(shop, d, 1, 5), 0)
		save(t, f, reportOf(other, d, 7, 9), 0)
	}
	at := reportOf(shop, "2026-03-10", 1, 5).ComputedAt
	want := []weir.ReportHead{
		{Date: "2026-03-10", Revision: 1, Events: 5, Counted: 6, ComputedAt: at}, {Date: "2026-03-11", Revision: 1, Events: 5, Counted: 6, ComputedAt: at},
	}
	if d := cmp.Diff(want, must(f.ReportHeads(t.Context(), shop, "2026-03-10", "2026-03-11"))(t)); d != "" {
		t.Error(d)
	}
	all := must(f.Reports(t.Context(), shop, "2026-03-01", "2026-03-31"))(t)
	if len(all) != 3 || all[0].Date != "2026-03-10" || all[2].Date != "2026-03-12" || all[0].ProjectID != shop {
		t.Errorf("%+v", all)
	}
	if err := f.PruneReports(t.Context(), shop, "2026-03-11"); err != nil {
		t.Fatal(err)
	}
	if n := len(must(f.Reports(t.Context(), shop, "2000-01-01", "2026-12-31"))(t)); n != 2 {
		t.Errorf("%d are left", n)
	}
	if n := len(must(f.Reports(t.Context(), other, "2000-01-01", "2026-12-31"))(t)); n != 4 {
		t.Errorf("%d of the other project are left", n)
	}
	_, err := f.Report(t.Context(), shop, "2026-03-10")
	wantCode(t, err, weir.ENOTFOUND)
}

func TestAProjectMayHaveAReportTimeOfItsOwn(t *testing.T) {
	f := open(t)
	shop, other := shopOf(t, f), shopOf(t, f)
	if at := must(f.ReportTime(t.Context(), shop))(t); at != "" {
		t.Errorf("a new project has %q", at)
	}
	for _, at := range []string{"01:30", "off", "23:00"} {
		if err := f.SetReportTime(t.Context(), shop, at); err != nil {
			t.Fatal(err)
		}
		if got := must(f.ReportTime(t.Context(), shop))(t); got != at {
			t.Errorf("%q, want %q", got, at)
		}
	}
	if err := f.SetReportTime(t.Context(), other, "02:00"); err != nil {
		t.Fatal(err)
	}
	if err := f.SetReportTime(t.Context(), shop, ""); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[string]string{other: "02:00"}, must(f.ReportTimes(t.Context()))(t)); d != "" {
		t.Error(d)
	}
	wantCode(t, f.SetReportTime(t.Context(), "nothing", "02:00"), weir.ENOTFOUND)
}

func TestClosedStoreFailsEachCallForReports(t *testing.T) {
	f := open(t)
	shop := shopOf(t, f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, ask := range map[string]func() error{
		"SaveReport":    func() error { _, err := f.SaveReport(ctx, reportOf(shop, "2026-03-10", 1, 1), 0); return err },
		"Report":        func() error { _, err := f.Report(ctx, shop, "2026-03-10"); return err },
		"Reports":       func() error { _, err := f.Reports(ctx, shop, "2026-03-10", "2026-03-11"); return err },
		"PruneReports":  func() error { return f.PruneReports(ctx, shop, "2026-03-10") },
		"ReportTimes":   func() error { _, err := f.ReportTimes(ctx); return err },
		"ReportTime":    func() error { _, err := f.ReportTime(ctx, shop); return err },
		"SetReportTime": func() error { return f.SetReportTime(ctx, shop, "01:00") },
	} {
		if weir.ErrorCode(ask()) != weir.EINTERNAL {
			t.Errorf("%s: %v", name, ask())
		}
	}
}
