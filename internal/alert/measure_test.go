package alert_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/hot"
)

// reading is what an alert with a measure reads of a world with two events a and one
// b of three devices, and four calls, of which one failed and one has no status.
func reading(t *testing.T, change func(*weir.AlertSpec)) weir.AlertReading {
	t.Helper()
	w := newWorld(t, "Asia/Kolkata")
	n := 0
	add := func(name, device, route string, status int, ago time.Duration) {
		n++
		e := weir.Event{ID: fmt.Sprint("e", n), ProjectID: w.project.ID, Name: name, DeviceID: device, Time: w.now.Add(-ago), ReceivedAt: w.now}
		if route != "" {
			e.Call = &weir.Call{Method: "GET", Route: route, Status: status}
		}
		if _, err := w.hot.Append(t.Context(), []hot.Item{{Event: &e, Location: w.project.Location()}}); err != nil {
			t.Fatal(err)
		}
	}
	add("a", "x", "", 0, time.Minute)
	add("a", "y", "", 0, time.Minute)
	add("b", "z", "", 0, 2*time.Minute)
	add("a", "y", "", 0, time.Hour)   // before the window
	add("a", "w", "", 0, time.Second) // in the minute that is under way
	for i, status := range []int{200, 404, 302, 0} {
		add(weir.NameCall, "", []string{"/x", "/y"}[i%2], status, time.Minute)
	}
	a := w.makes(func(s *weir.AlertSpec) {
		s.Window, s.Condition = 5, weir.AlertCondition{Op: "above", Value: 1e9, Clear: 1e9}
		if change(s); s.Measure.Kind == weir.MeasureErrorRate || s.Measure.Kind == weir.MeasureSuccessRate {
			s.Condition.Value, s.Condition.Clear = 1, 1
		}
	})
	w.evaluator.Pass(t.Context())
	s := w.get(a.ID).Status
	if s.Error != "" {
		t.Fatalf("status %+v: %s", s, &w.log)
	}
	return s.Reading
}

func TestEachMeasureIsReadFromCounters(t *testing.T) {
	for _, c := range []struct {
		measure weir.AlertMeasure
		value   float64
		volume  int64
	}{
		{weir.AlertMeasure{Kind: weir.MeasureEvents}, 7, 7},
		{weir.AlertMeasure{Kind: weir.MeasureEvents, Event: "a"}, 2, 2},
		{weir.AlertMeasure{Kind: weir.MeasureEvents, Event: "nothing"}, 0, 0},
		{weir.AlertMeasure{Kind: weir.MeasureCalls}, 4, 4},
		{weir.AlertMeasure{Kind: weir.MeasureCalls, Route: "/x"}, 2, 2},
		{weir.AlertMeasure{Kind: weir.MeasureErrorRate}, 1.0 / 3, 3},
		{weir.AlertMeasure{Kind: weir.MeasureSuccessRate}, 2.0 / 3, 3},
		{weir.AlertMeasure{Kind: weir.MeasureVisitors}, 3, 3},
		{weir.AlertMeasure{Kind: weir.MeasureLiveVisitors}, 4, 4},
	} {
		r := reading(t, func(s *weir.AlertSpec) { s.Measure = c.measure })
		if r.Value == nil || *r.Value != c.value || r.Volume != c.volume || r.Base != nil || r.Change != nil {
			t.Errorf("%+v: %+v", c.measure, r)
		}
	}
}

// The counters have the routes as they came.
func TestCallsOfARouteAreThoseOfItsPageByTheURLRules(t *testing.T) {
	w := newWorld(t, "UTC")
	if err := w.meta.SetURLRules(t.Context(), w.project.ID, weir.URLRules{Rules: []weir.URLRule{{From: "/p/*", To: "/p/:id"}}}); err != nil {
		t.Fatal(err)
	}
	for i, route := range []string{"/p/1", "/p/2", "/p/2", "/q"} {
		e := weir.Event{ID: fmt.Sprint("e", i), ProjectID: w.project.ID, Name: weir.NameCall, Time: w.now.Add(-time.Minute), ReceivedAt: w.now, Call: &weir.Call{Route: route}}
		if _, err := w.hot.Append(t.Context(), []hot.Item{{Event: &e, Location: w.project.Location()}}); err != nil {
			t.Fatal(err)
		}
	}
	for route, want := range map[string]float64{"/p/:id": 3, "/p/2": 0, "/q": 1} {
		a := w.makes(func(s *weir.AlertSpec) {
			s.Measure = weir.AlertMeasure{Kind: weir.MeasureCalls, Route: route}
			s.Window, s.Condition = 5, weir.AlertCondition{Op: "above", Value: 1e9, Clear: 1e9}
		})
		w.evaluator.Pass(t.Context())
		if r := w.get(a.ID).Status.Reading; r.Value == nil || *r.Value != want {
			t.Errorf("%s: %+v, want %v", route, r, want)
		}
	}
}

func TestARateOfNoCallsIsNoData(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) { s.NoData = weir.NoDataFire })
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 0))
	if r := w.get(a.ID).Status.Reading; r.Value != nil || r.Volume != 0 {
		t.Errorf("reading %+v", r)
	}
}

func TestChangeFromZeroFiresAndHasNoNumber(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) {
		s.Measure = weir.AlertMeasure{Kind: weir.MeasureCalls}
		s.Condition = weir.AlertCondition{Op: "above", Value: 1000, Clear: 1000, Against: weir.AgainstPrevious}
	})
	w.calls(5, 0)
	w.wait(time.Minute)
	w.evaluator.Pass(t.Context())
	w.deliver()
	got := w.hook.take()
	if len(got) != 1 || got[0].message.Change != nil || *got[0].message.Base != 0 ||
		got[0].message.Summary != "Calls in the last minute: 5, a change of more than any percentage against 0 just before. The alert fires above 1000 %." {
		t.Errorf("%+v", got)
	}
	if s := w.get(a.ID).Status; s.State != weir.AlertFiring {
		t.Errorf("status %+v", s)
	}
}

func TestARouteBeyondTheCounterIsAskedOfTheColdTier(t *testing.T) {
	fifty := 50.0
	i := &asked{values: [][]*float64{{&fifty, &fifty}}}
	w := withInsights(t, i)
	a := w.makes(func(s *weir.AlertSpec) {
		s.Measure, s.Condition = weir.AlertMeasure{Kind: weir.MeasureCalls, Route: "/late"}, weir.AlertCondition{Op: "below", Value: 10, Clear: 10}
	})
	i.queries = nil
	items := []hot.Item{}
	for n := range hot.MaxMembers + 1 {
		items = append(items, hot.Item{Location: time.UTC, Event: &weir.Event{
			ID: fmt.Sprint("r", n), ProjectID: w.project.ID, Name: weir.NameCall, Time: w.now, ReceivedAt: w.now, Call: &weir.Call{Route: fmt.Sprint("/", n), Status: 200},
		}})
	}
	if _, err := w.hot.Append(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	same(t, "posts", []string{}, w.minute(0, 0))
	if r := w.get(a.ID).Status.Reading; *r.Value != 50 || len(i.queries) != 1 {
		t.Errorf("reading %+v, %d questions", r, len(i.queries))
	}
	same(t, "filter", []weir.Condition{{Column: "route", Op: "=", Values: []string{"/late"}}}, []weir.Condition(i.queries[0].Base().Filter))
}

func TestCountersThatFailAreAFailureAndNoDrop(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(func(s *weir.AlertSpec) {
		s.Measure, s.Condition = weir.AlertMeasure{Kind: weir.MeasureCalls}, weir.AlertCondition{Op: "below", Value: 10, Clear: 10}
	})
	if err := w.hot.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "posts", []string{}, w.minute(0, 0))
	if s := w.get(a.ID).Status; s.State != weir.AlertOK || s.Error == "" || !strings.Contains(w.log.String(), "closed") {
		t.Errorf("status %+v: %s", s, &w.log)
	}
}

// broken is a store that fails in one place.
type broken struct {
	alert.Store
	active, step, project error
}

func (b *broken) ActiveAlerts(ctx context.Context) ([]*weir.Alert, error) {
	if b.active != nil {
		return nil, b.active
	}
	return b.Store.ActiveAlerts(ctx)
}

func (b *broken) StepAlert(ctx context.Context, s *weir.AlertStep) (bool, error) {
	if b.step != nil {
		return false, b.step
	}
	return b.Store.StepAlert(ctx, s)
}

func (b *broken) Project(ctx context.Context, id string) (*weir.Project, error) {
	if b.project != nil {
		return nil, b.project
	}
	return b.Store.Project(ctx, id)
}

func TestAStoreThatFailsIsTriedAgainAMinuteLater(t *testing.T) {
	w := newWorld(t, "UTC")
	w.makes(nil)
	fire := errors.New("disk on fire")
	b := &broken{Store: w.meta}
	w.evaluator.Store = b
	for i, set := range []*error{&b.active, &b.step, &b.project} {
		*set = fire
		same(t, "posts", []string{}, w.minute(0, 10))
		*set = nil
		if n := w.metric(t, "weir_alert_failures_total"); n != float64(i+1) {
			t.Errorf("%v failures after %d", n, i+1)
		}
	}
	w.evaluator.Once = func(context.Context, string, time.Duration) (bool, error) { return false, fire }
	same(t, "posts", []string{}, w.minute(0, 10))
	if n := w.metric(t, "weir_alert_failures_total"); n != 4 {
		t.Errorf("%v failures", n)
	}
	w.evaluator.Once = func(context.Context, string, time.Duration) (bool, error) { return true, nil }
	same(t, "posts", []string{"alert.fired 1"}, w.minute(0, 10))
}

func TestHistoryIsKeptForNinetyDays(t *testing.T) {
	w := newWorld(t, "UTC")
	a := w.makes(nil)
	w.minute(0, 10)
	w.minute(10, 0)
	same(t, "history", 2, len(w.moves(a.ID)))
	w.wait(91 * 24 * time.Hour)
	for range 61 { // old entries are looked for once an hour
		w.minute(0, 0)
	}
	same(t, "history", 0, len(w.moves(a.ID)))
}

func TestAFilterHasABoundedSize(t *testing.T) {
	s := weir.AlertSpec{
		Name: "x", Measure: weir.AlertMeasure{Kind: weir.MeasureCalls}, Condition: weir.AlertCondition{Op: alert.OpAbove, Value: 1, Clear: 1},
	}
	alert.Defaults(&s)
	c := weir.Condition{Column: "route", Op: "=", Values: []string{strings.Repeat("x", 8000)}}
	for n, want := range []string{"", "", "", weir.EINVALID} {
		s.Measure.Filter = slices.Repeat([]weir.Condition{c}, n)
		if err := alert.Check(&s, nil); weir.ErrorCode(err) != want {
			t.Errorf("%d conditions of 8,000 bytes: %v, want %q", n, err, want)
		}
	}
}
