package segment_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/segment"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// callBatch makes a batch of n calls as analytics-next sends them from a browser, or
// analytics-node from a server: page views, events and purchases.
func callBatch(n int, browser bool) []byte {
	var b bytes.Buffer
	b.WriteString(`{"writeKey":"wk_0123456789abcdefghijklmnopqrstuv","batch":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		page := fmt.Sprintf(`"path":"/products/%d","referrer":"https://www.example.org/search","search":"?utm_source=news&utm_medium=email","title":"Caf\u00e9 – product %d","url":"https://shop.example.com/products/%d?utm_source=news&utm_medium=email"`, i, i, i)
		call := `"type":"page","properties":{` + page + `,"name":"Product"},"name":"Product"`
		switch i % 3 {
		case 1:
			call = fmt.Sprintf(`"event":"Product Viewed","type":"track","properties":{"product_id":"A-%d","price":12.5,"quantity":%d,"variant":"b","signed_in":true,"tags":["a","b"]}`, i, i%7)
		case 2:
			call = fmt.Sprintf(`"event":"Order Completed","type":"track","properties":{"order_id":"o-%d","revenue":%d.99,"currency":"EUR","products":[{"sku":"A-%d","n":2,"price":12.5},{"sku":"B-17","n":1,"price":4.25}],"coupon":null}`, i, 20+i, i)
		}
		ts := time.Date(2026, 1, 2, 3, 4, 5, i*1e6, time.UTC).Format(time.RFC3339Nano)
		fmt.Fprintf(&b, `{"timestamp":%q,"integrations":{},%s,`, ts, call)
		id := fmt.Sprintf("next-1767323045%03d-0199c3f0-7a%02x-7%03x-9b1e-%012x", i, i%256, i%4096, i*7919)
		if browser {
			fmt.Fprintf(&b, `"context":{"page":{%s},"userAgent":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36","userAgentData":{"brands":[{"brand":"Not:A-Brand","version":"8"},{"brand":"Chromium","version":"140"}],"mobile":false,"platform":"Linux"},"locale":"de-AT","library":{"name":"analytics.js","version":"npm:next-1.84.3"},"campaign":{"source":"news","medium":"email"},"timezone":"Europe/Vienna"},"messageId":"ajs-%s","anonymousId":"8a01d18e-bb00-45cd-9413-%012x","writeKey":"wk_0123456789abcdefghijklmnopqrstuv","userId":null,"_metadata":{"bundled":["Segment.io"],"unbundled":[],"bundledIds":[]}}`, page, id, i*31)
		} else {
			fmt.Fprintf(&b, `"context":{"ip":"203.0.113.%d","library":{"name":"@segment/analytics-node","version":"3.1.0"}},"userId":"customer-%d","anonymousId":"d-%08x","messageId":"node-%s","_metadata":{"nodeVersion":"v20.20.2","jsRuntime":"node"}}`, i%250, i, i*31, id)
		}
	}
	b.WriteString(`],"sentAt":"2026-01-02T03:59:59.900Z"}`)
	return b.Bytes()
}

// BenchmarkSegment decodes batches of 100 calls, and enriches them.
func BenchmarkSegment(b *testing.B) {
	e, err := enrich.New(enrich.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	for _, c := range []struct {
		name            string
		browser, enrich bool
	}{{"node/decode", false, false}, {"node/enrich", false, true}, {"next/decode", true, false}, {"next/enrich", true, true}} {
		body := callBatch(100, c.browser)
		r := &wire.Request{
			Route: wire.Route{Method: http.MethodPost, Path: "/v1/batch"}, Path: "/v1/batch", Header: http.Header{"Content-Type": {"application/json"}},
			Body: body, Now: wiretest.BenchNow, Limits: wire.DefaultLimits(),
		}
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				sent, err := segment.Protocol{}.Decode(r)
				if err != nil || len(sent.Parts[0].Events) != 100 {
					b.Fatal(sent, err)
				}
				if c.enrich {
					for i := range sent.Parts[0].Events {
						e.Apply(&sent.Parts[0].Events[i], nil)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/event")
		})
	}
}
