package posthog

import (
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"

	"github.com/weir-analytics/weir/internal/wire"
)

// remoteConfig is what Weir offers of PostHog: events, and nothing else.
const remoteConfig = `"hasFeatureFlags":false,"supportedCompression":["gzip","gzip-js"],"sessionRecording":false,"surveys":false,` +
	`"heatmaps":false,"capturePerformance":false,"autocaptureExceptions":false,"autocapture_opt_out":false`

// quietAnswer is what an address answers to any request.
type quietAnswer struct{ path, body string }

// quietAnswers are the addresses that SDKs read from, and what they find there:
// nothing, in the shape that they expect.
var quietAnswers = []quietAnswer{
	{"/array/{token}/config", "{" + remoteConfig + "}"},
	{"/array/{token}/config.js", ""},
	{"/static/{file}", ""},
	{"/static/{version}/{file}", ""},
	{"/api/surveys", `{"surveys":[]}`},
	{"/api/early_access_features", `{"earlyAccessFeatures":[]}`},
	{"/api/web_experiments", `{"experiments":[]}`},
	{"/api/product_tours", `{"product_tours":[]}`},
	{"/api/feature_flag/local_evaluation", noDefinitions},
	{"/flags/definitions", noDefinitions},
}

const noDefinitions = `{"flags":[],"group_type_mapping":{},"cohorts":{}}`

// scripts are what posthog-js loads from its server and goes on without. Other
// scripts are empty.
var scripts = map[string]string{
	"surveys.js": `(function(w){var e=w.__PosthogExtensions__=w.__PosthogExtensions__||{};e.generateSurveys=e.generateSurveys||function(){}})(window);`,
	"array.js":   `console.error("Weir does not bring posthog-js: load it from npm, or put array.js on your own site.");`,
}

// scriptable are the tokens that may stand in a script as they are.
var scriptable = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// quiet answers what SDKs ask besides sending events.
func (h Protocol) quiet(r *wire.Request) wire.Response {
	out := wire.Response{Status: http.StatusOK, ContentType: "application/json"}
	switch r.Route.Path {
	case "/flags", "/decide":
		out.Body = h.flags(r)
		return out
	case "/static/{file}", "/static/{version}/{file}":
		out.ContentType = "text/javascript; charset=utf-8"
		out.Body = []byte(scripts[r.Value("file")])
		return out
	case "/array/{token}/config.js":
		out.ContentType = "text/javascript; charset=utf-8"
		if token := r.Value("token"); scriptable.MatchString(token) {
			out.Body = fmt.Appendf(nil, `(function(w){(w._POSTHOG_REMOTE_CONFIG=w._POSTHOG_REMOTE_CONFIG||{})["%s"]={config:{%s},siteApps:[]}})(window);`,
				token, remoteConfig)
		}
		return out
	}
	for _, q := range quietAnswers {
		if q.path == r.Route.Path {
			out.Body = []byte(q.body)
		}
	}
	return out
}

// flags is the answer that there are none, in the shape of the version that the
// request asks for: 2 of /flags, 1 to 3 of /decide.
func (h Protocol) flags(r *wire.Request) []byte {
	version := r.Query().Get("v")
	body := []byte(`{"flags":{},"errorsWhileComputingFlags":false,`)
	switch {
	case r.Route.Path == "/flags" && (version == "2" || version == ""):
	case version == "1", version == "" && r.Route.Path == "/decide":
		body = append(body, `"featureFlags":[],`...)
	default:
		body = append(body, `"featureFlags":{},"featureFlagPayloads":{},`...)
	}
	if r.Route.Path == "/decide" || r.Query().Get("config") == "true" {
		body = append(append(body, remoteConfig...), `,"isAuthenticated":false,"toolbarParams":{},`...)
	}
	body = append(append(append(body, `"requestId":"`...), h.newID()...), `","evaluatedAt":`...)
	return append(strconv.AppendInt(body, r.Now.UnixMilli(), 10), '}')
}

// newID makes a random UUID, version 4.
func (h Protocol) newID() string {
	random := h.Random
	if random == nil {
		random = rand.Reader
	}
	var b [16]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		b = [16]byte{} // an answer's id is worth no error
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
