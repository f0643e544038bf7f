package alert_test

import (
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
)

// apdex makes a rule of the Apdex of a route: below 0.7 it fires.
func apdex(s *weir.AlertSpec) {
	s.Measure = weir.AlertMeasure{
		Kind: weir.MeasureInsight, Insight: weir.KindCalls, Value: weir.ValueApdex,
		Filter: []weir.Condition{{Column: "route", Op: "=", Values: []string{"/cart"}}},
	}
	s.Window, s.Condition, s.MinVolume = 5, weir.AlertCondition{Op: "below", Value: 0.7, Clear: 0.8}, 20
}

func TestAValueOfAnInsightFiresOnceAndRecoversOnce(t *testing.T) {
	i := &asked{value: new(0.69996), volume: 50}
	w := withInsights(t, i)
	a := w.makes(apdex)
	i.queries, i.fresh, i.names = nil, nil, nil
	w.wait(time.Minute)
	w.evaluator.Pass(t.Context())
	w.deliver()
	same(t, "question", []weir.Question{weir.Calls{Common: weir.Common{From: at("2026-03-10T11:56:00Z"), To: at("2026-03-10T12:01:00Z"), Filter: []weir.Condition{{Column: "route", Op: "=", Values: []string{"/cart"}}}}, Limit: 1}}, i.queries)
	same(t, "value", []weir.AlertValue{weir.ValueApdex}, i.names)
	same(t, "freshness: what was sent late is in the answer", []time.Duration{5 * time.Second}, i.fresh)
	got := w.hook.take()
	same(t, "posts", []string{"alert.fired 1"}, types(got))
	same(t, "summary", "Apdex in the last 5 minutes: 0.7. The alert fires below 0.7.", got[0].message.Summary)
	if r := w.get(a.ID).Status.Reading; *r.Value != 0.69996 || r.Volume != 50 {
		t.Errorf("reading %+v", r)
	}
	same(t, "posts, still slow", []string{}, w.minute(0, 0))
	i.value = new(0.9)
	i.volume = 19
	same(t, "posts of few calls", []string{}, w.minute(0, 0))
	i.volume = 50
	same(t, "posts", []string{"alert.recovered 1"}, w.minute(0, 0))
	same(t, "posts, still fast", []string{}, w.minute(0, 0))
}

func TestAValueThatIsNotCompleteIsAFailureAndNoneIsNoData(t *testing.T) {
	i := &asked{value: new(0.1), volume: 50}
	w := withInsights(t, i)
	a := w.makes(func(s *weir.AlertSpec) {
		apdex(s)
		s.NoData, s.MinVolume = weir.NoDataFire, 0
	})
	i.asOf = at("2026-03-10T12:00:59Z")
	same(t, "posts", []string{}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.State != weir.AlertOK || !strings.Contains(s.Error, "complete up to 2026-03-10T12:00:59Z only") {
		t.Errorf("status %+v", s)
	}
	i.asOf, i.err = at("2027-01-01T00:00:00Z"), weir.Errorf(weir.EUNAVAILABLE, "later")
	same(t, "posts", []string{}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.State != weir.AlertOK || s.Error != "later" {
		t.Errorf("status %+v", s)
	}
	i.err, i.value, i.volume = nil, nil, 0
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.Error != "" || s.Reading.Value != nil || s.Reading.Volume != 0 {
		t.Errorf("status %+v", s)
	}
}

func TestAValueIsComparedWithThatOfADayBefore(t *testing.T) {
	i := &asked{value: new(1200.0), volume: 7}
	w := withInsights(t, i)
	w.makes(func(s *weir.AlertSpec) {
		s.Measure = weir.AlertMeasure{Kind: weir.MeasureInsight, Insight: weir.KindPages, Value: weir.ValueVisitDuration}
		s.Condition = weir.AlertCondition{Op: "below", Value: 5, Clear: 5, Against: weir.AgainstDay}
	})
	i.queries = nil
	w.wait(time.Minute)
	w.evaluator.Pass(t.Context())
	w.deliver()
	got := w.hook.take()
	same(t, "posts", []string{"alert.fired 1"}, types(got))
	same(t, "summary", "Mean visit duration in the last minute: 1200 ms, a change of 0 % against 1200 ms a day before. The alert fires below 5 %.", got[0].message.Summary)
	if len(i.queries) != 2 || i.queries[0].Kind() != weir.KindPages || !i.queries[1].Base().To.Equal(at("2026-03-09T12:01:00Z")) {
		t.Errorf("asked %+v", i.queries)
	}
}

func TestEachValueHasWords(t *testing.T) {
	texts := alert.English()
	n := 0
	for _, kind := range []weir.Kind{weir.KindCalls, weir.KindPages} {
		for _, v := range alert.Values(kind) {
			if n++; texts.Value[v] == "" {
				t.Errorf("%s of %s has none", v, kind)
			}
		}
	}
	same(t, "values", len(texts.Value), n)
	same(t, "values of growth", 0, len(alert.Values(weir.KindGrowth)))
}

func TestWrongInsightOfAnAlertIsRefusedWithWhatIsAllowed(t *testing.T) {
	const ofCalls = "the insight calls takes filter, and value: apdex, success_rate, error_rate_4xx, error_rate_5xx, rate, latency_mean_ms, latency_p50_ms, latency_p90_ms, latency_p95_ms, latency_p99_ms, new_consumers"
	const ofPages = "the insight pages takes filter, and value: views, visitors, visits, bounce_rate, visit_duration_ms"
	const kinds = "insight is trend, calls or pages"
	for name, c := range map[string]struct {
		change func(*weir.AlertSpec)
		says   string // "" is nothing
	}{
		"Apdex":                      {func(*weir.AlertSpec) {}, ""},
		"an unknown insight":         {func(s *weir.AlertSpec) { s.Measure.Insight = "nothing" }, kinds},
		"growth":                     {func(s *weir.AlertSpec) { s.Measure.Insight = weir.KindGrowth }, "no value for a window of minutes; " + kinds},
		"no value":                   {func(s *weir.AlertSpec) { s.Measure.Value = "" }, ofCalls},
		"an unknown value":           {func(s *weir.AlertSpec) { s.Measure.Value = "calls" }, ofCalls},
		"a value of pages":           {func(s *weir.AlertSpec) { s.Measure.Value = weir.ValueViews }, ofCalls},
		"a value of calls":           {func(s *weir.AlertSpec) { s.Measure.Insight = weir.KindPages }, ofPages},
		"math":                       {func(s *weir.AlertSpec) { s.Measure.Math = weir.MathP95 }, ofCalls},
		"a property":                 {func(s *weir.AlertSpec) { s.Measure.Property = "latency_ms" }, ofCalls},
		"an event":                   {func(s *weir.AlertSpec) { s.Measure.Event = "x" }, ofCalls},
		"a route":                    {func(s *weir.AlertSpec) { s.Measure.Route = "/cart" }, ofCalls},
		"a value of a trend":         {func(s *weir.AlertSpec) { s.Measure.Insight, s.Measure.Math = "", weir.MathTotal }, "a trend takes event, math, property and filter"},
		"a value of a named trend":   {func(s *weir.AlertSpec) { s.Measure.Insight, s.Measure.Math = weir.KindTrend, weir.MathTotal }, "a trend takes event, math, property and filter"},
		"a trend without math":       {func(s *weir.AlertSpec) { s.Measure.Insight, s.Measure.Value = weir.KindTrend, "" }, "needs math"},
		"calls with an insight":      {func(s *weir.AlertSpec) { s.Measure.Kind, s.Measure.Value = weir.MeasureCalls, "" }, "only the kind insight"},
		"calls with a value":         {func(s *weir.AlertSpec) { s.Measure.Kind, s.Measure.Insight = weir.MeasureCalls, "" }, "only the kind insight"},
		"Apdex beyond 1":             {func(s *weir.AlertSpec) { s.Condition.Value, s.Condition.Clear = 70, 80 }, "rates and Apdex are 0 to 1"},
		"a bounce rate in percent":   {func(s *weir.AlertSpec) { bounces(s); s.Condition.Value, s.Condition.Clear = 70, 80 }, "rates and Apdex are 0 to 1"},
		"a bounce rate":              {bounces, ""},
		"few visits with a volume":   {func(s *weir.AlertSpec) { bounces(s); s.Measure.Value = weir.ValueVisits }, "min_volume"},
		"a small rate with a volume": {func(s *weir.AlertSpec) { s.Measure.Value = weir.ValueRate }, "min_volume"},
		"new consumers of many calls": {func(s *weir.AlertSpec) {
			s.Measure.Value, s.Condition = weir.ValueNewConsumers, weir.AlertCondition{Op: "below", Value: 5, Clear: 5}
		}, ""},
	} {
		s := weir.AlertSpec{Name: "x"}
		apdex(&s)
		alert.Defaults(&s)
		c.change(&s)
		err := alert.Check(&s, nil)
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		} else if weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(weir.ErrorMessage(err), c.says) {
			t.Errorf("%s: %v, want %s", name, err, c.says)
		}
	}
}

func bounces(s *weir.AlertSpec) {
	s.Measure.Insight, s.Measure.Value = weir.KindPages, weir.ValueBounceRate
}

func TestATrendThatIsNamedIsTheDefault(t *testing.T) {
	i := &asked{values: [][]*float64{number2(900, 50)}}
	w := withInsights(t, i)
	a := w.makes(func(s *weir.AlertSpec) {
		s.Measure = weir.AlertMeasure{Kind: weir.MeasureInsight, Insight: weir.KindTrend, Math: weir.MathTotal}
		s.Condition = weir.AlertCondition{Op: "above", Value: 500, Clear: 500}
	})
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 0))
	change := func(to weir.AlertMeasure) {
		t.Helper()
		if _, err := w.rules.Change(t.Context(), w.project, a.ID, func(s *weir.AlertSpec) error { s.Measure = to; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	change(weir.AlertMeasure{Kind: weir.MeasureInsight, Math: weir.MathTotal})
	if s := w.get(a.ID).Status; s.State != weir.AlertFiring {
		t.Errorf("the same measure begins anew: %+v", s)
	}
	for _, v := range []weir.AlertValue{weir.ValueNewConsumers, weir.ValueRate} {
		change(weir.AlertMeasure{Kind: weir.MeasureInsight, Insight: weir.KindCalls, Value: v})
		if s := w.get(a.ID).Status; s.State != weir.AlertOK {
			t.Errorf("another measure goes on: %+v", s)
		}
		i.value, i.volume = new(900.0), 50
		w.minute(0, 0)
		if s := w.get(a.ID).Status; s.State != weir.AlertFiring {
			t.Errorf("status %+v", s)
		}
	}
}
