package amplitude_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func TestAmplitudeGolden(t *testing.T) { wiretest.Golden(t, amplitude.Protocol{}) }

func TestAmplitudesSDKsAreUnderstood(t *testing.T) {
	at := time.Date(2026, 11, 29, 11, 37, 30, 0, time.UTC)
	for _, sdk := range []string{"amplitude-node", "amplitude-browser"} {
		t.Run(sdk, func(t *testing.T) { wiretest.Recordings(t, amplitude.Protocol{}, sdk, at) })
	}
}

func TestARequestOfTooManyEventsIsRefused(t *testing.T) {
	for target, body := range map[string]string{
		"/2/httpapi":     `{"api_key":"k","events":[` + strings.Repeat(`{"user_id":"u","event_type":"$identify","user_properties":{"$append":{}}},`, 5) + `{}]}`,
		"/identify":      `api_key=k&identification=[` + strings.Repeat(`{"user_id":"u"},`, 5) + `{}]`,
		"/groupidentify": `api_key=k&identification=[` + strings.Repeat(`{},`, 5) + `{}]`,
	} {
		r := wiretest.Request(t, amplitude.Protocol{}, "POST", target, http.Header{}, []byte(body))
		r.Limits.Events = 5
		if _, err := (amplitude.Protocol{}).Decode(r); weir.ErrorCode(err) != weir.ETOOLARGE {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// An SDK sends refused events again for ever if the code in the body is not the status, or if a
// 400 does not say which events are wrong.
func TestRefusalsHaveTheirCodeInTheBody(t *testing.T) {
	for _, c := range []struct {
		status int
		code   string
		want   string
	}{
		{401, weir.EUNAUTHORIZED, `{"code":400,"error":"Invalid API key: why"}`},
		{413, weir.ETOOLARGE, `{"code":413,"error":"why"}`},
		{429, weir.ERATELIMITED, `{"code":429,"error":"why","eps_threshold":0,"throttled_devices":{},"throttled_users":{},"throttled_events":[]}`},
		{503, weir.EUNAVAILABLE, `{"code":503,"error":"why"}`},
	} {
		r := &wire.Request{Route: wire.Route{Path: "/2/httpapi"}}
		got := amplitude.Protocol{}.Refuse(r, c.status, weir.Errorf(c.code, "why"))
		if string(got.Body) != c.want || got.Status != c.status && c.status != 401 {
			t.Errorf("%d: %d %s", c.status, got.Status, got.Body)
		}
	}
}

// FuzzAmplitude checks what holds for any request.
func FuzzAmplitude(f *testing.F) {
	targets := []string{"/2/httpapi", "/batch", "/identify", "/groupidentify"}
	wiretest.EachGolden(f, amplitude.Protocol{}, func(_ string, r *wire.Request) {
		for i := range targets {
			f.Add(r.Body, uint8(i))
		}
	})
	for _, seed := range []string{
		`{"api_key":"k","events":[{"event_type":"$identify","user_id":"u","user_properties":{"$set":{"a":1,"\u0061":2},"$unset":{"\u0000":1,"b":{}},"$set":[]}}]}`,
		`{"api_key":"k","events":[{"event_type":"a","device_id":"d","event_properties":{"$price":1e308,"$quantity":1e308,"$productId":{},"productId":1},"groups":[],"user_properties":1}]}`,
		`{"api_key":"k","events":[{"event_type":"$groupidentify","groups":{"":[[],1]},"group_properties":{"$set":{"group_type":1},"x":2}}],"events":[]}`,
	} {
		f.Add([]byte(seed), uint8(0))
	}
	f.Fuzz(func(t *testing.T, body []byte, which uint8) {
		defer wiretest.Bounded(t)()
		h := http.Header{}
		if which > 128 {
			h.Set("Origin", "https://shop.example")
		}
		r := wiretest.Request(t, amplitude.Protocol{}, "POST", targets[int(which)%len(targets)], h, body)
		r.Limits = wiretest.SmallLimits()
		r.Limits.Body, r.Limits.Decoded = 4000, 8000
		wiretest.CheckOutcome(t, amplitude.Protocol{}, r)
	})
}
