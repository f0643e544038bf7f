package main

import (
	"context"
	"io"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/stats"
)

type httpIngest struct{ *ingest.Ingester }

func (h httpIngest) Ingest(ctx context.Context, p *weir.Project, body io.Reader, encoding string, r httpd.Remote) (httpd.Reply, error) {
	reply, err := h.Ingester.Ingest(ctx, p, body, encoding, ingest.Remote(r))
	return httpd.Reply(reply), err
}

type httpStats struct{ *stats.Stats }

func (h httpStats) Overview(ctx context.Context, p *weir.Project) (any, error) {
	return h.Stats.Overview(ctx, p)
}

func (h httpStats) Trend(ctx context.Context, p *weir.Project, rng, event string) (any, error) {
	return h.Stats.Trend(ctx, p, rng, event)
}

type httpInsights struct{ *insight.Engine }

func (h httpInsights) Query(ctx context.Context, p *weir.Project, q weir.Query, freshness time.Duration) (any, error) {
	switch q.Kind {
	case weir.KindPages:
		return h.Engine.Pages(ctx, p, q, freshness)
	default:
		return h.Engine.Trend(ctx, p, q, freshness)
	}
}

func (h httpInsights) Events(ctx context.Context, p *weir.Project, q httpd.EventsQuery, freshness time.Duration) (any, error) {
	return h.Engine.Events(ctx, p, insight.EventsQuery{
		From: q.From, To: q.To, Name: q.Name, ProfileID: q.ProfileID, Limit: q.Limit, Cursor: q.Cursor,
	}, freshness)
}
