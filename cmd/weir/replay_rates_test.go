package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/stats"
)

// checkRates compares what the overview, alerts and the insight of calls tell of the
// same calls; checkReport has reports.
func (p *replayProject) checkRates() {
	p.w.t.Helper()
	to := p.w.clock().Truncate(time.Minute)
	y, m, d := to.In(p.loc).Date()
	from := weir.Midnight(y, m, d, p.loc)
	minutes := int(to.Sub(from) / time.Minute)
	of := p.sent.calls().between(from, to)
	want := of.rate(100, 400)

	// It waits until the events are in the cold tier, which alerts with their
	// freshness need not do.
	var calls insight.Calls
	p.w.call("POST", p.path("/query"), p.w.admin, fmt.Appendf(nil, `{"kind":"calls","from":%q,"to":%q}`, from.Format(time.RFC3339), to.Format(time.RFC3339)), &calls)
	p.same("success rate of the insight", calls.Totals.SuccessRate, want)

	rules := alert.NewRules(alert.RulesConfig{Store: p.w.meta, Counters: p.w.hot, Insights: alert.EngineInsights{Engine: p.w.insights}, Clock: p.w.clock})
	rule := func(kind weir.MeasureKind, filter ...weir.Condition) string {
		a, err := rules.Create(p.w.t.Context(), p.Project, weir.AlertSpec{
			Name: string(kind), Enabled: true, Window: minutes, Measure: weir.AlertMeasure{Kind: kind, Filter: filter}, Condition: weir.AlertCondition{Op: "above", Value: 1},
		})
		if err != nil {
			p.w.t.Fatal(err)
		}
		return a.ID
	}
	counted, failed := rule(weir.MeasureSuccessRate), rule(weir.MeasureErrorRate)
	stored := rule(weir.MeasureSuccessRate, weir.Condition{Column: "name", Op: "=", Values: []string{weir.NameCall}})
	alert.NewEvaluator(alert.Config{
		Store: p.w.meta, Counters: p.w.hot, Insights: alert.EngineInsights{Engine: p.w.insights}, Clock: p.w.clock, Log: slog.New(slog.DiscardHandler),
		Metrics: alert.NewMetrics(prometheus.NewRegistry()), Texts: alert.English(),
		Once: func(context.Context, string, time.Duration) (bool, error) { return true, nil },
	}).Pass(p.w.t.Context())
	measured := func(id string) *float64 {
		a, err := rules.Get(p.w.t.Context(), p.Project, id)
		if err != nil {
			p.w.t.Fatal(err)
		}
		return a.Status.Reading.Value
	}
	p.same("success rate of an alert", measured(counted), want)
	p.same("error rate of an alert", measured(failed), 1-want)
	p.same("success rate of an alert on the cold tier", measured(stored), want)

	var o stats.Overview
	p.w.get(p.path("/stats/overview"), &o)
	p.same("success rate of the overview", o.SuccessRate, p.sent.calls().between(from, to.Add(24*time.Hour)).rate(100, 400))
}
