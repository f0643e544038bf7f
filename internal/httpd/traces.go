package httpd

import (
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire/otlp"
)

// tracesRoute is where OpenTelemetry's exporters send spans over HTTP.
const tracesRoute = "POST /v1/traces"

func (s *Server) mountTraces() {
	s.mux.refusers[tracesRoute] = failTraces
	s.mux.HandleFunc(tracesRoute, s.traces)
	s.mux.HandleFunc("OPTIONS /v1/traces", preflight)
	s.documentTraces()
}

// traces takes OTLP/HTTP. The answer is in the request's encoding.
// Source: opentelemetry.io/docs/specs/otlp, OTLP/HTTP response.
func (s *Server) traces(w http.ResponseWriter, r *http.Request) {
	encoding, err := otlp.EncodingOf(r.Header.Get("Content-Type"))
	if err != nil {
		s.fail(w, r, err)
		return
	}
	c := callOf(r.Context())
	reply, err := s.cfg.Ingest.Traces(r.Context(), c.project,
		http.MaxBytesReader(w, r.Body, s.cfg.MaxIngestBody), r.Header.Get("Content-Encoding"), encoding,
		ingest.Remote{IP: c.ip, UserAgent: r.UserAgent(), Key: c.key, Historical: historical(r)})
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	setStanding(h, c.standing, reply.Standing)
	h.Set("Content-Type", encoding.ContentType())
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(otlp.AppendReply(nil, encoding, reply.Rejected)) // who does not read it sends again
}

// failTraces writes an error as OTLP has it: a google.rpc.Status. fail has set
// the other headers. A request of no known encoding is answered in JSON.
func failTraces(w http.ResponseWriter, r *http.Request, e *Error) {
	encoding, err := otlp.EncodingOf(r.Header.Get("Content-Type"))
	if err != nil {
		encoding = otlp.JSON
	}
	w.Header().Set("Content-Type", encoding.ContentType())
	w.WriteHeader(e.status)
	_, _ = w.Write(otlp.AppendStatus(nil, encoding, e.Content.Code, e.Content.Message))
}

// TracesReply describes the answer in JSON, which package wire writes.
type TracesReply struct {
	PartialSuccess *PartialSuccess `json:"partialSuccess,omitempty" doc:"only when spans were not taken"`
}

// PartialSuccess says which spans were not taken. They are not to be sent again.
type PartialSuccess struct {
	RejectedSpans string `json:"rejectedSpans" doc:"their number"`
	ErrorMessage  string `json:"errorMessage" doc:"their number by reason"`
}

// TracesFailure describes an error in JSON, which package wire writes: a google.rpc.Status.
type TracesFailure struct {
	Code    int    `json:"code" doc:"of gRPC"`
	Message string `json:"message"`
}

func (s *Server) documentTraces() {
	op := s.answering(huma.Operation{
		OperationID: "send-traces",
		Method:      http.MethodPost,
		Path:        "/v1/traces",
		Summary:     "Send spans over OTLP/HTTP",
		Description: "An ExportTraceServiceRequest of OpenTelemetry, as protobuf or JSON; gzip and zstd are read. Each span of kind SERVER becomes a call. " +
			"A 200 means that the calls are durable; spans that were not taken are counted in partialSuccess. An error is a google.rpc.Status.",
		Parameters: []*huma.Param{
			{Name: "key", In: "query", Description: "the write key, for senders that can set no header", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/x-protobuf": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
			"application/json":       {Schema: &huma.Schema{Type: huma.TypeObject}},
		}},
	}, reflect.TypeFor[TracesReply]())
	inProtobuf := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	op.Responses["200"].Content["application/x-protobuf"] = inProtobuf
	op.Responses["default"] = &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
		"application/json": {Schema: s.schema(reflect.TypeFor[TracesFailure]())}, "application/x-protobuf": inProtobuf,
	}}
	s.describe(&op)
	op.Security = securityOf(WriteKey)
	s.api.OpenAPI().AddOperation(&op)
}
