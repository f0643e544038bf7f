package httpd

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/stats"
)

// TrendParams are parameters of stats-trend. It is exported for huma, as
// ProjectPath is.
type TrendParams struct {
	Range string `query:"range" enum:"minute,hour,day" default:"day" doc:"the last 60 minutes, 24 hours or 30 days"`
	Event string `query:"event" maxLength:"255" doc:"count this event alone"`
	By    string `query:"by" enum:"api,status,consumer,event" doc:"a series for each; the calls of all kinds but event"`
	Top   int    `query:"top" minimum:"1" maximum:"50" default:"10" doc:"with by: series at most; what is left is one more, the others"`
}

type (
	// output passes on an answer of floor 3.
	output[T any] struct {
		CacheControl string `header:"Cache-Control"`
		Body         *T
	}
	projectQuery struct {
		Project string `query:"project" required:"true" doc:"the project's id"`
	}
	trendInput struct {
		ProjectPath
		TrendParams
	}
	oldTrendInput struct {
		Project string `query:"project" required:"true" doc:"the project's id"`
		TrendParams
	}
)

func passOn[T any](v *T, err error) (*output[T], error) {
	if err != nil {
		return nil, err
	}
	return &output[T]{CacheControl: "no-store", Body: v}, nil
}

func (s *Server) mountStats() {
	overview := func(ctx context.Context) (*output[stats.Overview], error) {
		o, err := s.cfg.Stats.Overview(ctx, projectOf(ctx))
		return passOn(forReader(ctx, o, err))
	}
	trend := func(ctx context.Context, q TrendParams) (*output[stats.Trend], error) {
		if isReader(ctx) && (q.Event != "" || q.By != "") {
			return nil, weir.Errorf(weir.EFORBIDDEN, "a shared link asks only what its page shows: all events")
		}
		return passOn(s.cfg.Stats.Trend(ctx, projectOf(ctx), stats.TrendQuery{Range: q.Range, Event: q.Event, By: q.By, Top: q.Top}))
	}
	handle(s, huma.Operation{
		OperationID: "stats-overview", Method: "GET", Path: "/api/v1/projects/{id}/stats/overview", Summary: "Calls and visitors now",
		Description: "Today and this hour, beside yesterday and the week before up to the same time of day; from counters.",
	}, func(ctx context.Context, _ *ProjectPath) (*output[stats.Overview], error) { return overview(ctx) })
	handle(s, huma.Operation{
		OperationID: "stats-trend", Method: "GET", Path: "/api/v1/projects/{id}/stats/trend", Summary: "Events over time, from counters",
		Description: "60 minutes, 24 hours or 30 days up to now, oldest first, zeros filled; with by one series for each API, status, consumer or event.",
	}, func(ctx context.Context, in *trendInput) (*output[stats.Trend], error) {
		return trend(ctx, in.TrendParams)
	})

	handle(s, huma.Operation{
		OperationID: "old-stats-overview", Method: "GET", Path: "/api/admin/stats/overview", Summary: "stats-overview under its older name",
	}, func(ctx context.Context, _ *projectQuery) (*output[stats.Overview], error) { return overview(ctx) })
	handle(s, huma.Operation{
		OperationID: "old-stats-trend", Method: "GET", Path: "/api/admin/stats/trend", Summary: "stats-trend under its older name",
	}, func(ctx context.Context, in *oldTrendInput) (*output[stats.Trend], error) {
		return trend(ctx, in.TrendParams)
	})
}
