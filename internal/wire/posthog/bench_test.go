package posthog_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/posthog"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// sampleEvent is an event as posthog-js sends it, of 70 properties, 20 of them null.
// %[1]d is a number of three digits.
const sampleEvent = `{"uuid":"01a20051-deab-728b-ae29-da8becb%05[1]d","event":"signup_started","properties":{"$os":"Linux",` +
	`"$browser":"Chrome","$device_type":"Desktop","$timezone":"UTC","$timezone_offset":0,` +
	`"$current_url":"http://shop.example/page/%[1]d?utm_source=newsletter&utm_medium=email&utm_campaign=spring&gclid=x1",` +
	`"$host":"shop.example","$pathname":"/page/%[1]d",` +
	`"$raw_user_agent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",` +
	`"$browser_version":140,"$browser_language":"en-US","$browser_language_prefix":"en","$screen_height":600,"$screen_width":800,` +
	`"$viewport_height":437,"$viewport_width":780,"$lib":"web","$lib_version":"1.430.0","$insert_id":"himk83tmox1%05[1]d",` +
	`"$time":1795301695.147,"$sdk_dist_channel":"cdn","$initialization_time":"2026-11-21T22:54:54.324Z",` +
	`"$configured_session_timeout_ms":1800000,"distinct_id":"01a20051-db7a-7dca-b6ac-ffdfd5a%05[1]d",` +
	`"$device_id":"01a20051-db7a-7dca-b6ac-ffdfd5a%05[1]d","$web_vitals_enabled_server_side":false,` +
	`"$exception_capture_enabled_server_side":false,"$sdk_debug_extensions_init_method":"synchronous",` +
	`"$sdk_debug_extensions_init_time_ms":3,"li_fat_id":null,"utm_source":"newsletter","utm_medium":"email","utm_campaign":"spring",` +
	`"utm_content":null,"utm_term":null,"gad_source":null,"mc_cid":null,"gclid":"x1","gclsrc":null,"dclid":null,"gbraid":null,` +
	`"wbraid":null,"fbclid":null,"msclkid":null,"twclid":null,"igshid":null,"ttclid":null,"rdt_cid":null,"epik":null,"qclid":null,` +
	`"sccid":null,"irclid":null,"_kx":null,"$referrer":"$direct","$referring_domain":"$direct","plan":"pro","seats":%[1]d,` +
	`"nested":{"a":[1,2]},"text":"Größe \"XL\"","token":"wk_0123456789abcdefghijklmnopqrstuv","$config_defaults":"unset",` +
	`"$session_id":"01a20051-dba1-7c9f-b548-b92aa99%05[1]d","$window_id":"01a20051-dba1-7c9f-b548-b92b1af4b586",` +
	`"$session_entry_referrer":"$direct","$session_entry_referring_domain":"$direct",` +
	`"$session_entry_url":"http://shop.example/page?utm_source=newsletter&utm_medium=email&utm_campaign=spring&gclid=x1",` +
	`"$session_entry_host":"shop.example","$session_entry_pathname":"/page","$session_entry_utm_source":"newsletter",` +
	`"$session_entry_utm_medium":"email","$session_entry_utm_campaign":"spring","$session_entry_gclid":"x1",` +
	`"$recording_status":"disabled","$sdk_debug_retry_queue_size":0,"$lib_custom_api_host":"http://weir.example",` +
	`"$pageview_id":"01a20051-db8f-75a0-8e85-38cee0a462bb","$browser_type":"browser","$is_identified":false,` +
	`"$process_person_profile":true,"$lib_rate_limit_remaining_tokens":99},"timestamp":"2026-01-02T03:54:55.%03[1]dZ"}`

// eventBatch makes a request of n events as posthog-js sends it.
func eventBatch(n int) []byte {
	events := make([]string, n)
	for i := range events {
		events[i] = fmt.Sprintf(sampleEvent, 100+i)
	}
	return []byte(`{"api_key":"wk_0123456789abcdefghijklmnopqrstuv","batch":[` + strings.Join(events, ",") + `],"sent_at":"2026-01-02T03:59:59.000Z"}`)
}

func request(body []byte) *wire.Request {
	return &wire.Request{
		Route: wire.Route{Method: http.MethodPost, Path: "/e"}, Path: "/e/", Header: http.Header{}, Body: body,
		IP: "203.0.113.9", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		Now: wiretest.BenchNow, Limits: wire.DefaultLimits(),
	}
}

// BenchmarkPostHog decodes a batch of 100 events of posthog-js; json.Valid and
// encoding/json on the same text are what to hold it against.
func BenchmarkPostHog(b *testing.B) {
	e, err := enrich.New(enrich.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	body := eventBatch(100)
	run := func(name string, f func(b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				f(b)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/event")
		})
	}
	run("wire", func(b *testing.B) {
		s, err := posthog.Protocol{}.Decode(request(body))
		if err != nil || len(s.Parts[0].Events) != 100 {
			b.Fatal(s, err)
		}
	})
	run("wire and enrich", func(b *testing.B) {
		s, err := posthog.Protocol{}.Decode(request(body))
		if err != nil {
			b.Fatal(err)
		}
		for i := range s.Parts[0].Events {
			in := &s.Parts[0].Events[i]
			in.Source.IP = "203.0.113.9"
			e.Apply(in, nil)
		}
	})
	run("json.Valid", func(b *testing.B) {
		if !json.Valid(body) {
			b.Fatal("not valid")
		}
	})
	run("encoding/json", func(b *testing.B) {
		var v struct{ Batch []map[string]any }
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&v); err != nil {
			b.Fatal(err)
		}
	})
}
