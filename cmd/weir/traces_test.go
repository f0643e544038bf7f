package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// OpenTelemetry's own SDK and exporter, a real server, and a proxy between
// them that loses the first answer: the exporter sends again, and each call is
// there once.
func TestOpenTelemetrysExporterDeliversEachServerSpanOnce(t *testing.T) {
	const token = "an admin token that tests give"
	asAdmin(t, token)
	server := serves(t, t.TempDir(), "--otlp-consumers", "app.customer")
	made := weirs(t, "project", "create", "Shop", "--url", server.url)
	if made.status != 0 {
		t.Fatalf("%+v", made)
	}
	target, err := url.Parse(server.url)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int32
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if requests.Add(1) == 1 && r.StatusCode == http.StatusOK {
			r.StatusCode = http.StatusServiceUnavailable // the calls are in, the answer is lost
			r.Header.Set("Retry-After", "0")
		}
		return nil
	}
	between := httptest.NewServer(proxy)
	defer between.Close()

	exporter, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(between.URL+"/v1/traces"),
		otlptracehttp.WithHeaders(map[string]string{"X-Weir-Key": field(t, made.out, "write key")}),
		otlptracehttp.WithCompression(otlptracehttp.GzipCompression),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: time.Minute}))
	if err != nil {
		t.Fatal(err)
	}
	record(t, exporter)
	if n := requests.Load(); n < 2 {
		t.Errorf("%d requests: the exporter did not try again", n)
	}

	var list struct {
		Events []struct {
			Name, Path, Library string
			DeviceID            string `json:"device_id"`
			Call                struct {
				Method, Route, Consumer string
				Status                  int
				LatencyMS               float64 `json:"latency_ms"`
			}
			Properties map[string]any
		}
	}
	r := remote{URL: server.url, Token: token}
	if err := r.call(t.Context(), http.MethodGet, "/api/v1/projects/"+field(t, made.out, "project")+"/events?from=-1d", nil, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Events) != 1 {
		t.Fatalf("%d events, want one: %+v", len(list.Events), list.Events)
	}
	e := list.Events[0]
	if e.Name != "api_call" || e.Call.Method != "GET" || e.Call.Route != "/orders/{id}" || e.Call.Status != 201 || e.Call.Consumer != "acme" || e.Call.LatencyMS != 250 {
		t.Errorf("%+v", e)
	}
	if !strings.HasPrefix(e.Library, "opentelemetry-go/") || e.Properties["service"] != "shop" || e.DeviceID != "" {
		t.Errorf("%+v", e)
	}
}

// The same over gRPC, as several SDKs send by default.
func TestOpenTelemetrysExporterDeliversEachServerSpanOverGRPC(t *testing.T) {
	const token = "an admin token that tests give"
	asAdmin(t, token)
	server := serves(t, t.TempDir(), "--otlp-consumers", "app.customer")
	made := weirs(t, "project", "create", "Shop", "--url", server.url)
	if made.status != 0 {
		t.Fatalf("%+v", made)
	}
	for _, compressor := range []string{"", "gzip"} {
		exporter, err := otlptracegrpc.New(t.Context(), otlptracegrpc.WithEndpointURL(server.url), otlptracegrpc.WithCompressor(compressor),
			otlptracegrpc.WithHeaders(map[string]string{"authorization": "Bearer " + field(t, made.out, "write key")}))
		if err != nil {
			t.Fatal(err)
		}
		record(t, exporter)
	}
	var list struct {
		Events []struct {
			Call struct {
				Route, Consumer string
				Status          int
				TraceID         string `json:"trace_id"`
			}
		}
	}
	r := remote{URL: server.url, Token: token}
	if err := r.call(t.Context(), http.MethodGet, "/api/v1/projects/"+field(t, made.out, "project")+"/events?from=-1d", nil, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Events) != 2 {
		t.Fatalf("%d events, want two: %+v", len(list.Events), list.Events)
	}
	for _, e := range list.Events {
		if e.Call.Route != "/orders/{id}" || e.Call.Status != 201 || e.Call.Consumer != "acme" || len(e.Call.TraceID) != 32 {
			t.Errorf("%+v", e)
		}
	}
}

// record makes a server span with a client span inside, and delivers both.
func record(t *testing.T, exporter *otlptrace.Exporter) {
	t.Helper()
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "shop"),
			attribute.String("telemetry.sdk.name", "opentelemetry"), attribute.String("telemetry.sdk.language", "go"), attribute.String("telemetry.sdk.version", "1.47.0"))))
	end := time.Now()
	ctx, served := provider.Tracer("test").Start(t.Context(), "GET /orders/{id}", trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(end.Add(-250*time.Millisecond)),
		trace.WithAttributes(attribute.String("http.request.method", "GET"), attribute.String("http.route", "/orders/{id}"),
			attribute.Int("http.response.status_code", 201), attribute.String("app.customer", "acme")))
	_, called := provider.Tracer("test").Start(ctx, "SELECT", trace.WithSpanKind(trace.SpanKindClient))
	called.End()
	served.End(trace.WithTimestamp(end))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := provider.Shutdown(ctx); err != nil && !strings.Contains(err.Error(), "partial success") {
		t.Fatal(err)
	}
}
