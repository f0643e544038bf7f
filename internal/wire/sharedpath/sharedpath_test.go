package sharedpath_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/mixpanel"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/sharedpath"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestRequestsOfVendorsThatShareAnAddressAreToldApart(t *testing.T) {
	for _, c := range []struct {
		name, body          string
		openPanel, mixpanel bool
	}{
		{"OpenPanel's id in the body", ` {"clientId":"c","type":"track","payload":{}}`, true, false},
		{"a type and a payload", `{"type":"track","payload":{"name":"a"}}`, true, false},
		{"a type and a payload with a token", `{"type":"track","payload":{},"api_key":"k"}`, false, false},
		{"a type alone", `{"type":"capture","event":"a","api_key":"k"}`, false, false},
		{"PostHog's own key", `{"api_key":"k","event":"a","properties":{"token":"k"}}`, false, false},
		{"PostHog's batch", `{"batch":[{"event":"a","properties":{"token":"k"}}]}`, false, false},
		{"PostHog's library", `{"event":"a","properties":{"token":"k","$lib":"web"}}`, false, false},
		{"PostHog's event with an id", `[{"event":"a","properties":{"token":"k"},"uuid":"1"}]`, false, false},
		{"Mixpanel's event", `{"event":"a","properties":{"token":"k","clientId":"x"}}`, false, true},
		{"Mixpanel's events", `[{"event":"a","properties":{"distinct_id":"u","mp_lib":"web","token":"k"}},{"api_key":"x"}]`, false, true},
		{"Mixpanel's traits", `[{"$set":{"token":1},"$token":"k","$distinct_id":"u"}]`, false, true},
		{"traits with PostHog's key", `{"$set":{"a":1},"api_key":"k","$distinct_id":"u"}`, false, false},
		{"an event without a token", `{"event":"a","properties":{}}`, false, false},
		{"an array", `[{"type":"track","payload":{}}]`, false, false},
		{"base64", `eyJ0eXBlIjoidHJhY2sifQ==`, false, false},
		{"broken JSON", `{"type":"track","payload":`, false, false},
		{"broken properties", `{"event":"a","properties":{"a":`, false, false},
		{"nothing", ``, false, false},
	} {
		if got := sharedpath.IsOpenPanel([]byte(c.body)); got != c.openPanel {
			t.Errorf("%s: OpenPanel %v", c.name, got)
		}
		if got := sharedpath.IsMixpanel([]byte(c.body)); got != c.mixpanel {
			t.Errorf("%s: Mixpanel %v", c.name, got)
		}
	}
}

func TestABatchIsAmplitudesIfItHasEvents(t *testing.T) {
	for body, want := range map[string]bool{
		`{"api_key":"k","events":[{"event_type":"a"}]}`: true, `{"events":[],"batch":[]}`: true, `{"client_upload_time":"x","events":1}`: true,
		`{"api_key":"k","batch":[{"event":"a","events":[]}]}`: false, `{"event":"a","properties":{"events":1}}`: false, `[{"events":[]}]`: false, `{"api_key":"k"}`: false, `{"a":`: false, ``: false,
	} {
		if got := sharedpath.IsAmplitude([]byte(body)); got != want {
			t.Errorf("%s: %v", body, got)
		}
	}
	all := sharedpath.Protocol{PostHog: posthog.Protocol{}, Amplitude: amplitude.Protocol{}}
	for body, want := range map[string]string{
		`{"api_key":"k","events":[{"event_type":"a","user_id":"u"}]}`:     `{"code":200,`,
		`{"api_key":"k","batch":[{"event":"a","distinct_id":"u"}]}`:       `{"status":"Ok"}`,
		wiretest.Gzipped(t, `{"api_key":"k","events":[{"user_id":"u"}]}`): `{"code":400,`,
	} {
		if _, answer, _ := wiretest.Send(t, all, wiretest.Call{Method: "POST", Path: "/batch", Body: body}); !strings.HasPrefix(string(answer.Body), want) {
			t.Errorf("%q: %s", body, answer.Body)
		}
	}
}

// other is a protocol that knows what it was given.
type other struct{ posthog.Protocol }

func (other) Decode(*wire.Request) (*wire.Decoded, error) { return &wire.Decoded{State: "mine"}, nil }

func (other) Answer(_ *wire.Request, s *wire.Decoded) wire.Response {
	return wire.Response{Status: 200, Body: []byte(s.State.(string))}
}

func (other) Refuse(*wire.Request, int, *weir.Error) wire.Response {
	return wire.Response{Status: 418}
}

func TestASharedAddressAnswersAsTheVendorWhoseRequestItIs(t *testing.T) {
	all := sharedpath.Protocol{PostHog: posthog.Protocol{}, OpenPanel: other{}, Mixpanel: mixpanel.Protocol{}}
	_, answer, err := wiretest.Send(t, all, wiretest.Call{Method: "POST", Path: "/track/", Body: `{"type":"track","payload":{}}`})
	if err != nil || string(answer.Body) != "mine" {
		t.Errorf("OpenPanel's: %s %v", answer.Body, err)
	}
	sent, answer, err := wiretest.Send(t, all, wiretest.Call{Method: "POST", Path: "/track", Body: `{"event":"a","distinct_id":"u","token":"k"}`})
	if err != nil || string(answer.Body) != `{"status":"Ok"}` || sent.Parts[0].Project != "k" {
		t.Errorf("PostHog's: %s %v", answer.Body, err)
	}
	if _, answer, _ = wiretest.Send(t, all, wiretest.Call{Method: "POST", Path: "/track", Body: `{"event":`}); answer.Status != 400 || !strings.Contains(string(answer.Body), "parse") {
		t.Errorf("PostHog's that is broken: %d %s", answer.Status, answer.Body)
	}
	r := &wire.Request{Route: wire.Route{Path: "/track"}, Header: http.Header{"Openpanel-Client-Id": {"c"}}}
	if got := all.Refuse(r, 401, weir.Errorf(weir.EUNAUTHORIZED, "x")); got.Status != 418 {
		t.Errorf("OpenPanel's that is refused: %d", got.Status)
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(`[{"event":"a","properties":{"token":"k","distinct_id":"u"}}]`))
	for _, c := range []wiretest.Call{
		{Method: "POST", Path: "/track/?verbose=1&ip=1", Body: "data=" + url.QueryEscape(encoded)},
		{Method: "GET", Path: "/track?verbose=1&data=" + url.QueryEscape(encoded)},
		{Method: "POST", Path: "/track?verbose=1", Body: wiretest.Gzipped(t, `{"event":"a","properties":{"token":"k"}}`)},
		{Method: "POST", Path: "/engage/?verbose=1", Body: `data={"$token":"k","$distinct_id":"u","$set":{"a":1}}`},
	} {
		sent, answer, err = wiretest.Send(t, all, c)
		if err != nil || string(answer.Body) != `{"status":1,"error":null}` || sent.Parts[0].Project != "k" || len(sent.Parts[0].Events) != 1 {
			t.Errorf("Mixpanel's %s: %s %v", c.Path, answer.Body, err)
		}
	}
	r = &wire.Request{Header: http.Header{}, RawQuery: "verbose=1&ip=1"}
	if got := all.Refuse(r, 429, weir.Errorf(weir.ERATELIMITED, "slow down")); string(got.Body) != `{"status":0,"error":"slow down"}` {
		t.Errorf("Mixpanel's that is refused before it is read: %s", got.Body)
	}
}
