package report_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

func always(context.Context, time.Duration) (bool, error) { return true, nil }

// lasting runs a scheduler for so long. It must be in a bubble, whose clock begins
// at midnight UTC, 2000-01-01.
func lasting(t *testing.T, s *report.Scheduler, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// at sets the world's project to be made at the beginning of a date.
func (w *world) madeOn(d weir.Date) { w.p.CreatedAt = d.Begin(w.p.Location()) }

func TestADayIsReportedAtItsTimeOnce(t *testing.T) {
	for zoneName, want := range map[string][]string{
		"UTC":              {"1999-12-31 01-01T01:00", "2000-01-01 01-02T01:00"},
		"Asia/Kolkata":     {"1999-12-31 12-31T19:30", "2000-01-01 01-01T19:30", "2000-01-02 01-02T19:30"},
		"America/New_York": {"1999-12-31 01-01T06:00", "2000-01-01 01-02T06:00"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, zoneName)
			w.madeOn("1999-12-31")
			lasting(t, report.NewScheduler(w.reporter(), w, always), 45*time.Hour)
			var got []string
			for d := weir.Date("1999-12-25"); d < "2000-01-10"; d = d.Add(1) {
				if a := w.reports[d]; a != nil {
					when := a.ComputedAt.UTC()
					if d == "1999-12-31" && zoneName == "Asia/Kolkata" { // was due before the server started
						when = when.Add(-4*time.Hour - 30*time.Minute)
					}
					got = append(got, string(d)+" "+when.Format("01-02T15:04"))
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(zoneName, d)
			}
			if len(w.asked) != len(got) {
				t.Errorf("%s: computed %v", zoneName, w.asked)
			}
		})
	}
}

func TestEachDayThatWasMissedIsCaughtUpOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-20")
		w.happens("1999-12-10", 5) // imported: from before the project was made
		w.reports["1999-12-22"] = &weir.Report{ProjectID: "p", Date: "1999-12-22", Revision: 1, Counters: &weir.ReportCounters{}}
		lasting(t, report.NewScheduler(w.reporter(), w, always), time.Minute)
		want := []weir.Date{
			"1999-12-10", "1999-12-20", "1999-12-21", "1999-12-23", "1999-12-24", "1999-12-25",
			"1999-12-26", "1999-12-27", "1999-12-28", "1999-12-29", "1999-12-30",
		}
		if d := cmp.Diff(want, w.asked); d != "" {
			t.Error(d)
		}
	})
}

func TestWhatWasMissedIsCaughtUpForAMonthAndADayAtTheMostAndWhileItIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		lasting(t, report.NewScheduler(w.reporter(), w, always), time.Second)
		if len(w.asked) != report.CatchUp || w.asked[0] != "1999-11-26" || w.asked[34] != "1999-12-30" {
			t.Errorf("%d: %v", len(w.asked), w.asked)
		}
		w.reports, w.asked = map[weir.Date]*weir.Report{}, nil
		w.p.RetentionDays = 3
		lasting(t, report.NewScheduler(w.reporter(), w, always), time.Second)
		if d := cmp.Diff([]weir.Date{"1999-12-29", "1999-12-30"}, w.asked); d != "" {
			t.Error(d)
		}
	})
}

func TestAProjectMayHaveItsOwnTimeOrNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-31")
		w.times["p"] = "off"
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, 2*time.Hour)
		if len(w.asked) != 0 {
			t.Fatalf("computed %v", w.asked)
		}
		w.times["p"] = "04:10" // counts at once, without a restart
		lasting(t, s, 3*time.Hour)
		if a := w.reports["1999-12-31"]; a == nil || a.ComputedAt.Format("15:04") != "04:10" {
			t.Errorf("%+v", a)
		}
	})
}

func TestADayWhoseClockSkipsTheTimeIsReported(t *testing.T) {
	w := newWorld(t, "Europe/Lisbon") // on 2026-03-29 there is no 01:00
	w.madeOn("2026-03-28")
	now := time.Date(2026, 3, 29, 0, 59, 0, 0, time.UTC)
	w.clock = func() time.Time { return now }
	s := report.NewScheduler(w.reporter(), w, always)
	synctest.Test(t, func(t *testing.T) { lasting(t, s, time.Second) })
	if len(w.asked) != 0 {
		t.Fatalf("computed %v", w.asked)
	}
	now = now.Add(time.Minute)
	synctest.Test(t, func(t *testing.T) { lasting(t, s, time.Second) })
	if d := cmp.Diff([]weir.Date{"2026-03-28"}, w.asked); d != "" {
		t.Error(d)
	}
}

func TestADateThatTheZoneSkippedHasNoReport(t *testing.T) {
	w := newWorld(t, "Pacific/Apia") // had no 2011-12-30
	w.madeOn("2011-12-28")
	w.clock = func() time.Time { return time.Date(2012, 1, 1, 12, 0, 0, 0, time.UTC) }
	synctest.Test(t, func(t *testing.T) { lasting(t, report.NewScheduler(w.reporter(), w, always), time.Second) })
	if d := cmp.Diff([]weir.Date{"2011-12-28", "2011-12-29", "2011-12-31", "2012-01-01"}, w.asked); d != "" {
		t.Error(d)
	}
	if _, err := w.reporter().Compute(t.Context(), w.p, "2011-12-30"); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("%v", err)
	}
}

func TestAReportIsComputedAgainWhenEventsComeInLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-29")
		w.happens("1999-12-29", 5)
		w.happens("1999-12-30", 7)
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, 30*time.Minute)
		w.happens("1999-12-29", 1)
		lasting(t, s, 3*time.Hour)
		a, b := w.reports["1999-12-29"], w.reports["1999-12-30"]
		if a.Revision != 2 || a.Totals.Events != 6 || a.Counters.Events != 6 || a.Difference != nil || !a.ComputedAt.After(b.ComputedAt) {
			t.Errorf("%+v", a)
		}
		if b.Revision != 1 || b.Totals.Events != 7 {
			t.Errorf("%+v", b)
		}
		if n := w.metric(t, "weir_reports_revised_total"); n != 1 {
			t.Errorf("%v revised", n)
		}
		w.stored["1999-12-30"] = 20 // the past was copied here, past the counters
		lasting(t, s, 2*time.Hour)
		if b = w.reports["1999-12-30"]; b.Revision != 2 || b.Totals.Events != 20 || b.Difference.Reasons[0].Reason != weir.ReasonNotCounted {
			t.Errorf("%+v", b)
		}
		n := len(w.asked)
		lasting(t, s, 3*time.Hour)
		for _, d := range w.asked[n:] {
			if d < "1999-12-31" {
				t.Errorf("%s was computed again for nothing", d)
			}
		}
	})
}

func TestAReportOfEventsThatAreForgottenKeepsItsNumbersAndExplainsTheCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-29")
		w.happens("1999-12-29", 5)
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, time.Minute)
		w.p.RetentionDays = 1
		w.stored["1999-12-29"] = 0
		w.counted["1999-12-29"] = 8
		lasting(t, s, 5*time.Hour)
		a := w.reports["1999-12-29"]
		want := []weir.ReportReason{{Reason: weir.ReasonRetention, Events: 3}}
		if a.Revision != 2 || a.Totals.Events != 5 || a.Counters.Events != 8 {
			t.Errorf("%+v", a)
		} else if d := cmp.Diff(want, a.Difference.Reasons); d != "" {
			t.Error(d)
		}
	})
}

func TestOnlyTheNodeWithTheLockComputesReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-29")
		turn := false
		var err error
		s := report.NewScheduler(w.reporter(), w, func(context.Context, time.Duration) (bool, error) { return turn, err })
		lasting(t, s, time.Hour)
		err = errors.New("no locks today")
		lasting(t, s, time.Second)
		if len(w.asked) != 0 || w.metric(t, "weir_reports_failed_total") != 1 || !strings.Contains(w.log.String(), "no locks today") {
			t.Errorf("computed %v: %s", w.asked, &w.log)
		}
		turn, err = true, nil
		w.before = func(what string) { turn = turn && what != "totals" } // it loses its turn during the first
		lasting(t, s, time.Minute)
		if len(w.asked) != 1 {
			t.Errorf("computed %v", w.asked)
		}
	})
}

func TestTwoNodesThatBothComputeStoreOneReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-29")
		w.happens("1999-12-29", 3)
		nested := false
		w.before = func(what string) {
			if what == "save" && !nested { // while the first is about to store its own, the second does
				nested = true
				if _, err := w.another(prometheus.NewRegistry()).Compute(t.Context(), w.p, "1999-12-29"); err != nil {
					t.Error(err)
				}
			}
		}
		lasting(t, report.NewScheduler(w.reporter(), w, always), time.Minute)
		if a := w.reports["1999-12-29"]; a.Revision != 1 || a.Totals.Events != 3 || len(w.reports) != 2 {
			t.Errorf("%+v of %d", a, len(w.reports))
		}
	})
}

func TestAReportThatFailsIsTriedAgainEverMoreSeldomAndShownAsOverdue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-30")
		w.fails["calls"] = errors.New("disk on fire")
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, 20*time.Minute+time.Second)
		// After 1, 2, 4, 8 minutes: at 0, 1, 3, 7, 15.
		if n := len(w.asked); n != 5 || w.metric(t, "weir_reports_failed_total") != 5 || strings.Count(w.log.String(), "disk on fire") != 5 {
			t.Errorf("tried %d times: %s", n, &w.log)
		}
		if overdue := w.metric(t, "weir_report_overdue_seconds"); overdue < 23*3600 || overdue > 24*3600 {
			t.Errorf("overdue for %v s", overdue)
		}
		delete(w.fails, "calls")
		lasting(t, s, 20*time.Minute)
		if w.reports["1999-12-30"] == nil || w.metric(t, "weir_report_overdue_seconds") != 0 || w.metric(t, "weir_reports_computed_total") != 1 {
			t.Errorf("%v, overdue for %v s", w.reports, w.metric(t, "weir_report_overdue_seconds"))
		}
	})
}

func TestADayThatFailsHoldsUpNoOtherAndIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-25")
		for d := weir.Date("1999-12-25"); d < "2000-01-01"; d = d.Add(1) {
			w.happens(d, 3)
		}
		w.failDay["1999-12-26"] = true
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, 5*time.Minute)
		if len(w.reports) != 5 || w.reports["1999-12-26"] != nil {
			t.Fatalf("%d reports", len(w.reports))
		}
		lasting(t, s, 2*time.Hour) // the report of the day before is due
		if w.reports["1999-12-31"] == nil || w.metric(t, "weir_reports_failing") != 1 {
			t.Errorf("%v failing; %v", w.metric(t, "weir_reports_failing"), w.reports)
		}
		if !strings.Contains(w.log.String(), "date=1999-12-26") || !strings.Contains(w.log.String(), "a row that cannot be read") {
			t.Errorf("the log does not say which day, and why: %s", &w.log)
		}
		if overdue := w.metric(t, "weir_report_overdue_seconds"); overdue < 5*24*3600 {
			t.Errorf("overdue for %v s", overdue)
		}
		// One that is there already and cannot be computed again.
		w.failDay["1999-12-27"] = true
		w.happens("1999-12-27", 1)
		w.happens("1999-12-28", 1)
		lasting(t, s, 2*time.Hour)
		if a := w.reports["1999-12-28"]; a.Totals.Events != 4 || w.metric(t, "weir_reports_failing") != 2 {
			t.Errorf("late events are not looked for: %+v", a.Totals)
		}
		clear(w.failDay)
		lasting(t, s, 3*time.Hour)
		if w.reports["1999-12-26"] == nil || w.reports["1999-12-27"].Totals.Events != 4 || w.metric(t, "weir_reports_failing") != 0 {
			t.Errorf("%v failing", w.metric(t, "weir_reports_failing"))
		}
	})
}

func TestImportedPastDaysAreReportedWithinAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-30")
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, 2*time.Hour)
		w.happens("1999-12-20", 5)
		lasting(t, s, 61*time.Minute)
		if w.reports["1999-12-20"] == nil {
			t.Error("it has no report yet")
		}
	})
}

func TestWhateverFailsIsCountedAndReportsGoOn(t *testing.T) {
	for _, what := range []string{"projects", "times", "report", "reports", "save", "totals", "calls", "growth", "visits", "events", "flush", "series", "members", "prune"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "UTC")
			w.madeOn("1999-12-30")
			w.fails[what] = errors.New("no " + what + " today")
			s := report.NewScheduler(w.reporter(), w, always)
			lasting(t, s, time.Second)
			if w.metric(t, "weir_reports_failed_total") < 1 || !strings.Contains(w.log.String(), "no "+what+" today") {
				t.Errorf("%s: %v failures: %s", what, w.metric(t, "weir_reports_failed_total"), &w.log)
			}
			delete(w.fails, what)
			lasting(t, s, 2*time.Hour)
			if w.reports["1999-12-30"] == nil || w.reports["1999-12-31"] == nil {
				t.Errorf("%s: reports %v", what, w.reports)
			}
		})
	}
}

func TestReportsAreKeptForAYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("2000-01-01")
		w.times["p"] = "off"
		for _, d := range []weir.Date{"1998-12-31", "1999-01-01", "1999-01-02", "1999-12-01"} {
			w.reports[d] = &weir.Report{Date: d, Revision: 1}
		}
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, time.Second)
		if len(w.reports) != 3 || w.reports["1999-01-01"] == nil {
			t.Errorf("%v", w.reports)
		}
		lasting(t, s, 26*time.Hour)
		if len(w.reports) != 2 || w.reports["1999-01-02"] == nil {
			t.Errorf("%v", w.reports)
		}
	})
}

func TestAStopLeavesNoHalfReportAndNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "UTC")
		w.madeOn("1999-12-20")
		ctx, stop := context.WithCancel(t.Context())
		w.before = func(what string) {
			if what == "growth" {
				stop()
				w.fails["visits"] = ctx.Err() // as a query does that is cancelled
			}
		}
		if err := report.NewScheduler(w.reporter(), w, always).Run(ctx); err != nil {
			t.Fatal(err)
		}
		if len(w.reports) != 0 || w.metric(t, "weir_reports_failed_total") != 0 || len(w.asked) != 1 {
			t.Errorf("%v, asked %v: %s", w.reports, w.asked, &w.log)
		}
	})
}

func TestReportsFollowAChangeOfTheTimezoneOnceTheCountersAreRebuilt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "Asia/Tokyo")
		w.madeOn("1999-06-01")
		w.p.RetentionDays = 200
		for _, d := range []weir.Date{"1999-02-01", "1999-09-15", "1999-12-30"} {
			w.reports[d] = &weir.Report{ProjectID: "p", Date: d, Revision: 1, Timezone: "UTC", Counters: &weir.ReportCounters{}}
		}
		w.elsewhere = map[weir.Date]bool{"1999-02-01": true, "1999-09-15": true, "1999-12-30": true}
		for d := weir.Date("1999-11-20"); d < "2000-01-01"; d = d.Add(1) {
			if w.reports[d] == nil {
				w.reports[d] = &weir.Report{ProjectID: "p", Date: d, Revision: 1, Timezone: "Asia/Tokyo", Counters: &weir.ReportCounters{}}
			}
		}
		w.p.Recounting = weir.Recounting{Running: true, Percent: 40}
		s := report.NewScheduler(w.reporter(), w, always)
		lasting(t, s, 90*time.Minute)
		if len(w.asked) != 0 {
			t.Fatalf("computed %v while the counters are rebuilt", w.asked)
		}
		if _, err := w.reporter().Compute(t.Context(), w.p, "1999-12-30"); weir.ErrorCode(err) != weir.EUNAVAILABLE {
			t.Fatalf("%v, want EUNAVAILABLE", err)
		}
		w.p.Recounting = weir.Recounting{}
		lasting(t, s, 90*time.Minute)
		// The events of 1999-02-01 are no longer kept.
		if d := cmp.Diff([]weir.Date{"1999-09-15", "1999-12-30"}, w.asked); d != "" {
			t.Error(d)
		}
		if a := w.reports["1999-09-15"]; a.Timezone != "Asia/Tokyo" || a.Revision != 2 {
			t.Errorf("%+v", a)
		}
	})
}
