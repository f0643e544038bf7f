package wire

import (
	"io"
	"net/http"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
)

// PostHog is how the SDKs of posthog.com speak.
// Source: npm's posthog-js and posthog-node, and what PostHog's own capture service
// (github.com/PostHog/posthog, rust/capture) takes and answers.
type PostHog struct {
	// Random is what the ids of answers are made of; nil is crypto/rand's.
	Random io.Reader
}

// Vendor is the protocol's name.
func (PostHog) Vendor() string { return "posthog" }

// The routes by what they do. posthogV1 has a protocol of its own.
var (
	posthogCapture = []string{"/e", "/i/v0/e", "/batch", "/capture", "/engage"}
	posthogBatch   = []string{"/i/v0/ai/batch"}
	posthogAsk     = []string{"/flags", "/decide"}
	posthogV1      = "/i/v1/analytics/events"
)

// posthogUnkept are the addresses of what Weir does not keep.
var posthogUnkept = map[string]string{
	"/s": "replay", "/i/v0/ai": "ai", "/i/v0/ai/otel": "traces",
	"/i/v1/logs": "logs", "/i/v1/metrics": "metrics", "/i/v1/traces": "traces",
}

// Routes are the addresses of events and of what the SDKs ask besides. /track is
// Track's.
func (PostHog) Routes() []Route {
	var routes []Route
	add := func(r Route, paths ...string) {
		for _, r.Path = range paths {
			routes = append(routes, r)
		}
	}
	add(Route{Method: http.MethodPost, Codings: posthogCodings}, posthogCapture...)
	add(Route{Method: http.MethodGet}, posthogCapture...)
	add(Route{Method: http.MethodPost, Codings: posthogCodings}, posthogBatch...)
	add(Route{Method: http.MethodPost}, posthogV1)
	for path := range posthogUnkept {
		add(Route{Method: http.MethodPost, NoBody: true}, path)
	}
	slices.SortFunc(routes, func(a, b Route) int { return strings.Compare(a.Pattern(), b.Pattern()) })
	add(Route{Method: http.MethodPost, NoBody: true}, posthogAsk...)
	add(Route{Method: http.MethodGet, NoBody: true}, posthogAsk...)
	for _, q := range posthogQuiet {
		add(Route{Method: http.MethodGet, NoBody: true}, q.path)
	}
	return routes
}

// Decode reads a request by its address.
func (h PostHog) Decode(r *Request) (*Decoded, error) {
	if what, ok := posthogUnkept[r.Route.Path]; ok {
		return &Decoded{Unsupported: what}, nil
	}
	if r.Route.NoBody {
		return &Decoded{}, nil
	}
	p := posthogs.Get().(*posthog)
	defer func() {
		if p.close() {
			posthogs.Put(p)
		}
	}()
	if r.Route.Path == posthogV1 {
		return p.sentV1(r)
	}
	text, err := posthogText(r)
	if err != nil {
		return nil, err
	}
	return p.sent(r, text)
}

// Answer is {"status":"Ok"} with exactly 200, which the SDKs look for; an event
// without a name or a person is an error, whatever became of the others.
func (h PostHog) Answer(r *Request, s *Decoded) Response {
	switch {
	case r.Route.Path == posthogV1:
		return answerV1(r, s)
	case r.Route.NoBody && posthogUnkept[r.Route.Path] == "":
		return h.quiet(r)
	}
	for _, part := range s.Parts {
		for _, rejected := range part.Rejected {
			if message := posthogRefusals[rejected.Reason]; message != "" {
				return plainText(http.StatusBadRequest, message)
			}
		}
	}
	if r.Query.Get("beacon") == "1" {
		return Response{Status: http.StatusNoContent}
	}
	return Response{Status: http.StatusOK, ContentType: "application/json", Body: []byte(`{"status":"Ok"}`)}
}

// posthogRefusals are the defects of an event that PostHog refuses a request for.
var posthogRefusals = map[string]string{
	ReasonNameMissing: "event submitted with an empty event name",
	ReasonIDMissing:   "event submitted without a distinct_id",
	ReasonNotObject:   "failed to parse request: an event is not an object",
}

// Refuse is what is wrong, as text.
func (PostHog) Refuse(r *Request, status int, err *weir.Error) Response {
	if r.Route.Path == posthogV1 {
		return refuseV1(r, status, err)
	}
	return plainText(status, err.Message)
}

func plainText(status int, text string) Response {
	return Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text)}
}
