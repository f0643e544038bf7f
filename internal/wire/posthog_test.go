package wire_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// posthogProtocol has no random numbers.
var posthogProtocol = wire.PostHog{Random: zeros{}}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

var posthogSDKs = []string{"posthog-js", "posthog-node", "posthog-node-v1"}

func TestPostHogGolden(t *testing.T) { checkGolden(t, posthogProtocol) }

func TestPostHogTakesWhatItsSDKsSend(t *testing.T) {
	for _, sdk := range posthogSDKs {
		t.Run(sdk, func(t *testing.T) { checkRecordings(t, posthogProtocol, sdk, now) })
	}
}

// call is a request as it comes to the server.
type call struct {
	method, path string // the path with its query
	headers      []string
	body         string
}

func (c call) request(t testing.TB, p wire.Protocol) *wire.Request {
	h := http.Header{"User-Agent": {chromium}}
	for i := 0; i+1 < len(c.headers); i += 2 {
		h.Set(c.headers[i], c.headers[i+1])
	}
	return asked(t, p, c.method, c.path, h, []byte(c.body))
}

// posthogSent is what a call is decoded to and answered with.
func posthogSent(t testing.TB, p wire.Protocol, c call) (sent *wire.Decoded, answer wire.Response, err error) {
	t.Helper()
	answer, err = told(p, c.request(t, p), func(s *wire.Decoded) { sent = s })
	return sent, answer, err
}

// What the shapes hold: one event, with its token.
const shapedEvent = `{"uuid":"0190b2f0-0000-7000-8000-000000000001","event":"$pageview","distinct_id":"ada","token":"wk_key",` +
	`"timestamp":"2026-03-01T11:59:59Z","properties":{"$current_url":"https://shop.example/a?b=1+2","title":"Größe + 漢字 😀","n":[1,{"a":null}]}}`

// The same events come of every form that a body of PostHog's has.
func TestPostHogsShapesMeanTheSame(t *testing.T) {
	bodies := map[string]string{
		"single": shapedEvent,
		"array":  "[" + shapedEvent + "]",
		"batch":  `{"api_key":"wk_key","batch":[` + shapedEvent + `]}`,
	}
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	wrappings := []struct {
		name string
		wrap func(body string) call
	}{
		{"plain", func(s string) call { return call{body: s} }},
		{"gzip with its header", func(s string) call { return call{headers: []string{"Content-Encoding", "gzip"}, body: gzipped(t, s)} }},
		{"gzip with a parameter", func(s string) call { return call{path: "?compression=gzip-js&ver=1.430.0", body: gzipped(t, s)} }},
		{"gzip without a hint", func(s string) call { return call{headers: []string{"Content-Type", "text/plain"}, body: gzipped(t, s)} }},
		{"gzip named gzip-js", func(s string) call {
			return call{headers: []string{"Content-Encoding", "gzip-js"}, body: gzipped(t, s)}
		}},
		{"zstd", func(s string) call { return call{headers: []string{"Content-Encoding", "zstd"}, body: zstded(t, s)} }},
		{"deflate", func(s string) call {
			return call{headers: []string{"Content-Encoding", "deflate"}, body: deflated(t, s)}
		}},
		{"brotli", func(s string) call { return call{headers: []string{"Content-Encoding", "br"}, body: brotlied(t, s)} }},
		{"base64", func(s string) call { return call{body: b64(s)} }},
		{"base64 without padding, for URLs", func(s string) call { return call{body: base64.RawURLEncoding.EncodeToString([]byte(s))} }},
		{"base64 with its header", func(s string) call { return call{headers: []string{"Content-Encoding", "base64"}, body: b64(s)} }},
		{"base64 of gzip", func(s string) call { return call{body: b64(gzipped(t, s))} }},
		{"gzip of base64", func(s string) call { return call{body: gzipped(t, b64(s))} }},
		{"lz64", func(s string) call { return call{path: "?compression=lz64", body: packedLZ(t, s)} }},
		{"form", func(s string) call { return call{body: url.Values{"data": {s}}.Encode()} }},
		{"form of base64", func(s string) call {
			return call{headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, body: "data=" + url.QueryEscape(b64(s))}
		}},
		{"form of base64 whose plus is a space", func(s string) call { return call{body: "compression=base64&data=" + b64(s)} }},
		{"form of lz64", func(s string) call {
			return call{body: url.Values{"data": {packedLZ(t, s)}, "compression": {"lz64"}}.Encode()}
		}},
		{"form that is gzipped", func(s string) call {
			return call{headers: []string{"Content-Encoding", "gzip"}, body: gzipped(t, "data="+url.QueryEscape(b64(s)))}
		}},
		{"query", func(s string) call { return call{method: "GET", path: "?data=" + url.QueryEscape(s)} }},
		{"query of base64", func(s string) call {
			return call{method: "GET", path: "?data=" + url.QueryEscape(b64(s)) + "&ip=1"}
		}},
		{"with a byte order mark and spaces", func(s string) call { return call{body: "\ufeff \n" + s + "\n "} }},
	}
	golden := "testdata/posthog/shapes.want"
	for shape, body := range bodies {
		for _, w := range wrappings {
			c := w.wrap(body)
			c.path = "/e/" + c.path
			if c.method == "" {
				c.method = "POST"
			}
			t.Run(shape+" "+w.name, func(t *testing.T) { checkFile(t, golden, outcome(posthogProtocol, c.request(t, posthogProtocol))) })
		}
	}
}

// packedLZ looks a text up among what npm's lz-string made.
func packedLZ(t *testing.T, text string) string {
	t.Helper()
	for _, v := range lzVectors(t) {
		if v.Text == text {
			return v.Packed
		}
	}
	t.Fatalf("testdata/lzstring.json has no %.60q", text)
	return ""
}

func TestPostHogsWrappingsAreBounded(t *testing.T) {
	body := `{"api_key":"k","event":"a","distinct_id":"u"}`
	for range 8 {
		body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	if _, answer, err := posthogSent(t, wire.PostHog{}, call{method: "POST", path: "/e/", body: body}); weir.ErrorCode(err) != weir.EINVALID || answer.Status != 400 {
		t.Errorf("%d %v", answer.Status, err)
	}
}

func TestPostHogsBatchOverTheLimitIsRefusedSoThatTheSDKHalvesIt(t *testing.T) {
	body := `{"api_key":"k","batch":[` + strings.Repeat(`{"event":"a","distinct_id":"u"},`, 50_000) + `{"event":"a","distinct_id":"u"}]}`
	if _, answer, err := posthogSent(t, wire.PostHog{}, call{method: "POST", path: "/batch/", body: body}); weir.ErrorCode(err) != weir.ETOOLARGE || answer.Status != 413 {
		t.Errorf("%d %v", answer.Status, err)
	}
	v1 := `{"created_at":"2026-03-01T12:00:00Z","batch":[` + strings.Repeat(`{},`, 50_000) + `{}]}`
	_, answer, err := posthogSent(t, wire.PostHog{}, call{method: "POST", path: "/i/v1/analytics/events", headers: []string{"Authorization", "Bearer k"}, body: v1})
	if weir.ErrorCode(err) != weir.ETOOLARGE || answer.Status != 413 || !strings.Contains(string(answer.Body), "payload_too_large") {
		t.Errorf("v1: %d %s %v", answer.Status, answer.Body, err)
	}
}

// Events of one request whose names are the same in properties and beside are
// taken, not refused for a name that is there twice.
func TestPostHogsOwnPropertiesNeverCollideWithThoseOfWeir(t *testing.T) {
	sent, answer, err := posthogSent(t, wire.PostHog{}, call{method: "POST", path: "/e/", body: `{"api_key":"k","batch":[` +
		`{"event":"a","distinct_id":"u","properties":{"screen":"main","$screen_width":1,"$screen_height":2}},` +
		`{"event":"a","distinct_id":"u","properties":{"$currency":"EUR","currency":"usd"}},` +
		`{"event":"a","distinct_id":"u","properties":{"$revenue":1,"revenue":2,"$currency":"EUR","currency":"usd"}},` +
		`{"event":"$create_alias","distinct_id":"u","properties":{"alias":"b","$alias":"c"}},` +
		`{"event":"$groupidentify","distinct_id":"u","properties":{"$group_type":"t","$group_key":"k","$group_set":{"group_id":1,"group_type":2}}},` +
		`{"event":"$identify","distinct_id":"u","$set":{"a":1},"properties":{"$set":{"a":2}}}]}`})
	if err != nil || answer.Status != 200 || len(sent.Parts[0].Rejected) != 0 || len(sent.Parts[0].Events) != 6 {
		t.Fatalf("%d %v %+v", answer.Status, err, sent)
	}
	var got []string
	for _, e := range sent.Parts[0].Events {
		got = append(got, string(e.Event.Properties))
	}
	want := []string{
		`{"screen":"main"}`, `{"currency":"usd"}`, `{"revenue":2,"currency":"usd"}`, `{"$alias":"b"}`, `{"group_type":"t","group_id":"k"}`, `{"$set":{"a":1}}`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestAnAnswerOfV1TellsWhatBecameOfEachEventOnDelivery(t *testing.T) {
	body := `{"created_at":"2026-03-01T12:00:00Z","batch":[` +
		`{"event":"a","uuid":"0190b2f0-0000-7000-8000-000000000001","distinct_id":"u","timestamp":"2026-03-01T12:00:00Z"},` +
		`{"event":"b","uuid":"0190b2f0-0000-7000-8000-000000000002","distinct_id":"u","timestamp":"2026-03-01T12:00:00Z"}]}`
	sent, _, err := posthogSent(t, wire.PostHog{}, call{method: "POST", path: "/i/v1/analytics/events", headers: []string{"Authorization", "bearer k"}, body: body})
	if err != nil {
		t.Fatal(err)
	}
	sent.Parts[0].Rejected = []weir.Rejection{{Index: 1, Reason: "quota_exceeded"}}
	sent.Parts[0].Duplicates = 1
	answer := wire.PostHog{}.Answer(&wire.Request{Route: wire.Route{Path: "/i/v1/analytics/events"}}, sent)
	want := `{"results":{"0190b2f0-0000-7000-8000-000000000001":{"result":"ok"},"0190b2f0-0000-7000-8000-000000000002":{"result":"retry","details":"quota_exceeded"}}}`
	if string(answer.Body) != want || answer.Status != 200 {
		t.Errorf("%d %s", answer.Status, answer.Body)
	}
}

func TestPostHogsErrorsOfTheServerAreTheVendors(t *testing.T) {
	for _, c := range []struct {
		status int
		v1     string
	}{{429, "rate_limited"}, {503, "service_unavailable"}, {500, "internal_error"}, {413, "payload_too_large"}, {401, "invalid_api_token"}} {
		failure := weir.Errorf(weir.EINTERNAL, "sorry")
		if got := (wire.PostHog{}).Refuse(&wire.Request{}, c.status, failure); got.Status != c.status || string(got.Body) != "sorry" {
			t.Errorf("%d: %d %s", c.status, got.Status, got.Body)
		}
		got := (wire.PostHog{}).Refuse(&wire.Request{Route: wire.Route{Path: "/i/v1/analytics/events"}}, c.status, failure)
		if want := `{"error":"` + c.v1 + `","error_description":"sorry"}`; got.Status != c.status || string(got.Body) != want {
			t.Errorf("v1, %d: %d %s", c.status, got.Status, got.Body)
		}
	}
}

func TestEachAnswerAboutFlagsHasAnIDOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		_, answer, err := posthogSent(t, wire.PostHog{}, call{method: "POST", path: "/flags/?v=2"})
		var got struct {
			Flags       map[string]any
			RequestID   string `json:"requestId"`
			EvaluatedAt int64
		}
		if err != nil || json.Unmarshal(answer.Body, &got) != nil || got.Flags == nil || len(got.RequestID) != 36 || seen[got.RequestID] {
			t.Errorf("%s %v", answer.Body, err)
		}
		if !time.UnixMilli(got.EvaluatedAt).Equal(now.Truncate(time.Millisecond)) {
			t.Errorf("evaluated at %d", got.EvaluatedAt)
		}
		seen[got.RequestID] = true
	}
}
