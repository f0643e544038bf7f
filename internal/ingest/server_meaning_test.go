package ingest_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/amplitude"
	"github.com/weir-analytics/weir/internal/wire/ga4"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/umami"
)

// An event of a server is about the person that the server names. It has no device, browser or
// country, because those of the request are the server's own.
func TestEventFromAServerHasNeitherItsDeviceNorItsCountry(t *testing.T) {
	for vendor, v := range serverTellings() {
		t.Run(vendor, func(t *testing.T) {
			r := newRig(t)
			v.saying.part = vendor
			events := r.tellAs(t, v.protocol, v.saying, ingest.Remote{IP: visitor.IP, UserAgent: v.agent})
			if len(events) != 1 {
				t.Fatalf("%d events", len(events))
			}
			want := told{Name: "purchase", Profile: "ada", Revenue: 12.5, Currency: "EUR", Properties: map[string]any{"order_id": "o-1"}}
			v.but(&want)
			if diff := cmp.Diff(want, r.heard(&events[0])); diff != "" {
				t.Error(diff)
			}
		})
	}
}

type serverTelling struct {
	protocol wire.Protocol
	agent    string
	saying   saying
	but      func(*told)
}

func serverTellings() map[string]serverTelling {
	same := func(*told) {}
	return map[string]serverTelling{
		"posthog-node": {sharedVendors, "posthog-node/5.70.0", saying{method: "POST", target: "/batch/", body: `{"api_key":"wk_a","batch":[{"type":"capture","event":"purchase","distinct_id":"ada","library":"posthog-node",` +
			`"properties":{"$lib":"posthog-node","$lib_version":"5.70.0","$is_server":true,"$geoip_disable":true,"$os":"Linux","order_id":"o-1","revenue":12.5,"currency":"EUR"}}]}`}, same},
		"posthog-go": {sharedVendors, "posthog-go/1.6", saying{method: "POST", target: "/batch/", body: `{"api_key":"wk_a","batch":[{"event":"purchase","distinct_id":"ada",` +
			`"properties":{"$lib":"posthog-go","$lib_version":"1.6.0","order_id":"o-1","revenue":12.5,"currency":"EUR"}}]}`}, same},
		"segment-node": {segment.Protocol{}, "analytics-node-next/latest", saying{method: "POST", target: "/v1/batch", body: `{"writeKey":"wk_a","batch":[{"type":"track","messageId":"m","userId":"ada","event":"purchase",` +
			`"properties":{"order_id":"o-1","revenue":12.5,"currency":"EUR"},"context":{"library":{"name":"@segment/analytics-node","version":"3.1.0"}}}]}`}, same},
		"openpanel-node": {sharedVendors, "node", saying{method: "POST", target: "/track", headers: map[string]string{"openpanel-client-id": "wk_a"}, body: `{"type":"track","payload":{"name":"purchase","profileId":"ada","properties":{"order_id":"o-1","__revenue":1250,"currency":"EUR"}}}`}, same},
		"amplitude-node": {amplitude.Protocol{}, "", saying{method: "POST", target: "/2/httpapi", body: `{"api_key":"wk_a","events":[{"insert_id":"m","user_id":"ada","event_type":"purchase","event_properties":{"order_id":"o-1"},"revenue":12.5,"currency":"EUR","library":"amplitude-node-ts/1.5.73"}]}`}, same},
		"mixpanel-node":  {sharedVendors, "", saying{method: "GET", target: "/track?ip=0&data=" + url.QueryEscape(`{"event":"purchase","properties":{"distinct_id":"ada","order_id":"o-1","revenue":12.5,"currency":"EUR","token":"wk_a","mp_lib":"node","$lib_version":"0.24.0"}}`)}, same},
		"umami-node":     {umami.Protocol{}, "Mozilla/5.0 Umami/v22.1.0", saying{method: "POST", target: "/api/send", body: `{"type":"event","payload":{"website":"wk_a","id":"ada","name":"purchase","data":{"order_id":"o-1","revenue":12.5,"currency":"EUR"}}}`}, same},
		"ga4": {
			ga4.Protocol{},
			"python-requests/2.32",
			saying{method: "POST", target: "/mp/collect?api_secret=wk_a&measurement_id=G-1", body: `{"client_id":"d-1","user_id":"ada","events":[{"name":"purchase","params":{"order_id":"o-1","value":12.5,"currency":"EUR"}}]}`},
			func(x *told) { x.Device = "d-1" },
		},
		"matomo": {
			matomo.Protocol{},
			"python-requests/2.32",
			saying{method: "POST", target: "/matomo.php", body: "idsite=wk_a&rec=1&uid=ada&idgoal=0&ec_id=o-1&revenue=12.5"},
			func(x *told) { x.Currency = "" },
		},
	}
}
