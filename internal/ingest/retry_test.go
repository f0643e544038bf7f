package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/plausible"
	"github.com/weir-analytics/weir/internal/wire/protocols"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/umami"
)

// retried is an order that a client sends again. AGENT is its user agent, NOW the time.
type retried struct {
	protocol wire.Protocol
	sayings  []saying // the last is the order
	page     bool     // of a page in a browser
}

func retries() map[string]retried {
	post := func(target, body string) saying { return saying{method: "POST", target: target, body: body} }
	panel := func(body string) saying {
		return saying{method: "POST", target: "/track", body: body, headers: map[string]string{"openpanel-client-id": "wk_a", "openpanel-sdk-name": "react-native", "openpanel-sdk-version": "1.0.0"}}
	}
	one := func(p wire.Protocol, s ...saying) retried { return retried{protocol: p, sayings: s} }
	page := func(p wire.Protocol, s ...saying) retried { return retried{protocol: p, sayings: s, page: true} }
	const app = `"$session_id":"s-1","$lib":"posthog-react-native","$os_name":"Android","$device_type":"Mobile"`
	hog := func(event, who, id, more string) saying {
		return post("/batch/", `{"api_key":"wk_a","batch":[{"event":"`+event+`","distinct_id":"`+who+`",`+id+`"timestamp":"NOW","properties":{`+app+more+`}}]}`)
	}
	const anonymous = `,"$is_identified":false,"$process_person_profile":false`
	mix := func(lib, more string) saying {
		return post("/track/", `[{"event":"order","properties":{"token":"wk_a","time":1773482400000,"mp_lib":"`+lib+`",`+more+`}}]`)
	}
	amp := func(library, who string) saying {
		return post("/2/httpapi", `{"api_key":"wk_a","events":[{"event_type":"order","insert_id":"o-1","time":1773482400000,"library":"`+library+`",`+who+`}]}`)
	}
	const tracked = `{"type":"track","event":"order","messageId":"m-1",`
	const mobile = `"context":{"library":{"name":"analytics-react-native","version":"2"},"os":{"name":"Android"}},`
	return map[string]retried{
		"native, of nobody":        page(native.Protocol{}, post("/v1/events", `{"id":"o-1","name":"order"}`)),
		"native, of a profile":     page(native.Protocol{}, post("/v1/events", `{"id":"o-1","name":"order","profile_id":"ada"}`)),
		"native, of a session":     page(native.Protocol{}, post("/v1/events", `{"id":"o-1","name":"order","session_id":"s"}`)),
		"native, of a device":      page(native.Protocol{}, post("/v1/events", `{"id":"o-1","name":"order","device_id":"d"}`)),
		"native, of a server":      one(native.Protocol{}, post("/v1/events", `{"id":"o-1","name":"order","profile_id":"ada"}`)),
		"native, after a view":     page(native.Protocol{}, post("/v1/events", `{"name":"screen_view","path":"/","session_id":"s"}`), post("/v1/events", `{"id":"o-1","name":"order","session_id":"s","profile_id":"ada"}`)),
		"native, of a visitor":     one(native.Protocol{}, post("/v1/events", `{"id":"o-1","name":"order","ip":"192.0.2.1","user_agent":"AGENT"}`)),
		"posthog, of nobody":       one(sharedVendors, hog("order", "anon", `"uuid":"o-1",`, anonymous)),
		"posthog, of a profile":    one(sharedVendors, hog("order", "ada", `"uuid":"o-1",`, `,"$is_identified":true`)),
		"posthog, without an id":   one(sharedVendors, hog("order", "ada", "", `,"$is_identified":true`)),
		"posthog, after a login":   one(sharedVendors, hog("$screen", "anon", "", anonymous), hog("order", "ada", `"uuid":"o-1",`, `,"$is_identified":true`)),
		"segment, of a device":     one(segment.Protocol{}, post("/v1/track", tracked+`"anonymousId":"d","writeKey":"wk_a"}`)),
		"segment, of a user":       one(segment.Protocol{}, post("/v1/track", tracked+mobile+`"userId":"ada","writeKey":"wk_a"}`)),
		"segment, in a browser":    page(segment.Protocol{}, post("/v1/track", tracked+`"userId":"ada","writeKey":"wk_a","context":{"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"userAgent":"AGENT"}}`)),
		"rudder, of a user":        one(segment.Protocol{}, post("/v1/track", tracked+`"userId":"ada","writeKey":"wk_a","context":{"library":{"name":"rudder-android","version":"1"},"os":{"name":"Android"},"sessionId":7}}`)),
		"mixpanel, of a device":    page(sharedVendors, mix("web", `"$insert_id":"o-1","$device_id":"d-1","distinct_id":"$device:d-1"`)),
		"mixpanel, of a profile":   one(sharedVendors, mix("android", `"$insert_id":"o-1","distinct_id":"ada"`)),
		"mixpanel, in a browser":   page(sharedVendors, mix("web", `"$insert_id":"o-1","distinct_id":"ada"`)),
		"amplitude, of a device":   page(amplitude.Protocol{}, amp("amplitude-ts/2.0.0", `"device_id":"d-1"`)),
		"amplitude, of a user":     one(amplitude.Protocol{}, amp("amplitude-android/1.0.0", `"user_id":"ada-1"`)),
		"amplitude, in a browser":  page(amplitude.Protocol{}, amp("amplitude-ts/2.0.0", `"user_id":"ada-1"`)),
		"openpanel, of nobody":     one(sharedVendors, panel(`{"type":"track","payload":{"name":"order","properties":{"__timestamp":"NOW"}}}`)),
		"openpanel, of a profile":  one(sharedVendors, panel(`{"type":"track","payload":{"name":"order","profileId":"ada","properties":{"__timestamp":"NOW"}}}`)),
		"matomo, without a cookie": page(matomo.Protocol{}, saying{method: "GET", target: "/matomo.php?idsite=wk_a&rec=1&rand=123456&h=10&m=1&s=2&url=https%3A%2F%2Fshop.example%2F"}),
		"matomo, an order":         page(matomo.Protocol{}, saying{method: "GET", target: "/matomo.php?idsite=wk_a&rec=1&rand=123456&idgoal=0&ec_id=o-1&revenue=5&url=https%3A%2F%2Fshop.example%2F"}),
		"ga4, a purchase":          one(ga4.Protocol{}, post("/mp/collect?api_secret=wk_a&firebase_app_id=1", `{"app_instance_id":"0123456789abcdef0123456789abcdef","events":[{"name":"purchase","params":{"transaction_id":"o-1","value":5,"currency":"EUR"}}]}`)),
	}
}

// without names the protocols whose clients send nothing twice. Their events have no ids, and no
// times from which ids could be made.
var without = []wire.Protocol{plausible.Protocol{}, umami.Protocol{}}

func TestRetryFromAnotherNetworkAndOnAnotherNodeIsStoredOnce(t *testing.T) {
	// Spans have ids of their own; sharedVendors has the others.
	tested := map[string]bool{"otlp.Protocol": true, "openpanel.Protocol": true, "mixpanel.Protocol": true, "posthog.Protocol": true}
	for _, p := range without {
		tested[fmt.Sprintf("%T", p)] = true
	}
	for name, c := range retries() {
		tested[fmt.Sprintf("%T", c.protocol)] = true
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			home := ingest.Remote{IP: "198.51.100.1", UserAgent: visitor.UserAgent, Page: c.page}
			away := ingest.Remote{IP: "203.0.113.9", UserAgent: visitor.UserAgent, Page: c.page}
			deliver := func(s saying, from ingest.Remote) (accepted, duplicates int) {
				fill := strings.NewReplacer("AGENT", visitor.UserAgent, "NOW", r.now.Format("2006-01-02T15:04:05.000Z"))
				s.body = fill.Replace(s.body)
				for _, part := range r.decodeAs(t, c.protocol, s, from) {
					reply, err := r.Deliver(t.Context(), r.project, part.Events, part.Rejected, from)
					if err != nil || len(reply.Rejected) > 0 {
						t.Fatalf("%+v, %v", reply, err)
					}
					accepted, duplicates = accepted+reply.Accepted, duplicates+reply.Duplicates
				}
				return accepted, duplicates
			}
			order := c.sayings[len(c.sayings)-1]
			for _, s := range c.sayings[:len(c.sayings)-1] {
				deliver(s, home)
			}
			n, _ := deliver(order, home)
			if n == 0 {
				t.Fatal("the order is not accepted")
			}
			if accepted, duplicates := deliver(order, away); accepted != 0 || duplicates != n {
				t.Errorf("from another network: %d accepted, %d duplicates", accepted, duplicates)
			}
			other := r.Config
			other.Registry = nil
			r.Ingester = ingest.New(other)
			if accepted, duplicates := deliver(order, away); accepted != 0 || duplicates != n {
				t.Errorf("on another node: %d accepted, %d duplicates", accepted, duplicates)
			}
		})
	}
	for _, p := range protocols.All(nil) {
		if name := fmt.Sprintf("%T", p); !tested[name] {
			t.Errorf("%s has no order that is sent again", name)
		}
	}
}

func TestSessionKeepsTheDeviceOfItsFirstAddress(t *testing.T) {
	r := newRig(t)
	first := r.sent(`{"name":"x","session_id":"s"}`, browser).DeviceID
	away := ingest.Remote{IP: "203.0.113.9", UserAgent: browser.UserAgent}
	if again := r.sent(`{"name":"x","session_id":"s"}`, away).DeviceID; again != first {
		t.Errorf("the session has the device %q, then %q", first, again)
	}
	if other := r.sent(`{"name":"x","session_id":"null"}`, browser).DeviceID; other != first {
		t.Errorf("%q: want the device of the address, %q", other, first)
	}
	if other := r.sent(`{"name":"x","session_id":"null"}`, away).DeviceID; other == first {
		t.Error("a session that is nobody's keeps a device")
	}
}
