package ingest

import (
	"context"
	"io"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/otlp"
)

// Traces decodes the body of an OTLP/HTTP trace request and appends its server
// spans to the project as calls. The spans of other kinds are rejections. Errors
// are those of Ingest.
func (g *Ingester) Traces(ctx context.Context, p *weir.Project, body io.Reader, encoding string, e otlp.Encoding, r Remote) (Reply, error) {
	consumers := g.Consumers
	if consumers == nil {
		consumers = otlp.DefaultConsumers()
	}
	return g.receive(ctx, p, body, encoding, r, func(text []byte, l wire.Limits) ([]weir.Incoming, []weir.Rejection, error) {
		return otlp.Decode(text, e, consumers, g.Clock.Now(), l)
	})
}
