package dump_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/dump"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/ga4"
)

func TestEventsOfGooglesMeanTheSameSentAndImported(t *testing.T) {
	for _, name := range []string{
		"page_view", "screen_view", "user_engagement", "session_start", "first_visit", "first_open",
		"purchase", "in_app_purchase", "ecommerce_purchase", "refund", "purchase_refund", "scroll", "add_to_cart",
	} {
		sent, err := ga4.Protocol{}.Decode(&wire.Request{
			Route: wire.Route{Method: http.MethodPost, Path: "/mp/collect"}, Path: "/mp/collect", Header: http.Header{},
			RawQuery: "measurement_id=G-1&api_secret=wk_key",
			Now:      time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Limits: wire.DefaultLimits(),
			Body: fmt.Appendf(nil, `{"client_id":"1.2","events":[{"name":%q,"params":{"value":5.5,"currency":"EUR","engagement_time_msec":100}}]}`, name),
		})
		if err != nil || len(sent.Parts) != 1 || len(sent.Parts[0].Events) != 1 {
			t.Fatalf("%s: %v, %v", name, sent, err)
		}
		records, err := readAll(t, "ga4", dump.Options{}, text("x", fmt.Sprintf(
			`{"event_name":%q,"event_timestamp":"1772355600000000","user_pseudo_id":"1.2","event_params":[{"key":"value","value":{"double_value":5.5}},`+
				`{"key":"currency","value":{"string_value":"EUR"}},{"key":"engagement_time_msec","value":{"int_value":"100"}}]}`, name)))
		if err != nil || len(records[0].Events) != 1 {
			t.Fatalf("%s: %v, %v", name, records, err)
		}
		a, b := sent.Parts[0].Events[0].Event, records[0].Events[0].Event
		if a.Name != b.Name || a.Revenue != b.Revenue || a.DeviceID != b.DeviceID || !sameJSON(a.Properties, b.Properties) ||
			a.Currency != b.Currency {
			t.Errorf("%s is %s of %v %s with %s when it is sent, %s of %v %s with %s when it is imported",
				name, a.Name, a.Revenue, a.Currency, a.Properties, b.Name, b.Revenue, b.Currency, b.Properties)
		}
	}
}
