package httpd

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// TrendParams are parameters of stats-trend. It is exported for huma, as
// ProjectPath is.
type TrendParams struct {
	Range string `query:"range" enum:"minute,hour,day" default:"hour" doc:"the last 60 minutes, 24 hours or 30 days"`
	Event string `query:"event" doc:"count this event alone"`
}

type (
	// anyOutput passes an answer on as it is.
	anyOutput struct {
		CacheControl string `header:"Cache-Control"`
		Body         any
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

func passOn(v any, err error) (*anyOutput, error) {
	if err != nil {
		return nil, err
	}
	return &anyOutput{CacheControl: "no-store", Body: v}, nil
}

func (s *Server) mountStats() {
	overview := func(ctx context.Context) (*anyOutput, error) {
		return passOn(s.cfg.Stats.Overview(ctx, projectOf(ctx)))
	}
	trend := func(ctx context.Context, q TrendParams) (*anyOutput, error) {
		return passOn(s.cfg.Stats.Trend(ctx, projectOf(ctx), q.Range, q.Event))
	}
	handle(s, answers[OverviewAnswer](s, huma.Operation{
		OperationID: "stats-overview", Method: "GET", Path: "/api/v1/projects/{id}/stats/overview", Summary: "Calls and visitors now",
	}, 200), func(ctx context.Context, _ *ProjectPath) (*anyOutput, error) { return overview(ctx) })
	handle(s, answers[TrendStatsAnswer](s, huma.Operation{
		OperationID: "stats-trend", Method: "GET", Path: "/api/v1/projects/{id}/stats/trend", Summary: "Events over time, from counters",
		Description: "60 minutes, 24 hours or 30 days up to now, oldest first, zeros filled.",
	}, 200), func(ctx context.Context, in *trendInput) (*anyOutput, error) { return trend(ctx, in.TrendParams) })

	handle(s, answers[OverviewAnswer](s, huma.Operation{
		OperationID: "old-stats-overview", Method: "GET", Path: "/api/admin/stats/overview", Summary: "stats-overview under its older name",
	}, 200), func(ctx context.Context, _ *projectQuery) (*anyOutput, error) { return overview(ctx) })
	handle(s, answers[TrendStatsAnswer](s, huma.Operation{
		OperationID: "old-stats-trend", Method: "GET", Path: "/api/admin/stats/trend", Summary: "stats-trend under its older name",
	}, 200), func(ctx context.Context, in *oldTrendInput) (*anyOutput, error) { return trend(ctx, in.TrendParams) })
}
