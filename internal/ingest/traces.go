package ingest

import (
	"context"
	"io"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Traces decodes the body of an OTLP/HTTP trace request and appends its server
// spans to the project as calls. The spans of other kinds are rejections. Errors
// are those of Ingest.
func (g *Ingester) Traces(ctx context.Context, p *weir.Project, body io.Reader, encoding string, e wire.Encoding, r Remote) (Reply, error) {
	b, err := wire.ReadBody(body, encoding, g.Limits)
	if err != nil {
		g.metrics.refused(err)
		return Reply{}, err
	}
	consumers := g.Consumers
	if consumers == nil {
		consumers = wire.DefaultConsumers()
	}
	in, rejected, err := wire.Traces(b.Bytes(), e, consumers, g.Clock.Now(), g.Limits)
	b.Release()
	if err != nil {
		g.metrics.refused(err)
		return Reply{}, err
	}
	return g.Deliver(ctx, p, in, rejected, r)
}
