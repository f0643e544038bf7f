package httpd

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

// Usage returns how much of its limits a project has used. *ingest.Usages is one.
type Usage interface {
	Usage(ctx context.Context, p *weir.Project) (*ingest.Usage, error)
}

type usageInput struct {
	ProjectPath
	Month string `query:"month" doc:"the current month in the project's timezone, as 2026-03, which is the default; 400 for any other"`
}

func (s *Server) mountUsage() {
	handle(s, huma.Operation{
		OperationID: "get-usage", Method: "GET", Path: "/api/v1/projects/{id}/usage", Summary: "How much of its quota a project has used this month",
		Description: "Counted by the counters, at once. What other nodes refused in the last seconds is not in it.",
	}, func(ctx context.Context, in *usageInput) (*output[ingest.Usage], error) {
		u, err := s.cfg.Usage.Usage(ctx, projectOf(ctx))
		if err == nil && in.Month != "" && in.Month != u.Month {
			return nil, weir.Errorf(weir.EINVALID, "month: only the current one is counted, which is %s", u.Month)
		}
		return passOn(u, err)
	})
}
