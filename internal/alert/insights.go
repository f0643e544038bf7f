package alert

import (
	"context"
	"fmt"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/insight"
)

// EngineInsights answers what alerts ask with an engine.
type EngineInsights struct{ Engine *insight.Engine }

// Totals implements Insights by the totals of a trend.
func (t EngineInsights) Totals(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) ([]*float64, time.Time, error) {
	a, err := t.Engine.Trend(ctx, p, q, freshness)
	if err != nil {
		return nil, time.Time{}, err
	}
	values := make([]*float64, len(a.Series))
	for i, s := range a.Series {
		values[i] = s.Total
	}
	return values, a.AsOf, nil
}

// statuses is how many statuses Outcomes can tell apart.
const statuses = 100

// Outcomes implements Insights by a trend that is broken down by status.
func (t EngineInsights) Outcomes(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (o hot.CallResults, asOf time.Time, err error) {
	q.Series, q.Breakdown, q.Limit = []weir.Series{{Event: weir.NameCall, Math: weir.MathTotal}}, "status", statuses
	a, err := t.Engine.Trend(ctx, p, q, freshness)
	if err != nil {
		return o, time.Time{}, err
	}
	for _, s := range a.Series {
		switch {
		case s.Other:
			return o, time.Time{}, weir.Errorf(weir.EUNAVAILABLE, "the calls have more than %d statuses: name some in the filter", statuses)
		case s.Total == nil || s.Breakdown == nil || s.Breakdown.None:
			continue
		}
		status, err := strconv.Atoi(s.Breakdown.Value)
		if err != nil {
			return o, time.Time{}, fmt.Errorf("alert: status of calls: %w", err)
		}
		o.Add(hot.StatusClass(status), int64(*s.Total))
	}
	return o, a.AsOf, nil
}

// Value implements Insights by the totals of calls or pages.
func (t EngineInsights) Value(ctx context.Context, p *weir.Project, q weir.Query, name weir.AlertValue, freshness time.Duration) (*float64, int64, time.Time, error) {
	var values map[weir.AlertValue]*float64
	var volume int64
	var asOf time.Time
	number := func(n int64) *float64 { return new(float64(n)) }
	switch q.Kind {
	case weir.KindCalls:
		a, err := t.Engine.Calls(ctx, p, q, freshness)
		if err != nil {
			return nil, 0, time.Time{}, err
		}
		v := a.Totals
		volume, asOf = v.Calls, a.AsOf
		values = map[weir.AlertValue]*float64{
			weir.ValueApdex: v.Apdex, weir.ValueSuccessRate: v.SuccessRate, weir.ValueErrorRate4xx: v.ErrorRate4xx, weir.ValueErrorRate5xx: v.ErrorRate5xx,
			weir.ValueRate: &v.Rate, weir.ValueLatencyMean: v.LatencyMean, weir.ValueLatencyP50: v.P50, weir.ValueLatencyP90: v.P90,
			weir.ValueLatencyP95: v.P95, weir.ValueLatencyP99: v.P99, weir.ValueNewConsumers: number(a.Consumers.New),
		}
	case weir.KindPages:
		a, err := t.Engine.Pages(ctx, p, q, freshness)
		if err != nil {
			return nil, 0, time.Time{}, err
		}
		v := a.Totals
		volume, asOf = v.Visits, a.AsOf
		values = map[weir.AlertValue]*float64{
			weir.ValueViews: number(v.Views), weir.ValueVisitors: number(v.Visitors), weir.ValueVisits: number(v.Visits),
			weir.ValueBounceRate: v.BounceRate, weir.ValueVisitDuration: v.VisitDuration,
		}
	}
	value, ok := values[name]
	if !ok {
		return nil, 0, time.Time{}, weir.Errorf(weir.EINVALID, "the insight %s has no value %q", q.Kind, name)
	}
	return value, volume, asOf, nil
}
