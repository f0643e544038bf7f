package report_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/report"
)

// noon is the time of a world that stands still.
func noon() time.Time { return time.Date(2026, 3, 11, 12, 0, 0, 0, time.UTC) }

func still(t *testing.T, zoneName string) *world {
	t.Helper()
	w := newWorld(t, zoneName)
	w.clock = noon
	return w
}

func compute(t *testing.T, w *world, d weir.Date) *weir.Report {
	t.Helper()
	a, err := w.reporter().Compute(t.Context(), w.p, d)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAReportSaysItsDayInTheProjectsZone(t *testing.T) {
	w := still(t, "America/New_York")
	a := compute(t, w, "2026-03-08") // the clock was set forward
	if a.From.Format(time.RFC3339) != "2026-03-08T00:00:00-05:00" || a.To.Format(time.RFC3339) != "2026-03-09T00:00:00-04:00" || a.To.Sub(a.From) != 23*time.Hour {
		t.Errorf("%s to %s", a.From, a.To)
	}
	if a.Revision != 1 || a.Timezone != "America/New_York" || !a.ComputedAt.Equal(noon()) || a.Difference != nil || a.Counters == nil {
		t.Errorf("%+v", a)
	}
}

func TestARevisionIsOfOtherNumbers(t *testing.T) {
	w := still(t, "UTC")
	w.happens("2026-03-10", 4)
	compute(t, w, "2026-03-10")
	later := noon().Add(time.Hour)
	w.r, w.reg = nil, prometheus.NewRegistry()
	w.clock = func() time.Time { return later }
	if a := compute(t, w, "2026-03-10"); a.Revision != 1 || !a.ComputedAt.Equal(later) {
		t.Errorf("the same numbers: revision %d of %s", a.Revision, a.ComputedAt)
	}
	w.happens("2026-03-10", 1)
	if a := compute(t, w, "2026-03-10"); a.Revision != 2 || a.Totals.Events != 5 {
		t.Errorf("other numbers: %+v", a)
	}
}

func TestDaysThatHaveNoReportAreRefused(t *testing.T) {
	w := still(t, "Asia/Kolkata")
	for d, want := range map[weir.Date]string{
		"2026-03-11": "is not over", "2026-03-12": "is not over", "2025-03-10": "over 365 days ago",
		"2026-02-30": "is not a date", "": "is not a date", "yesterday": "is not a date",
	} {
		_, err := w.reporter().Compute(t.Context(), w.p, d)
		if weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(weir.ErrorMessage(err), want) {
			t.Errorf("%q: %v, want %q", d, err, want)
		}
	}
	compute(t, w, "2025-03-11") // a year ago
	w.p.RetentionDays = 7
	if _, err := w.reporter().Compute(t.Context(), w.p, "2026-03-03"); weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(err.Error(), "no longer kept") {
		t.Errorf("%v", err)
	}
	if _, err := w.reporter().Daily(t.Context(), w.p, "2026-03-03"); weir.ErrorCode(err) != weir.ENOTFOUND {
		t.Errorf("%v", err)
	}
	elsewhere := report.New(report.Config{Store: w, Counters: counters{w}, Clock: w.clock})
	if _, err := elsewhere.Compute(t.Context(), w.p, "2026-03-10"); weir.ErrorCode(err) != weir.EUNAVAILABLE {
		t.Errorf("without a cold tier: %v", err)
	}
}

func TestWhoWaitsForItsTurnMayLeave(t *testing.T) {
	w := still(t, "UTC")
	ctx, leave := context.WithCancel(t.Context())
	w.before = func(what string) {
		if what != "calls" {
			return
		}
		w.before = nil
		leave()
		if _, err := w.reporter().Compute(ctx, w.p, "2026-03-09"); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	}
	compute(t, w, "2026-03-10")
}

// reasons computes the report of a day and returns its difference.
func reasons(t *testing.T, w *world) (d weir.ReportDifference) {
	t.Helper()
	if got := compute(t, w, "2026-03-10").Difference; got != nil {
		d = *got
	}
	return d
}

func TestADifferenceFromTheCountersIsExplained(t *testing.T) {
	const day = weir.Date("2026-03-10")
	for _, c := range []struct {
		why    string
		change func(w *world)
		want   []weir.ReportReason
		apis   int
	}{
		{"none", func(*world) {}, nil, 0},
		{"refused calls", func(w *world) {
			w.counted[day], w.dead, w.members = 12, 2, []hot.Member{{Name: "/a", Count: 5}, {Name: "/b", Count: 3}}
		}, []weir.ReportReason{{Reason: weir.ReasonDeadLetters, Events: 2, Calls: 2}}, 2},
		{"the barrier was not passed", func(w *world) {
			w.counted[day], w.asOf = 13, func(asked time.Time) time.Time { return asked.Add(-time.Minute) }
		}, []weir.ReportReason{{Reason: weir.ReasonWaiting, Events: 3}}, 0},
		{
			"copied from elsewhere", func(w *world) { w.counted[day] = 1 },
			[]weir.ReportReason{{Reason: weir.ReasonNotCounted, Events: -9}},
			0,
		},
		{
			"nothing explains it", func(w *world) { w.counted[day] = 11 },
			[]weir.ReportReason{{Reason: weir.ReasonUnknown, Events: 1}},
			0,
		},
		{
			"the same number of other calls", func(w *world) { w.members = []hot.Member{{Name: "/a", Count: 3}, {Name: "/b", Count: 3}} },
			[]weir.ReportReason{{Reason: weir.ReasonUnknown}},
			2,
		},
		{
			"refused and copied", func(w *world) { w.counted[day], w.dead = 8, 1 },
			[]weir.ReportReason{{Reason: weir.ReasonDeadLetters, Events: 1, Calls: 1}, {Reason: weir.ReasonNotCounted, Events: -3, Calls: -1}},
			0,
		},
		{"events come in all the time", func(w *world) {
			w.before = func(what string) {
				if what == "visits" {
					w.counted[day]++
				}
			}
		}, []weir.ReportReason{{Reason: weir.ReasonArriving, Events: 1}, {Reason: weir.ReasonUnknown, Events: 2}}, 0},
	} {
		w := still(t, "UTC")
		w.happens(day, 10)
		w.calls = map[string]int64{"/a": 4, "/b": 2}
		c.change(w)
		got := reasons(t, w)
		if d := cmp.Diff(c.want, got.Reasons); d != "" {
			t.Errorf("%s: %s", c.why, d)
		}
		var sum weir.ReportReason
		for _, r := range got.Reasons {
			sum.Events += r.Events
			sum.Calls += r.Calls
		}
		if len(got.APIs) != c.apis && c.why != "refused and copied" || sum.Events != got.Events || sum.Calls != got.Calls {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}

func TestEventsThatComeInMeanwhileMakeItCountAgain(t *testing.T) {
	w := still(t, "UTC")
	w.happens("2026-03-10", 10)
	once := true
	w.before = func(what string) {
		if what == "visits" && once {
			once = false
			w.happens("2026-03-10", 1)
		}
	}
	if a := compute(t, w, "2026-03-10"); a.Totals.Events != 11 || a.Counters.Events != 11 || a.Difference != nil || a.Revision != 1 {
		t.Errorf("%+v", a)
	}
}

func TestWhatNothingExplainsIsCountedAndLogged(t *testing.T) {
	w := still(t, "UTC")
	w.happens("2026-03-10", 10)
	w.counted["2026-03-10"]++
	compute(t, w, "2026-03-10")
	if w.metric(t, "weir_reports_unexplained_total") != 1 || !strings.Contains(w.log.String(), "nothing explains it") {
		t.Errorf("%s", &w.log)
	}
}

func TestCountersThatHaveTooManyAPIsSayOther(t *testing.T) {
	w := still(t, "UTC")
	w.happens("2026-03-10", 1010)
	w.calls = map[string]int64{}
	w.members = []hot.Member{{Name: hot.Other, Count: 10, Rest: true}}
	for i := range 1010 {
		api := fmt.Sprintf("/%04d", i)
		w.calls[api] = 1
		if i >= 10 {
			w.members = append(w.members, hot.Member{Name: api, Count: 1})
		}
	}
	a := compute(t, w, "2026-03-10")
	if !a.Counters.Capped || a.Counters.Others != 10 || len(a.Counters.ByAPI) != 1000 {
		t.Errorf("%+v", a.Counters)
	}
	want := &weir.ReportDifference{Reasons: []weir.ReportReason{{Reason: weir.ReasonCapped}}}
	for i := range 10 {
		want.APIs = append(want.APIs, weir.APIDifference{API: fmt.Sprintf("/%04d", i), Report: 1})
	}
	if d := cmp.Diff(want, a.Difference); d != "" {
		t.Error(d)
	}
}

// The counters have the routes as they came, and the report their pages.
func TestCountersAreComparedByTheURLRules(t *testing.T) {
	w := still(t, "UTC")
	w.p.URLRules = weir.URLRules{Rules: []weir.URLRule{{From: "/p/*", To: "/p/:id"}}}
	w.happens("2026-03-10", 6)
	w.calls = map[string]int64{"/p/:id": 4, "/b": 2}
	w.members = []hot.Member{{Name: "/p/1", Count: 3}, {Name: "/b", Count: 2}, {Name: "/p/2", Count: 1}}
	a := compute(t, w, "2026-03-10")
	if d := cmp.Diff([]weir.APICounter{{API: "/p/:id", Calls: 4}, {API: "/b", Calls: 2}}, a.Counters.ByAPI); d != "" || a.Difference != nil {
		t.Errorf("%s %+v", d, a.Difference)
	}
}

func TestAnAPICalledOtherIsAnAPI(t *testing.T) {
	w := still(t, "UTC")
	w.happens("2026-03-10", 6)
	w.calls = map[string]int64{"other": 4, "/b": 2}
	a := compute(t, w, "2026-03-10")
	want := &weir.ReportCounters{Events: 6, Calls: 6, ByAPI: []weir.APICounter{{API: "other", Calls: 4}, {API: "/b", Calls: 2}}}
	if d := cmp.Diff(want, a.Counters); d != "" || a.Difference != nil {
		t.Error(d, a.Difference)
	}
}

func TestCountersThatAreNoLongerKeptAreNull(t *testing.T) {
	w := still(t, "Asia/Kolkata")
	w.stored["2025-03-11"] = 4 // the day began over 365 days ago, and is not yet too old for a report
	a := compute(t, w, "2025-03-11")
	if a.Counters != nil || a.Totals.Events != 4 || a.Difference.Reasons[0].Reason != weir.ReasonExpired {
		t.Errorf("%+v", a)
	}
}

func TestAReportIsComparedWithTheDayAndTheWeekBeforeAsTheyAreNow(t *testing.T) {
	w := still(t, "UTC")
	w.calls = map[string]int64{"/a": 2}
	w.happens("2026-03-03", 4)
	w.happens("2026-03-10", 6)
	compute(t, w, "2026-03-03")
	compute(t, w, "2026-03-09")
	a := compute(t, w, "2026-03-10")
	half, none := 0.5, 0.0
	want := &weir.ReportCompare{
		DayBefore: &weir.ReportComparison{
			Date: "2026-03-09", Revision: 1, Totals: weir.ReportTotals{Calls: 2}, Change: weir.ReportChange{Calls: &none},
		},
		WeekBefore: &weir.ReportComparison{
			Date: "2026-03-03", Revision: 1, Totals: weir.ReportTotals{Events: 4, Calls: 2},
			Change: weir.ReportChange{Events: &half, Calls: &none},
		},
	}
	if d := cmp.Diff(want, a.Compare); d != "" {
		t.Error(d)
	}
	w.happens("2026-03-03", 8)
	compute(t, w, "2026-03-03")
	days, err := w.reporter().Days(t.Context(), w.p, "2026-03-10", "2026-03-10")
	if err != nil {
		t.Fatal(err)
	}
	for a, err := range days {
		if err != nil || a.Compare.WeekBefore.Revision != 2 || *a.Compare.WeekBefore.Change.Events != -0.5 || a.Compare.DayBefore.Totals.Calls != 2 {
			t.Errorf("%+v, %v", a.Compare, err)
		}
	}
	if b, err := w.reporter().Daily(t.Context(), w.p, "2026-03-09"); err != nil || b.Compare.DayBefore != nil || b.Compare.WeekBefore != nil {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestDaysAreReadAMonthAtATimeAndAllOfThem(t *testing.T) {
	w := still(t, "UTC")
	for d := weir.Date("2025-01-01"); d <= "2025-12-31"; d = d.Add(1) {
		w.reports[d] = &weir.Report{Date: d, Revision: 1}
	}
	reads := 0
	w.before = func(what string) {
		if what == "reports" {
			reads++
		}
	}
	days, err := w.reporter().Days(t.Context(), w.p, "2025-01-05", "2026-01-05")
	if err != nil {
		t.Fatal(err)
	}
	next := weir.Date("2025-01-05")
	for a, err := range days {
		if err != nil {
			t.Fatal(err)
		}
		if a.Date != next || a.Compare.DayBefore == nil || (a.Compare.WeekBefore == nil) != (a.Date < "2025-01-08") {
			t.Fatalf("%s, want %s: %+v", a.Date, next, a.Compare)
		}
		next = next.Add(1)
	}
	if next != "2026-01-01" || reads != 13 {
		t.Errorf("ended before %s, after %d reads", next, reads)
	}
	for a, err := range days { // may be asked again, and left early
		if err != nil || a.Date != "2025-01-05" {
			t.Error(a, err)
		}
		break
	}
}

func TestRangesThatAreTooLongOrNoneAreRefused(t *testing.T) {
	w := still(t, "UTC")
	for _, c := range [][2]weir.Date{{"2025-01-01", "2026-01-02"}, {"2025-01-02", "2025-01-01"}} {
		if _, err := w.reporter().Days(t.Context(), w.p, c[0], c[1]); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%v: %v", c, err)
		}
	}
	w.fails["reports"] = errors.New("disk on fire")
	days, err := w.reporter().Days(t.Context(), w.p, "2026-01-01", "2026-03-01")
	if err != nil {
		t.Fatal(err)
	}
	var errs []error
	for a, err := range days {
		if a != nil {
			t.Errorf("%+v", a)
		}
		errs = append(errs, err)
	}
	if len(errs) != 1 || errs[0] == nil {
		t.Errorf("%v", errs)
	}
}

func TestAScheduleSaysWhenTheNextReportIsDue(t *testing.T) {
	w := still(t, "America/New_York") // 08:00
	r := w.reporter()
	for _, c := range []struct{ own, used, next string }{
		{"", "01:00", "2026-03-12T01:00:00-04:00"},
		{"09:30", "09:30", "2026-03-11T09:30:00-04:00"},
		{"08:00", "08:00", "2026-03-12T08:00:00-04:00"},
		{"off", "off", ""},
		{"", "01:00", "2026-03-12T01:00:00-04:00"},
	} {
		set, err := r.SetSchedule(t.Context(), w.p, c.own)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Schedule(t.Context(), w.p)
		if err != nil {
			t.Fatal(err)
		}
		next := ""
		if got.Next != nil {
			next = got.Next.Format(time.RFC3339)
		}
		if d := cmp.Diff(set, got); d != "" || got.At != c.own || got.Used != c.used || next != c.next {
			t.Errorf("%q: %+v %s", c.own, got, d)
		}
	}
	if _, err := r.SetSchedule(t.Context(), w.p, "1 am"); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("%v", err)
	}
	w.fails["set time"] = errors.New("disk on fire")
	if _, err := r.SetSchedule(t.Context(), w.p, "02:00"); err == nil {
		t.Error("a failure was not told")
	}
	w.fails["times"] = errors.New("disk on fire")
	if _, err := r.Schedule(t.Context(), w.p); err == nil {
		t.Error("a failure was not told")
	}
}
