// Package posthog is the protocol of PostHog's SDKs.
package posthog

import (
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
)

// Protocol is how the SDKs of posthog.com speak.
// Source: npm's posthog-js and posthog-node, and what PostHog's own capture service
// (github.com/PostHog/posthog, rust/capture) takes and answers.
type Protocol struct {
	// Random is what the ids of answers are made of; nil is crypto/rand's.
	Random io.Reader
}

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "posthog" }

// The routes by what they do. posthogV1 has a protocol of its own.
var (
	capturePaths = []string{"/e", "/i/v0/e", "/capture"}
	batchPaths   = []string{"/i/v0/ai/batch"}
	flagPaths    = []string{"/flags", "/decide"}
	pathV1       = "/i/v1/analytics/events"
)

// unsupportedPaths are the addresses of what Weir does not keep.
var unsupportedPaths = map[string]string{
	"/s": "replay", "/i/v0/ai": "ai", "/i/v0/ai/otel": "traces",
	"/i/v1/logs": "logs", "/i/v1/metrics": "metrics", "/i/v1/traces": "traces",
}

// codings are the values of Content-Encoding that SDKs of PostHog may send
// and that are no codings of HTTP.
var codings = []string{"gzip-js", "lz64", "base64"}

// Routes are the addresses of events and of what the SDKs ask besides. Package sharedpath has
// those that other vendors' SDKs call too: /track, /engage and /batch.
func (Protocol) Routes() []wire.Route {
	var routes []wire.Route
	add := func(r wire.Route, paths ...string) {
		for _, r.Path = range paths {
			routes = append(routes, r)
		}
	}
	add(wire.Route{Method: http.MethodPost, Codings: codings}, capturePaths...)
	add(wire.Route{Method: http.MethodGet}, capturePaths...)
	add(wire.Route{Method: http.MethodPost, Codings: codings}, batchPaths...)
	add(wire.Route{Method: http.MethodPost}, pathV1)
	for path := range unsupportedPaths {
		add(wire.Route{Method: http.MethodPost, Body: wire.IgnoreBody}, path)
	}
	slices.SortFunc(routes, func(a, b wire.Route) int { return strings.Compare(a.Pattern(), b.Pattern()) })
	add(wire.Route{Method: http.MethodPost, Body: wire.IgnoreBody}, flagPaths...)
	add(wire.Route{Method: http.MethodGet, Body: wire.IgnoreBody}, flagPaths...)
	for _, q := range quietAnswers {
		add(wire.Route{Method: http.MethodGet, Body: wire.IgnoreBody}, q.path)
	}
	return routes
}

// ProjectNames returns tokens.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	if r.Route.Path == pathV1 {
		return []string{wire.BearerOf(r.Header.Get("Authorization"))}
	}
	if token := r.Query().Get("token"); token != "" && len(text) == 0 {
		return []string{token}
	}
	return wire.NamesIn(text, "api_key", "token", "$token")
}

// Unpack yields the text of a request as body.Unpack does.
func (Protocol) Unpack(r *wire.Request) iter.Seq2[[]byte, error] {
	if r.Route.Body == wire.IgnoreBody || r.Route.Path == pathV1 {
		return func(func([]byte, error) bool) {}
	}
	return body.Unpack(r, lzBase64)
}

// Decode reads a request by its address.
func (h Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	if what, ok := unsupportedPaths[r.Route.Path]; ok {
		return &wire.Decoded{Unsupported: what}, nil
	}
	if r.Route.Body == wire.IgnoreBody {
		return &wire.Decoded{}, nil
	}
	p := decoders.Get().(*decoder)
	defer func() {
		if p.Close() {
			decoders.Put(p)
		}
	}()
	if r.Route.Path == pathV1 {
		return p.sentV1(r)
	}
	text, err := body.Unpacked(r, lzBase64)
	if err != nil {
		return nil, err
	}
	return p.sent(r, text)
}

// Answer is {"status":"Ok"} with exactly 200, which the SDKs look for; an event
// without a name or a person is an error, whatever became of the others.
func (h Protocol) Answer(r *wire.Request, s *wire.Decoded) wire.Response {
	switch {
	case r.Route.Path == pathV1:
		return answerV1(r, s)
	case r.Route.Body == wire.IgnoreBody && unsupportedPaths[r.Route.Path] == "":
		return h.quiet(r)
	}
	for _, part := range s.Parts {
		for _, rejected := range part.Rejected {
			if message := refusals[rejected.Reason]; message != "" {
				return plainText(http.StatusBadRequest, message)
			}
		}
	}
	if r.Query().Get("beacon") == "1" {
		return wire.Response{Status: http.StatusNoContent}
	}
	return wire.Response{Status: http.StatusOK, ContentType: "application/json", Body: []byte(`{"status":"Ok"}`)}
}

// refusals are the defects of an event that PostHog refuses a request for.
var refusals = map[string]string{
	wire.ReasonNameMissing: "event submitted with an empty event name",
	wire.ReasonIDMissing:   "event submitted without a distinct_id",
	wire.ReasonNotObject:   "failed to parse request: an event is not an object",
}

// Refuse is what is wrong, as text.
func (Protocol) Refuse(r *wire.Request, status int, err *weir.Error) wire.Response {
	if r.Route.Path == pathV1 {
		return refuseV1(r, status, err)
	}
	return plainText(status, err.Message)
}

func plainText(status int, text string) wire.Response {
	return wire.Response{Status: status, ContentType: "text/plain; charset=utf-8", Body: []byte(text)}
}
