// Package segment is the protocol of Segment's SDKs, and of those that follow it.
package segment

import (
	"net/http"
	"net/url"
	"strings"
	"sync"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/jsonscan"
)

// Protocol is how the SDKs of segment.com speak, and those of RudderStack and
// Jitsu, which follow it.
// Source: segment.com/docs, "HTTP API"; npm's @segment/analytics-node,
// @segment/analytics-next, @rudderstack/rudder-sdk-node, @jitsu/js.
type Protocol struct{}

const (
	pathSettings     = "/v1/projects/{token}/settings"
	pathSourceConfig = "/sourceConfig"
	pathNodes        = "/cluster-info"
)

// Vendor is the protocol's name.
func (Protocol) Vendor() string { return "segment" }

// Routes are the addresses of its calls, the short ones of browsers, those of
// Jitsu and RudderStack's beacon, and what SDKs in browsers ask for besides: their settings,
// and Segment's snippet its script.
func (Protocol) Routes() []wire.Route {
	post := func(path string) wire.Route { return wire.Route{Method: http.MethodPost, Path: path} }
	get := func(path string) wire.Route {
		return wire.Route{Method: http.MethodGet, Path: path, Body: wire.IgnoreBody}
	}
	routes := []wire.Route{
		post("/v1/import"), post("/beacon/v1/batch"),
		{Method: http.MethodPost, Path: "/v1/m", Body: wire.IgnoreBody},
		get(pathSettings), get(pathSourceConfig), get(pathNodes), get(pathScript), get(pathBundle),
	}
	for _, name := range []string{"track", "identify", "page", "screen", "group", "alias", "batch"} {
		routes = append(routes, post("/v1/"+name), post("/v1/"+name[:1]), post("/api/s/"+name), post("/api/s/s2s/"+name))
	}
	return routes
}

// ProjectNames returns write keys.
func (Protocol) ProjectNames(r *wire.Request, text []byte) []string {
	if key := writeKeyOf(r.Header, r.Query(), ""); key != "" {
		return []string{key}
	}
	var names []string
	for _, name := range wire.NamesIn(text, "writeKey") {
		key, _, _ := strings.Cut(name, ":")
		names = append(names, key)
	}
	return names
}

// Decode reads one call, or a batch of them.
func (Protocol) Decode(r *wire.Request) (*wire.Decoded, error) {
	switch {
	case r.Route.Path == "/v1/m":
		return &wire.Decoded{Unsupported: "metrics"}, nil
	case r.Route.Body == wire.IgnoreBody:
		return &wire.Decoded{}, nil
	}
	s := decoders.Get().(*decoder)
	defer func() {
		s.request, s.outer = nil, batchFields{}
		if s.Close() {
			decoders.Put(s)
		}
	}()
	return s.sent(r)
}

// Answer returns 200 also for rejected events: no SDK retries those that an answer names.
func (Protocol) Answer(r *wire.Request, _ *wire.Decoded) wire.Response {
	body := []byte(`{"success":true}`)
	switch r.Route.Path {
	case pathScript, pathBundle:
		return script(r)
	case pathSettings:
		body = settings(r)
	case pathSourceConfig:
		body = []byte(sourceConfig)
	case pathNodes: // RudderStack's Go SDK asks ten times, for two seconds, before it sends without
		body = []byte(`{"nodeCount":1}`)
	}
	return wire.Response{Status: http.StatusOK, ContentType: "application/json; charset=utf-8", Body: body}
}

// Refuse is what is wrong, as an object with a message and a code.
func (Protocol) Refuse(_ *wire.Request, status int, err *weir.Error) wire.Response {
	body := append([]byte(`{"success":false,"message":`), jsonscan.AppendString(nil, []byte(strings.ToValidUTF8(err.Message, "\ufffd")))...)
	body = append(append(append(body, `,"code":"`...), err.Code...), `"}`...)
	return wire.Response{Status: status, ContentType: "application/json; charset=utf-8", Body: body}
}

// settings is what analytics-next takes for the settings of its source: it
// delivers to the address that it asked, and to nobody else. The apiKey is what it
// then sends as its write key.
func settings(r *wire.Request) []byte {
	quote := func(dst []byte, text string) []byte {
		return jsonscan.AppendString(dst, []byte(strings.ToValidUTF8(text, "\ufffd")))
	}
	protocol := "http"
	if r.Secure {
		protocol = "https"
	}
	b := append([]byte(nil), `{"integrations":{"Segment.io":{"apiKey":`...)
	b = quote(b, r.Value("token"))
	b = append(b, `,"apiHost":`...)
	b = quote(b, r.Host+"/v1")
	b = append(b, `,"protocol":"`+protocol+`","unbundledIntegrations":[],"addBundledMetadata":true,"maybeBundledConfigIds":{}}},`...)
	return append(b, `"plan":{},"edgeFunction":{},"analyticsNextEnabled":true,"middlewareSettings":{},"enabledMiddleware":{},`+
		`"metrics":{"sampleRate":0},"legacyVideoPluginsEnabled":false,"remotePlugins":[]}`...)
}

// sourceConfig is what RudderStack's SDK for browsers takes for the settings of its source:
// no destinations, and no reports on itself.
const sourceConfig = `{"source":{"id":"weir","name":"Weir","workspaceId":"weir","enabled":true,` +
	`"config":{"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}},"destinations":[]}}`

// writeKeyOf is the write key that a request names outside of its body; body is
// what it names there. A Bearer token comes last: it may be one of OAuth.
func writeKeyOf(h http.Header, query url.Values, body string) string {
	key := wire.BasicUser(h)
	for _, other := range [...]string{h.Get("X-Write-Key"), body, query.Get("writeKey")} {
		if key == "" {
			key, _, _ = strings.Cut(other, ":") // Jitsu's may be "key:secret"
		}
	}
	if scheme, token, ok := strings.Cut(h.Get("Authorization"), " "); key == "" && ok && strings.EqualFold(scheme, "Bearer") {
		key = strings.TrimSpace(token)
	}
	return key
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}
