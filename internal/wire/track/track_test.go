package track_test

import (
	"net/http"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/track"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestTrackTellsItsTwoVendorsApart(t *testing.T) {
	for _, c := range []struct {
		name, header, body string
		openPanel          bool
	}{
		{"OpenPanel's header", "client", `{"api_key":"k","event":"a"}`, true},
		{"OpenPanel's id in the body", "", ` {"clientId":"c","type":"track","payload":{}}`, true},
		{"a type and a payload", "", `{"type":"track","payload":{"name":"a"}}`, true},
		{"a type and a payload with a token", "", `{"type":"track","payload":{},"api_key":"k"}`, false},
		{"a type alone", "", `{"type":"capture","event":"a","api_key":"k"}`, false},
		{"an event of PostHog's", "", `{"event":"a","properties":{"token":"k","clientId":"x"}}`, false},
		{"an array", "", `[{"type":"track","payload":{}}]`, false},
		{"base64", "", `eyJ0eXBlIjoidHJhY2sifQ==`, false},
		{"broken JSON", "", `{"type":"track","payload":`, false},
		{"nothing", "", ``, false},
	} {
		r := &wire.Request{Header: http.Header{}, Body: []byte(c.body)}
		if c.header != "" {
			r.Header.Set("openpanel-client-id", c.header)
		}
		if got := track.IsOpenPanel(r); got != c.openPanel {
			t.Errorf("%s: %v", c.name, got)
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

func TestTrackAnswersAsTheVendorWhoseRequestItIs(t *testing.T) {
	both := track.Protocol{PostHog: posthog.Protocol{}, OpenPanel: other{}}
	_, answer, err := wiretest.Send(t, both, wiretest.Call{Method: "POST", Path: "/track/", Body: `{"type":"track","payload":{}}`})
	if err != nil || string(answer.Body) != "mine" {
		t.Errorf("OpenPanel's: %s %v", answer.Body, err)
	}
	sent, answer, err := wiretest.Send(t, both, wiretest.Call{Method: "POST", Path: "/track", Body: `{"event":"a","distinct_id":"u","token":"k"}`})
	if err != nil || string(answer.Body) != `{"status":"Ok"}` || sent.Parts[0].Project != "k" {
		t.Errorf("PostHog's: %s %v", answer.Body, err)
	}
	if _, answer, _ = wiretest.Send(t, both, wiretest.Call{Method: "POST", Path: "/track", Body: `{"event":`}); answer.Status != 400 || !strings.Contains(string(answer.Body), "parse") {
		t.Errorf("PostHog's that is broken: %d %s", answer.Status, answer.Body)
	}
	r := &wire.Request{Header: http.Header{"Openpanel-Client-Id": {"c"}}}
	if got := both.Refuse(r, 401, weir.Errorf(weir.EUNAUTHORIZED, "x")); got.Status != 418 {
		t.Errorf("OpenPanel's that is refused: %d", got.Status)
	}
}
