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
func (t EngineInsights) Totals(ctx context.Context, p *weir.Project, q weir.Trend, freshness time.Duration) ([]*float64, time.Time, error) {
	a, err := insight.Ask[insight.Trend](ctx, t.Engine, p, q, freshness)
	if err != nil {
		return nil, time.Time{}, err
	}
	values := make([]*float64, len(a.Series))
	for i, s := range a.Series {
		values[i] = s.Total
	}
	return values, a.AsOf, nil
}

// statuses is the most statuses that the calls of Outcomes may have.
const statuses = 100

// Outcomes implements Insights by a trend that is broken down by status.
func (t EngineInsights) Outcomes(ctx context.Context, p *weir.Project, q weir.Trend, freshness time.Duration) (o hot.CallResults, asOf time.Time, err error) {
	q.Series, q.Breakdown, q.Limit = []weir.Series{{Event: weir.NameCall, Math: weir.MathTotal}}, "status", statuses
	a, err := insight.Ask[insight.Trend](ctx, t.Engine, p, q, freshness)
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

// Value implements Insights by the totals of the answer.
func (t EngineInsights) Value(ctx context.Context, p *weir.Project, q weir.Question, name weir.AlertValue, freshness time.Duration) (*float64, int64, time.Time, error) {
	a, err := t.Engine.Ask(ctx, p, q, freshness)
	if err != nil {
		return nil, 0, time.Time{}, err
	}
	value, volume, err := insight.MeasureOf(a, name)
	return value, volume, insight.AsOf(a), err
}
