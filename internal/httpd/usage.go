package httpd

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
)

// Usage knows how much of its limits a project has used. *ingest.Usages does.
type Usage interface {
	Usage(ctx context.Context, p *weir.Project) (*ingest.Usage, error)
}

func (s *Server) mountUsage() {
	handle(s, huma.Operation{
		OperationID: "get-usage", Method: "GET", Path: "/api/v1/projects/{id}/usage", Summary: "How much of its quota a project has used this month",
		Description: "Counted by the counters, at once. What other nodes refused in the last seconds is not in it.",
	}, func(ctx context.Context, _ *ProjectPath) (*output[ingest.Usage], error) {
		return passOn(s.cfg.Usage.Usage(ctx, projectOf(ctx)))
	})
}
