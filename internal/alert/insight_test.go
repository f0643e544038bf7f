package alert_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// asked are insights that answer what they are told, and what they were asked.
type asked struct {
	values  [][]*float64
	calls   hot.CallResults
	value   *float64
	volume  int64
	asOf    time.Time
	err     error
	queries []weir.Question
	fresh   []time.Duration
	names   []weir.AlertValue
}

func (i *asked) Totals(_ context.Context, _ *weir.Project, q weir.Trend, freshness time.Duration) ([]*float64, time.Time, error) {
	i.queries, i.fresh = append(i.queries, q), append(i.fresh, freshness)
	if i.err != nil {
		return nil, time.Time{}, i.err
	}
	v := i.values[0]
	if len(i.values) > 1 {
		i.values = i.values[1:]
	}
	return v, i.asOf, nil
}

func (i *asked) Outcomes(_ context.Context, _ *weir.Project, q weir.Trend, freshness time.Duration) (hot.CallResults, time.Time, error) {
	i.queries, i.fresh = append(i.queries, q), append(i.fresh, freshness)
	return i.calls, i.asOf, i.err
}

func (i *asked) Value(_ context.Context, _ *weir.Project, q weir.Question, name weir.AlertValue, freshness time.Duration) (*float64, int64, time.Time, error) {
	i.queries, i.fresh, i.names = append(i.queries, q), append(i.fresh, freshness), append(i.names, name)
	return i.value, i.volume, i.asOf, i.err
}

func number2(a, b float64) []*float64 { return []*float64{&a, &b} }

func withInsights(t *testing.T, i *asked) *world {
	w := newWorld(t, "UTC")
	w.insights = i
	i.asOf = at("2027-01-01T00:00:00Z")
	w.node = w.newNode("one", w.meta)
	return w
}

func TestAPercentileIsAskedOfTheColdTierWithTheEventsItIsOf(t *testing.T) {
	i := &asked{values: [][]*float64{number2(900, 50)}}
	w := withInsights(t, i)
	w.makes(func(s *weir.AlertSpec) {
		s.Measure = weir.AlertMeasure{
			Kind: weir.MeasureInsight, Event: weir.NameCall, Math: weir.MathP95, Property: "latency_ms",
			Filter: []weir.Condition{{Column: "route", Op: "=", Values: []string{"/cart"}}},
		}
		s.Condition, s.MinVolume, s.Window = weir.AlertCondition{Op: "above", Value: 500, Clear: 500}, 50, 5
	})
	i.queries, i.fresh = nil, nil
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 0))
	same(t, "question", []weir.Question{weir.Trend{Common: weir.Common{From: at("2026-03-10T11:56:00Z"), To: at("2026-03-10T12:01:00Z"), Interval: weir.Minute, Filter: []weir.Condition{{Column: "route", Op: "=", Values: []string{"/cart"}}}}, Series: []weir.Series{{Event: weir.NameCall, Math: weir.MathP95, Property: "latency_ms"}, {Event: weir.NameCall, Math: weir.MathTotal}}}}, i.queries)
	same(t, "freshness: what was sent late is in the answer", []time.Duration{5 * time.Second}, i.fresh)
	w.evaluator.Pass(t.Context())
	same(t, "asked once a minute", 1, len(i.queries))
}

func TestARateOfARouteIsOneQuestion(t *testing.T) {
	i := &asked{calls: hot.CallResults{Succeeded: 70, Known: 100}}
	w := withInsights(t, i)
	a := w.makes(func(s *weir.AlertSpec) { s.Measure.Route = "/cart" })
	i.queries, i.fresh = nil, nil
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 0))
	if r := w.get(a.ID).Status.Reading; *r.Value != 0.3 || r.Volume != 100 {
		t.Errorf("reading %+v", r)
	}
	if len(i.queries) != 1 || i.fresh[0] != 5*time.Second {
		t.Fatalf("asked %+v, as of %v ago", i.queries, i.fresh)
	}
	same(t, "filter", []weir.Condition{{Column: "route", Op: "=", Values: []string{"/cart"}}}, []weir.Condition(i.queries[0].Base().Filter))
	i.asOf = at("2026-03-10T12:01:30Z")
	w.minute(0, 0)
	if s := w.get(a.ID).Status; !strings.Contains(s.Error, "complete up to") {
		t.Errorf("status %+v", s)
	}
}

func TestAlertReadsAnExpiredPastFromTheColdTier(t *testing.T) {
	i := &asked{values: [][]*float64{number2(100, 100)}}
	w := withInsights(t, i)
	w.makes(func(s *weir.AlertSpec) {
		s.Measure, s.Window = weir.AlertMeasure{Kind: weir.MeasureCalls}, 1440
		s.Condition = weir.AlertCondition{Op: "below", Value: -50, Clear: -50, Against: weir.AgainstWeek}
	})
	i.queries = nil
	same(t, "posts", []string{"alert.fired 1"}, w.minute(10, 0))
	if len(i.queries) != 1 || !i.queries[0].Base().To.Equal(at("2026-03-03T12:01:00Z")) {
		t.Errorf("asked %+v", i.queries)
	}
}

func TestAnAnswerThatIsNotCompleteIsAFailureAndNoDrop(t *testing.T) {
	i := &asked{values: [][]*float64{number2(0, 0)}}
	w := withInsights(t, i)
	a := w.makes(func(s *weir.AlertSpec) {
		s.Measure = weir.AlertMeasure{Kind: weir.MeasureEvents, Filter: []weir.Condition{{Column: "country", Op: "=", Values: []string{"DE"}}}}
		s.Condition = weir.AlertCondition{Op: "below", Value: 10, Clear: 10}
	})
	i.asOf = at("2026-03-10T12:00:30Z")
	same(t, "posts", []string{}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.State != weir.AlertOK || !strings.Contains(s.Error, "complete up to") {
		t.Errorf("status %+v", s)
	}
	i.err = errors.New("disk on fire at /var/lib")
	same(t, "posts", []string{}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.State != weir.AlertOK || s.Error != "internal error" || !strings.Contains(w.log.String(), "disk on fire") {
		t.Errorf("status %+v", s)
	}
	if w.metric(t, "weir_alert_failures_total") != 2 {
		t.Error("failures are not counted")
	}
	i.err, i.asOf = nil, at("2027-01-01T00:00:00Z")
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.Error != "" {
		t.Errorf("status %+v", s)
	}
}

func TestAQuestionThatCannotBeAskedIsRefusedWhenTheAlertIsMade(t *testing.T) {
	i := &asked{err: weir.Errorf(weir.EINVALID, "unknown column")}
	w := withInsights(t, i)
	spec := weir.AlertSpec{
		Name: "x", Measure: weir.AlertMeasure{Kind: weir.MeasureInsight, Math: weir.MathP95, Property: "mood"},
		Condition: weir.AlertCondition{Op: "above", Value: 1, Clear: 1},
	}
	if _, err := w.rules.Create(t.Context(), w.project, spec); weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(err.Error(), "unknown column") {
		t.Errorf("err = %v", err)
	}
	i.err = weir.Errorf(weir.EUNAVAILABLE, "later")
	if _, err := w.rules.Create(t.Context(), w.project, spec); err != nil {
		t.Errorf("a passing failure: %v", err)
	}
}

func TestANodeWithoutTheColdTierLeavesItsAlertsToOthers(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) { s.Measure.Route = "/cart" })
	w.minute(0, 10)
	if s := w.get(a.ID).Status; !s.CheckedTo.IsZero() {
		t.Fatalf("checked: %+v", s)
	}
	w.insights = &asked{calls: hot.CallResults{Known: 10}, asOf: at("2027-01-01T00:00:00Z")}
	two := w.newNode("two", w.meta)
	two.evaluator.Pass(t.Context())
	w.deliver()
	same(t, "posts", []string{"alert.fired 1"}, types(w.hook.take()))
}
