package otlp

import (
	"net/http"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// Protocol is the protocol of OpenTelemetry's exporters over HTTP: POST /v1/traces. The reply
// has the encoding of the request.
// Source: opentelemetry.io/docs/specs/otlp, OTLP/HTTP.
type Protocol struct {
	// Consumers are the names of the span attributes that contain the caller; nil is
	// DefaultConsumers.
	Consumers []string
}

// Vendor returns "otlp".
func (Protocol) Vendor() string { return "otlp" }

// Routes returns /v1/traces.
func (Protocol) Routes() []wire.Route {
	return []wire.Route{{Method: http.MethodPost, Path: "/v1/traces", Project: wire.KeyInHead, Types: otlpTypes}}
}

// ProjectNames returns the write key.
func (Protocol) ProjectNames(r *wire.Request, _ []byte) []string { return []string{wire.HeadKey(r)} }

// Decode reads the body .
func (p Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
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

// Answer returns an ExportTraceServiceResponse.
func (Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	e := encodingOf(r)
	return wire.Response{Status: http.StatusOK, ContentType: e.ContentType(), Body: AppendReply(nil, e, s.Parts[0].Rejected)}
}

// Refuse returns a google.rpc.Status.
func (Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	e := encodingOf(r)
	return wire.Response{Status: status, ContentType: e.ContentType(), Body: AppendStatus(nil, e, err.Code, err.Message)}
}

// encodingOf returns JSON for a Content-Type that Routes does not list.
func encodingOf(r *wire.Request) Encoding {
	switch wire.MediaType(r.Header.Get("Content-Type")) {
	case "application/x-protobuf", "application/protobuf":
		return Protobuf
	}
	return JSON
}

var otlpTypes = []string{"application/x-protobuf", "application/json", "application/protobuf"}
