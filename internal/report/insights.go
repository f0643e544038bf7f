package report

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// InsightSource answers the questions of reports with insights.
type InsightSource struct {
	insights insight.Asker
	cold     cold.Reader
	barrier  insight.Barrier
}

// NewInsightSource makes a Source of an engine. Dead letters are read from r.
func NewInsightSource(e insight.Asker, r cold.Reader, b insight.Barrier) *InsightSource {
	return &InsightSource{e, r, b}
}

// Flush implements report.Source, as the methods that follow do.
func (s *InsightSource) Flush(ctx context.Context) (time.Time, error) { return s.barrier.Flush(ctx) }

func daily(from, to time.Time) weir.Common {
	return weir.Common{From: from, To: to, Interval: weir.Day}
}

// Totals leaves the calls to Calls.
func (s *InsightSource) Totals(ctx context.Context, p *weir.Project, from, to time.Time) (t weir.ReportTotals, err error) {
	a, err := insight.Ask[insight.Trend](ctx, s.insights, p, weir.Trend{
		Common: daily(from, to), Series: []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}},
	}, 0)
	if err != nil {
		return t, err
	}
	if len(a.Series) != 2 {
		return t, fmt.Errorf("%d series instead of 2", len(a.Series))
	}
	return weir.ReportTotals{Events: count(a.Series[0].Total), Visitors: count(a.Series[1].Total)}, nil
}

// Calls implements Source.
func (s *InsightSource) Calls(ctx context.Context, p *weir.Project, from, to time.Time, top int) (weir.ReportCalls, error) {
	a, err := insight.Ask[insight.Calls](ctx, s.insights, p, weir.Calls{Common: weir.Common{From: from, To: to}, Breakdown: "route", Limit: top}, 0)
	if err != nil {
		return weir.ReportCalls{}, err
	}
	r := weir.ReportCalls{
		CallFigures: Figures(&a.Totals),
		Consumers:   weir.ReportConsumers{Active: a.Consumers.Active, New: a.Consumers.New, Returning: a.Consumers.Returning},
	}
	for i := range a.Groups {
		g := &a.Groups[i]
		api := weir.ReportAPI{Other: g.Other, CallFigures: Figures(&g.CallValues)}
		if !g.Other && !g.Breakdown.None {
			api.API = &g.Breakdown.Value
		}
		r.ByAPI = append(r.ByAPI, api)
	}
	return r, nil
}

// Figures returns what a report says of the values, latencies rounded to a nanosecond.
func Figures(v *insight.CallValues) weir.CallFigures {
	return weir.CallFigures{
		Calls: v.Calls, Rate: v.Rate, Unknown: v.Unknown, SuccessRate: v.SuccessRate, ErrorRate4xx: v.ErrorRate4xx, ErrorRate5xx: v.ErrorRate5xx, Apdex: v.Apdex,
		Latency: weir.ReportLatency{Mean: nanos(v.LatencyMean), P50: nanos(v.P50), P90: nanos(v.P90), P95: nanos(v.P95), P99: nanos(v.P99)},
	}
}

// nanos rounds milliseconds to a millionth: the last bits of a mean are by the order
// in which it was added up, and another order must not make another revision.
func nanos(ms *float64) *float64 {
	if ms == nil {
		return nil
	}
	r := math.Round(*ms*1e6) / 1e6
	return &r
}

// Growth implements Source.
func (s *InsightSource) Growth(ctx context.Context, p *weir.Project, from, to time.Time) (weir.ReportGrowth, error) {
	a, err := insight.Ask[insight.Growth](ctx, s.insights, p, weir.Growth{Common: daily(from, to)}, 0)
	if err != nil {
		return weir.ReportGrowth{}, err
	}
	if len(a.Points) != 1 {
		return weir.ReportGrowth{}, fmt.Errorf("%d points of one day", len(a.Points))
	}
	g := a.Points[0]
	return weir.ReportGrowth{
		New: g.New, Active: g.Active, Returning: g.Returning, Resurrecting: g.Resurrecting, Dormant: g.Dormant, Cumulative: g.Cumulative, Net: g.Net,
		WeeklyActive: g.WeeklyActive, MonthlyActive: g.MonthlyActive, Signups: g.Signups,
	}, nil
}

// Visits implements Source.
func (s *InsightSource) Visits(ctx context.Context, p *weir.Project, from, to time.Time, top int) (weir.ReportVisits, error) {
	a, err := insight.Ask[insight.Pages](ctx, s.insights, p, weir.Pages{Common: weir.Common{From: from, To: to}, Limit: top}, 0)
	if err != nil {
		return weir.ReportVisits{}, err
	}
	v := weir.ReportVisits{
		Count: a.Totals.Visits, Visitors: a.Totals.Visitors, Views: a.Totals.Views,
		BounceRate: a.Totals.BounceRate, MeanDuration: nanos(a.Totals.VisitDuration),
	}
	for _, pg := range a.Pages {
		v.Pages = append(v.Pages, weir.ReportPage{Path: pg.Path, Views: pg.Views, Visitors: pg.Visitors})
	}
	return v, nil
}

// Dead implements Source.
func (s *InsightSource) Dead(ctx context.Context, p *weir.Project, from, to time.Time) (events, calls int64, err error) {
	return CountDead(ctx, s.cold, p, from, to)
}

// Events implements Source.
func (s *InsightSource) Events(ctx context.Context, p *weir.Project, from, to time.Time) (map[weir.Date]int64, error) {
	a, err := insight.Ask[insight.Trend](ctx, s.insights, p, weir.Trend{Common: daily(from, to), Series: []weir.Series{{Math: weir.MathTotal}}}, time.Minute)
	if err != nil {
		return nil, err
	}
	if len(a.Series) != 1 {
		return nil, errors.New("no series of events")
	}
	days := make(map[weir.Date]int64, len(a.Series[0].Points))
	for _, pt := range a.Series[0].Points {
		days[weir.DateOf(pt.Time, p.Location())] = count(pt.Value)
	}
	return days, nil
}

// count returns a value of a trend as a number; a missing value is 0.
func count(v *float64) int64 {
	if v == nil {
		return 0
	}
	return int64(*v)
}
