package otlp

import (
	"net/http"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Protocol is the protocol of OpenTelemetry's exporters, over HTTP (POST /v1/traces) and over
// gRPC. Metrics and logs are accepted and dropped: by default an SDK sends them too. The reply has
// the encoding of the request.
// Source: opentelemetry.io/docs/specs/otlp.
type Protocol struct {
	// Consumers are the names of the span attributes that contain the caller; nil is
	// DefaultConsumers.
	Consumers []string
}

// Vendor returns "otlp".
func (Protocol) Vendor() string { return "otlp" }

// dropped are the addresses of the signals that are accepted and dropped.
var dropped = []string{"/v1/metrics", "/v1/logs"}

// Routes returns the addresses of the three signals, over HTTP and over gRPC.
func (Protocol) Routes() (routes []wire.Route) {
	for _, path := range append([]string{"/v1/traces"}, dropped...) {
		routes = append(routes, wire.Route{Method: http.MethodPost, Path: path, Project: wire.KeyInHead, Types: otlpTypes})
	}
	for _, path := range append([]string{grpcTraces}, grpcDropped...) {
		routes = append(routes, wire.Route{Method: http.MethodPost, Path: path, Project: wire.KeyInHead, Framing: wire.OneMessage, Types: grpcTypes})
	}
	return routes
}

// ProjectNames returns the write key.
func (Protocol) ProjectNames(r *wire.Request, _ []byte) []string { return []string{wire.HeadKey(r)} }

// Decode decodes traces, and returns no events of other signals.
func (p Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	if isGRPC(r) {
		if err := checkGRPC(r); err != nil {
			return nil, err
		}
	}
	if slices.Contains(dropped, r.Route.Path) || slices.Contains(grpcDropped, r.Route.Path) {
		return wire.OnePart(wire.Part{}), nil
	}
	consumers := p.Consumers
	if consumers == nil {
		consumers = DefaultConsumers()
	}
	in, rejected, err := Decode(r.Body, encodingOf(r), consumers, r.Now, r.Limits)
	if err != nil {
		return nil, err
	}
	d := wire.OnePart(wire.Part{Events: in, Rejected: rejected})
	d.From = wire.FromLogIf(wire.IsHistorical(r))
	return d, nil
}

// Answer returns an ExportTraceServiceResponse; those of other signals are empty in the same way.
func (Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	e := encodingOf(r)
	if isGRPC(r) {
		return grpcAnswer(appendMessage(nil, AppendReply(nil, e, s.Parts[0].Rejected)), 0, "", nil)
	}
	return wire.Response{Status: http.StatusOK, ContentType: e.ContentType(), Body: AppendReply(nil, e, s.Parts[0].Rejected)}
}

// Refuse returns a google.rpc.Status; over gRPC the status of the call.
func (Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	if isGRPC(r) {
		return grpcRefusal(r, status, err)
	}
	e := encodingOf(r)
	return wire.Response{Status: status, ContentType: e.ContentType(), Body: AppendStatus(nil, e, err.Code, err.Message)}
}

// encodingOf returns JSON for a Content-Type that Routes does not list.
func encodingOf(r *wire.Request) Encoding {
	if isGRPC(r) {
		return Protobuf
	}
	switch wire.MediaType(r.Header.Get("Content-Type")) {
	case "application/x-protobuf", "application/protobuf":
		return Protobuf
	}
	return JSON
}

var otlpTypes = []string{"application/x-protobuf", "application/json", "application/protobuf"}
