package httpd

import (
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	weir "github.com/weir-analytics/weir"
)

// The types of this file describe, for the OpenAPI document, what package wire reads and
// writes without reflection.

// SentEvent is an event of POST /v1/events. Other keys are ignored.
type SentEvent struct {
	_              struct{}        `additionalProperties:"true"`
	ID             string          `json:"id,omitempty" doc:"sending it again under the same id adds nothing"`
	Name           string          `json:"name" minLength:"1" maxLength:"255"`
	TS             any             `json:"ts,omitempty" doc:"RFC 3339, or seconds or milliseconds since 1970; the time of arrival when missing"`
	ProfileID      string          `json:"profile_id,omitempty"`
	DeviceID       string          `json:"device_id,omitempty"`
	SessionID      string          `json:"session_id,omitempty"`
	URL            string          `json:"url,omitempty"`
	Path           string          `json:"path,omitempty"`
	Title          string          `json:"title,omitempty"`
	Referrer       string          `json:"referrer,omitempty"`
	IP             string          `json:"ip,omitempty" doc:"the visitor's; the sender's when missing"`
	UserAgent      string          `json:"user_agent,omitempty" doc:"the visitor's; the sender's when missing"`
	Language       string          `json:"language,omitempty" doc:"BCP 47"`
	Library        string          `json:"library,omitempty" doc:"the sending library, as name/version"`
	Origin         string          `json:"origin,omitempty" doc:"of the page, https://example.com; follows from url"`
	UTMSource      string          `json:"utm_source,omitempty" doc:"follows from url, as the other four do"`
	UTMMedium      string          `json:"utm_medium,omitempty"`
	UTMCampaign    string          `json:"utm_campaign,omitempty"`
	UTMTerm        string          `json:"utm_term,omitempty"`
	UTMContent     string          `json:"utm_content,omitempty"`
	Country        string          `json:"country,omitempty" doc:"ISO 3166-1 alpha-2; follows from ip"`
	Region         string          `json:"region,omitempty"`
	City           string          `json:"city,omitempty"`
	Browser        string          `json:"browser,omitempty" doc:"follows from user_agent, as the next five do"`
	BrowserVersion string          `json:"browser_version,omitempty"`
	OS             string          `json:"os,omitempty"`
	OSVersion      string          `json:"os_version,omitempty"`
	DeviceType     string          `json:"device_type,omitempty" enum:"phone,tablet,desktop,tv"`
	Bot            bool            `json:"bot,omitempty"`
	Revenue        float64         `json:"revenue,omitempty"`
	Currency       string          `json:"currency,omitempty" doc:"ISO 4217"`
	Properties     json.RawMessage `json:"properties,omitempty" doc:"a JSON object"`
	Groups         map[string]any  `json:"groups,omitempty" doc:"the groups that the event belongs to: ids by type, such as company"`
	Call           *SentCall       `json:"call,omitempty" doc:"of an api_call"`
}

// TransformSchema says in which forms the time may be.
func (SentEvent) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["ts"].OneOf = []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeNumber}}
	return s
}

// SentCall is what an api_call says of the request.
type SentCall struct {
	_         struct{} `additionalProperties:"true"`
	Method    string   `json:"method,omitempty"`
	Route     string   `json:"route,omitempty"`
	Status    int      `json:"status,omitempty"`
	LatencyMS float64  `json:"latency_ms,omitempty"`
	Consumer  string   `json:"consumer,omitempty"`

	RequestBytes  int64  `json:"request_bytes,omitempty" minimum:"0" doc:"size of the request's body; 0 is a value"`
	ResponseBytes int64  `json:"response_bytes,omitempty" minimum:"0" doc:"size of the response's body; 0 is a value"`
	Error         string `json:"error,omitempty" doc:"why the call failed; the first 1,024 bytes are kept"`
	TraceID       string `json:"trace_id,omitempty" maxLength:"255" doc:"of the distributed trace"`
}

// IngestReply is the answer to POST /v1/events.
type IngestReply struct {
	Accepted   int              `json:"accepted"`
	Duplicates int              `json:"duplicates" doc:"events that were stored before; they are not stored again"`
	Rejected   []weir.Rejection `json:"rejected" nullable:"false"`
}

// IngestRefusal is the answer to a request whose events were all rejected.
type IngestRefusal struct {
	Content ErrorContent `json:"error"`
	IngestReply
}

func (s *Server) documentEvents() {
	event := s.schema(reflect.TypeFor[SentEvent]())
	many := &huma.Schema{Type: huma.TypeArray, Items: event}
	op := s.answering(huma.Operation{
		OperationID: "send-events",
		Method:      http.MethodPost,
		Path:        "/v1/events",
		Summary:     "Send events",
		Description: "One event, an array of them, an object with them as events, or one per line. gzip and zstd are read. " +
			"A 200 means that the accepted events are durable; a rejected one does not hold the others up. " +
			"When all are rejected and none is a duplicate, the answer is 400, with an error and the reasons. " +
			"A 429 with rate_limited or quota_exceeded took nothing: send the same again after Retry-After. " +
			"A rejected event with the reason quota_exceeded is of a month that is used up: send it again when the month is over.",
		Parameters: []*huma.Param{
			{Name: "key", In: "query", Description: "the write key, for senders that can set no header", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "sent_at", In: "query", Description: "when this is sent by the sender's clock, in milliseconds since 1970: a clock that is over a minute wrong is corrected for", Schema: &huma.Schema{Type: huma.TypeInteger}},
			{Name: "X-Weir-Import", In: "header", Description: "an id for all events of an import, which they are stored with as import_id; up to 64 letters, digits, dots, dashes and underscores", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "X-Weir-Historical", In: "header", Description: "true for a log's events, long past", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{OneOf: []*huma.Schema{event, many, {
				Type: huma.TypeObject, Properties: map[string]*huma.Schema{"events": many}, Required: []string{"events"},
			}}}},
			"application/x-ndjson": {Schema: event},
		}},
	}, reflect.TypeFor[IngestReply]())
	op.Responses["400"] = &huma.Response{
		Description: "All events were rejected, or the body cannot be read",
		Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{
			AnyOf: []*huma.Schema{s.schema(reflect.TypeFor[IngestRefusal]()), s.schema(reflect.TypeFor[Error]())},
		}}},
	}
	s.describe(&op)
	op.Security = securityOf(Rule{Need: WriteKey})
	s.api.OpenAPI().AddOperation(&op)
}

// TracesReply is the answer to POST /v1/traces, in JSON.
type TracesReply struct {
	PartialSuccess *PartialSuccess `json:"partialSuccess,omitempty" doc:"only when spans were not taken"`
}

// PartialSuccess says which spans were not taken. They are not to be sent again.
type PartialSuccess struct {
	RejectedSpans string `json:"rejectedSpans" doc:"their number"`
	ErrorMessage  string `json:"errorMessage" doc:"their number by reason"`
}

// TracesFailure is an error of POST /v1/traces, in JSON: a google.rpc.Status.
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
	op.Security = securityOf(Rule{Need: WriteKey})
	s.api.OpenAPI().AddOperation(&op)
	for _, signal := range []string{"metrics", "logs"} {
		of := op
		of.OperationID, of.Path, of.Summary = "send-"+signal, "/v1/"+signal, "Send "+signal+" over OTLP/HTTP"
		of.Description = "Accepted and dropped: OpenTelemetry's SDKs send them by default."
		s.api.OpenAPI().AddOperation(&of)
	}
}
