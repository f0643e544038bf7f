package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/meta"
)

// valued is a project's alerts over Pebble and DuckDB, at a time that the test sets.
type valued struct {
	*replayWorld
	project *weir.Project
	key     string
	sent    int
	hook    *hook
	rules   *alert.Rules
	check   *alert.Evaluator
	courier *alert.Courier
}

func newValued(t *testing.T) *valued {
	t.Helper()
	v := &valued{replayWorld: newReplayWorld(t, embedded), hook: newHook(t)}
	var err error
	if v.project, v.key, err = v.meta.CreateProject(t.Context(), meta.NewProject{Name: "Shop", Timezone: "Asia/Kolkata"}); err != nil {
		t.Fatal(err)
	}
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	metrics, quiet := alert.NewMetrics(prometheus.NewRegistry()), slog.New(slog.DiscardHandler)
	sender := &alert.Sender{Webhooks: deliver.NewWebhook(deliver.WebhookOptions{Allow: allow, Clock: v.clock}), Texts: alert.English()}
	asks := alert.EngineInsights{Engine: v.insights}
	v.rules = alert.NewRules(alert.RulesConfig{Store: v.meta, Counters: v.replayWorld.hot, Insights: asks, Allow: allow, Sender: sender, Clock: v.clock})
	v.courier = alert.NewCourier(v.meta, sender, v.clock, quiet, metrics, nil)
	v.check = alert.NewEvaluator(alert.Config{
		Store: v.meta, Counters: v.replayWorld.hot, Insights: asks, Clock: v.clock, Log: quiet, Metrics: metrics, Texts: sender.Texts,
		Wake: v.courier.Wake, Once: func(context.Context, string, time.Duration) (bool, error) { return true, nil },
	})
	return v
}

// minute lets a minute pass with ten calls of a route by as many consumers, a tenth
// of a second apart, then checks the alerts; the answer is what was told by then.
func (v *valued) minute(route string, status int, latency float64) []string {
	v.t.Helper()
	var events []*replayed
	for i := range 10 {
		v.sent++
		at := v.clock().Add(time.Duration(i) * 100 * time.Millisecond)
		events = append(events, &replayed{
			id: fmt.Sprint("c", v.sent), at: at, call: true, method: "GET", route: route, status: status, latency: latency, who: fmt.Sprint("consumer-", i),
		})
	}
	return v.pass(events)
}

// pass lets a minute pass with events, then checks the alerts.
func (v *valued) pass(events []*replayed) []string {
	v.t.Helper()
	v.set(v.clock().Add(35 * time.Second)) // nothing is of the future
	v.call("POST", "/v1/events", v.key, ndjson(events), nil)
	v.set(v.clock().Add(25 * time.Second))
	v.check.Pass(v.t.Context())
	for v.courier.Deliver(v.t.Context()) > 0 {
	}
	return v.hook.got()
}

func (v *valued) makes(name string, m weir.AlertMeasure, c weir.AlertCondition, window int) string {
	v.t.Helper()
	m.Kind = weir.MeasureInsight
	a, err := v.rules.Create(v.t.Context(), v.project, weir.AlertSpec{
		Name: name, Enabled: true, Window: window, Measure: m, Condition: c, Channels: []weir.AlertChannel{{Kind: weir.AlertByWebhook, URL: v.hook.URL}},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	return a.ID
}

func (v *valued) status(id string) weir.AlertStatus {
	v.t.Helper()
	a, err := v.rules.Get(v.t.Context(), v.project, id)
	if err != nil {
		v.t.Fatal(err)
	}
	return a.Status
}

func TestSlowCallsOfARouteFireAnAlertOnItsApdexOnceAndFastOnesEndIt(t *testing.T) {
	v := newValued(t)
	v.set(replayFrom.Add(20 * time.Second)) // after the first minute that a pass looks at
	of := func(route string) weir.AlertMeasure {
		return weir.AlertMeasure{Insight: weir.KindCalls, Value: weir.ValueApdex, Filter: []weir.Condition{{Column: "route", Op: "=", Values: []string{route}}}}
	}
	below := weir.AlertCondition{Op: "below", Value: 0.7, Clear: 0.7}
	cart := v.makes("Slow cart", of("/cart"), below, 2)
	v.makes("Slow pay", of("/pay"), below, 2)

	expect := func(step string, got []string, apdex float64, want ...string) {
		t.Helper()
		s := v.status(cart)
		if s.Error != "" || s.Reading.Value == nil || math.Abs(*s.Reading.Value-apdex) > 1e-9 {
			t.Errorf("%s: status %+v, want an Apdex of %v", step, s, apdex)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: told %v, want %v", step, got, want)
		}
	}
	fired, over := "alert.fired Slow cart", "alert.recovered Slow cart"
	expect("fast", v.minute("/cart", 200, 20), 1)
	expect("half of them tolerated", v.minute("/cart", 200, 900), 0.75)
	expect("all of them tolerated", v.minute("/cart", 200, 900), 0.5, fired)
	expect("slow", v.minute("/cart", 200, 3000), 0.25, fired)
	expect("fast, but failed", v.minute("/cart", 503, 20), 0, fired)
	expect("half of them fast", v.minute("/cart", 200, 20), 0.5, fired)
	expect("fast again", v.minute("/cart", 200, 20), 1, fired, over)
	expect("still fast", v.minute("/cart", 200, 20), 1, fired, over)
	if s := v.status(cart); s.Reading.Volume != 20 || s.Incident != 1 {
		t.Errorf("status %+v, want one incident and a volume of 20 calls", s)
	}
	v.hook.mu.Lock()
	defer v.hook.mu.Unlock()
	if got := v.hook.messages[0].Summary; got != "Apdex in the last 2 minutes: 0.5. The alert fires below 0.7." {
		t.Errorf("summary %q", got)
	}
}

func TestEachValueOfAnInsightIsThatOfItsAnswer(t *testing.T) {
	v := newValued(t)
	v.set(replayFrom.Add(20 * time.Second))
	ids := map[weir.AlertValue]string{}
	for _, kind := range []weir.Kind{weir.KindCalls, weir.KindPages} {
		for _, name := range alert.Values(kind) {
			ids[name] = v.makes(string(name), weir.AlertMeasure{Insight: kind, Value: name}, weir.AlertCondition{Op: "above", Value: 1, Clear: 1}, 5)
		}
	}
	nothing := v.pass([]*replayed{{id: "old", at: v.clock().Add(-time.Hour), call: true, method: "GET", route: "/", who: "old"}})
	if len(nothing) != 0 {
		t.Errorf("told %v", nothing)
	}
	for name, id := range ids {
		s := v.status(id)
		counts := slices.Contains([]weir.AlertValue{weir.ValueRate, weir.ValueNewConsumers, weir.ValueViews, weir.ValueVisitors, weir.ValueVisits}, name)
		if s.Error != "" || counts != (s.Reading.Value != nil) || counts && *s.Reading.Value != 0 || s.Reading.Volume != 0 {
			t.Errorf("%s of nothing: %+v", name, s)
		}
	}
	// Calls of 100 ms to 1 s, a client's error, a server's and the old consumer among
	// them; two visits, one of two views a quarter of a minute apart.
	var events []*replayed
	for i := range 10 {
		status, who := 200, fmt.Sprint("c", i)
		switch i {
		case 0:
			who = "old"
		case 8:
			status = 404
		case 9:
			status = 500
		}
		events = append(events, &replayed{id: fmt.Sprint("e", i), at: v.clock(), call: true, method: "GET", route: "/", status: status, latency: float64(100 * (i + 1)), who: who})
	}
	for i, who := range []string{"x", "x", "y"} {
		events = append(events, &replayed{id: fmt.Sprint("v", i), at: v.clock().Add(time.Duration(i) * 15 * time.Second), who: who})
	}
	v.pass(events)
	for name, want := range map[weir.AlertValue]float64{
		weir.ValueApdex: (5*1 + 4*0.5) / 10, weir.ValueSuccessRate: 0.8, weir.ValueErrorRate4xx: 0.1, weir.ValueErrorRate5xx: 0.1, weir.ValueRate: 10.0 / 300,
		weir.ValueLatencyMean: 550, weir.ValueLatencyP50: 550, weir.ValueLatencyP90: 910, weir.ValueLatencyP95: 955, weir.ValueLatencyP99: 991, weir.ValueNewConsumers: 9,
		weir.ValueViews: 3, weir.ValueVisitors: 2, weir.ValueVisits: 2, weir.ValueBounceRate: 0.5, weir.ValueVisitDuration: 7500,
	} {
		s := v.status(ids[name])
		volume := int64(10)
		if slices.Contains(alert.Values(weir.KindPages), name) {
			volume = 2
		}
		if s.Error != "" || s.Reading.Value == nil || math.Abs(*s.Reading.Value-want) > 1e-6 || s.Reading.Volume != volume {
			t.Errorf("%s: %+v, want %v of %d", name, s, want, volume)
		}
	}
	if _, _, _, err := (alert.EngineInsights{Engine: v.insights}).Value(t.Context(), v.project, weir.Growth{}, weir.ValueApdex, 0); weir.ErrorCode(err) != weir.EINVALID {
		t.Errorf("growth: %v", err)
	}
}
