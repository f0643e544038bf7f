package otlp_test

import (
	"fmt"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/otlp"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
	coltracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// BenchmarkTraces decodes requests of 512 spans, the SDKs' batch size, of which
// every other is a server's. The yardstick is OpenTelemetry's own code, which
// only decodes and makes no calls of them.
func BenchmarkTraces(b *testing.B) {
	var spans []*tracepb.Span
	for i := range 512 {
		s := served(attribute("http.request.method", "GET"), attribute("http.route", "/orders/{id}"), attribute("url.path", fmt.Sprint("/orders/", i)),
			attribute("url.scheme", "https"), attribute("server.address", "shop.example"), attribute("client.address", "192.0.2.7"),
			attribute("user_agent.original", "okhttp/4.12.0"), attribute("network.protocol.version", "1.1"),
			integer("server.port", 443), integer("http.response.status_code", 200), attribute("enduser.id", "acme"))
		if i%2 == 1 {
			s.Kind = tracepb.Span_SPAN_KIND_CLIENT
		}
		spans = append(spans, s)
	}
	body := export(b, spans...)
	b.Run("wire", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			in, rejected, err := otlp.Decode(body, otlp.Protobuf, otlp.DefaultConsumers(), wiretest.Now, wire.DefaultLimits())
			if len(in) != 256 || len(rejected) != 256 || err != nil {
				b.Fatal(len(in), len(rejected), err)
			}
		}
	})
	b.Run("protobuf alone", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var req coltracepb.ExportTraceServiceRequest
			if err := proto.Unmarshal(body, &req); err != nil {
				b.Fatal(err)
			}
		}
	})
}
