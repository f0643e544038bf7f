package posthog_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// protocol has no random numbers.
var protocol = posthog.Protocol{Random: zeros{}}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

var sDKs = []string{"posthog-js", "posthog-node", "posthog-node-v1"}

func TestPostHogGolden(t *testing.T) { wiretest.Golden(t, protocol) }

func TestPostHogTakesWhatItsSDKsSend(t *testing.T) {
	for _, sdk := range sDKs {
		t.Run(sdk, func(t *testing.T) { wiretest.Recordings(t, protocol, sdk, wiretest.Now) })
	}
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
		wrap func(body string) wiretest.Call
	}{
		{"plain", func(s string) wiretest.Call { return wiretest.Call{Body: s} }},
		{"gzip with its header", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "gzip"}, Body: wiretest.Gzipped(t, s)}
		}},
		{"gzip with a parameter", func(s string) wiretest.Call {
			return wiretest.Call{Path: "?compression=gzip-js&ver=1.430.0", Body: wiretest.Gzipped(t, s)}
		}},
		{"gzip without a hint", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Type", "text/plain"}, Body: wiretest.Gzipped(t, s)}
		}},
		{"gzip named gzip-js", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "gzip-js"}, Body: wiretest.Gzipped(t, s)}
		}},
		{"zstd", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "zstd"}, Body: wiretest.Zstded(t, s)}
		}},
		{"deflate", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "deflate"}, Body: wiretest.Deflated(t, s)}
		}},
		{"brotli", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "br"}, Body: wiretest.Brotlied(t, s)}
		}},
		{"base64", func(s string) wiretest.Call { return wiretest.Call{Body: b64(s)} }},
		{"base64 without padding, for URLs", func(s string) wiretest.Call {
			return wiretest.Call{Body: base64.RawURLEncoding.EncodeToString([]byte(s))}
		}},
		{"base64 with its header", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "base64"}, Body: b64(s)}
		}},
		{"base64 of gzip", func(s string) wiretest.Call { return wiretest.Call{Body: b64(wiretest.Gzipped(t, s))} }},
		{"gzip of base64", func(s string) wiretest.Call { return wiretest.Call{Body: wiretest.Gzipped(t, b64(s))} }},
		{"lz64", func(s string) wiretest.Call { return wiretest.Call{Path: "?compression=lz64", Body: packedLZ(t, s)} }},
		{"form", func(s string) wiretest.Call { return wiretest.Call{Body: url.Values{"data": {s}}.Encode()} }},
		{"form of base64", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Type", "application/x-www-form-urlencoded"}, Body: "data=" + url.QueryEscape(b64(s))}
		}},
		{"form of base64 whose plus is a space", func(s string) wiretest.Call { return wiretest.Call{Body: "compression=base64&data=" + b64(s)} }},
		{"form of lz64", func(s string) wiretest.Call {
			return wiretest.Call{Body: url.Values{"data": {packedLZ(t, s)}, "compression": {"lz64"}}.Encode()}
		}},
		{"form that is gzipped", func(s string) wiretest.Call {
			return wiretest.Call{Headers: []string{"Content-Encoding", "gzip"}, Body: wiretest.Gzipped(t, "data="+url.QueryEscape(b64(s)))}
		}},
		{"query", func(s string) wiretest.Call { return wiretest.Call{Method: "GET", Path: "?data=" + url.QueryEscape(s)} }},
		{"query of base64", func(s string) wiretest.Call {
			return wiretest.Call{Method: "GET", Path: "?data=" + url.QueryEscape(b64(s)) + "&ip=1"}
		}},
		{"with a byte order mark and spaces", func(s string) wiretest.Call { return wiretest.Call{Body: "\ufeff \n" + s + "\n "} }},
	}
	golden := "testdata/shapes.want"
	for shape, body := range bodies {
		for _, w := range wrappings {
			c := w.wrap(body)
			c.Path = "/e/" + c.Path
			if c.Method == "" {
				c.Method = "POST"
			}
			t.Run(shape+" "+w.name, func(t *testing.T) { wiretest.CheckFile(t, golden, wiretest.Outcome(protocol, c.Request(t, protocol))) })
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
	if _, answer, err := wiretest.Send(t, posthog.Protocol{}, wiretest.Call{Method: "POST", Path: "/e/", Body: body}); weir.ErrorCode(err) != weir.EINVALID || answer.Status != 400 {
		t.Errorf("%d %v", answer.Status, err)
	}
}

func TestPostHogsBatchOverTheLimitIsRefusedSoThatTheSDKHalvesIt(t *testing.T) {
	body := `{"api_key":"k","batch":[` + strings.Repeat(`{"event":"a","distinct_id":"u"},`, 50_000) + `{"event":"a","distinct_id":"u"}]}`
	if _, answer, err := wiretest.Send(t, posthog.Protocol{}, wiretest.Call{Method: "POST", Path: "/batch/", Body: body}); weir.ErrorCode(err) != weir.ETOOLARGE || answer.Status != 413 {
		t.Errorf("%d %v", answer.Status, err)
	}
	v1 := `{"created_at":"2026-03-01T12:00:00Z","batch":[` + strings.Repeat(`{},`, 50_000) + `{}]}`
	_, answer, err := wiretest.Send(t, posthog.Protocol{}, wiretest.Call{Method: "POST", Path: "/i/v1/analytics/events", Headers: []string{"Authorization", "Bearer k"}, Body: v1})
	if weir.ErrorCode(err) != weir.ETOOLARGE || answer.Status != 413 || !strings.Contains(string(answer.Body), "payload_too_large") {
		t.Errorf("v1: %d %s %v", answer.Status, answer.Body, err)
	}
}

// Events of one request whose names are the same in properties and beside are
// taken, not refused for a name that is there twice.
func TestPostHogsOwnPropertiesNeverCollideWithThoseOfWeir(t *testing.T) {
	sent, answer, err := wiretest.Send(t, posthog.Protocol{}, wiretest.Call{Method: "POST", Path: "/e/", Body: `{"api_key":"k","batch":[` +
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

func TestPostHogV1AnswerHasTheResultOfEachEvent(t *testing.T) {
	body := `{"created_at":"2026-03-01T12:00:00Z","batch":[` +
		`{"event":"a","uuid":"0190b2f0-0000-7000-8000-000000000001","distinct_id":"u","timestamp":"2026-03-01T12:00:00Z"},` +
		`{"event":"b","uuid":"0190b2f0-0000-7000-8000-000000000002","distinct_id":"u","timestamp":"2026-03-01T12:00:00Z"}]}`
	sent, _, err := wiretest.Send(t, posthog.Protocol{}, wiretest.Call{Method: "POST", Path: "/i/v1/analytics/events", Headers: []string{"Authorization", "bearer k"}, Body: body})
	if err != nil {
		t.Fatal(err)
	}
	sent.Parts[0].Rejected = []weir.Rejection{{Index: 1, Reason: "quota_exceeded"}}
	sent.Parts[0].Duplicates = 1
	answer := posthog.Protocol{}.Answer(&wire.Request{Route: wire.Route{Path: "/i/v1/analytics/events"}}, sent)
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
		if got := (posthog.Protocol{}).Refuse(&wire.Request{}, c.status, failure); got.Status != c.status || string(got.Body) != "sorry" {
			t.Errorf("%d: %d %s", c.status, got.Status, got.Body)
		}
		got := (posthog.Protocol{}).Refuse(&wire.Request{Route: wire.Route{Path: "/i/v1/analytics/events"}}, c.status, failure)
		if want := `{"error":"` + c.v1 + `","error_description":"sorry"}`; got.Status != c.status || string(got.Body) != want {
			t.Errorf("v1, %d: %d %s", c.status, got.Status, got.Body)
		}
	}
}

func TestEachAnswerAboutFlagsHasAnIDOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		_, answer, err := wiretest.Send(t, posthog.Protocol{}, wiretest.Call{Method: "POST", Path: "/flags/?v=2"})
		var got struct {
			Flags       map[string]any
			RequestID   string `json:"requestId"`
			EvaluatedAt int64
		}
		if err != nil || json.Unmarshal(answer.Body, &got) != nil || got.Flags == nil || len(got.RequestID) != 36 || seen[got.RequestID] {
			t.Errorf("%s %v", answer.Body, err)
		}
		if !time.UnixMilli(got.EvaluatedAt).Equal(wiretest.Now.Truncate(time.Millisecond)) {
			t.Errorf("evaluated at %d", got.EvaluatedAt)
		}
		seen[got.RequestID] = true
	}
}
