package openpanel_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// trackBatch is a batch of n track calls as @openpanel/web makes them.
func trackBatch(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"type":"batch","payload":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"track","payload":{"name":"%s","profileId":"user-%d","groups":["acme"],"properties":{"__referrer":"https://www.google.com/","plan":"pro","seats":%d,"price":9.5,"__timestamp":"2026-01-02T03:04:05.%03dZ","__path":"https://shop.example/products/%d?utm_source=news&utm_medium=email","__title":"Product %d"}}}`,
			[...]string{"screen_view", "signup_started", "revenue"}[i%3], i%50, i, i, i, i)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func BenchmarkOpenPanel(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := openpanel.Protocol{}
			h := http.Header{"Openpanel-Client-Id": {"wk_1"}, "Openpanel-Sdk-Name": {"web"}, "Openpanel-Sdk-Version": {"1.4.1"}, "Accept-Language": {"de-AT"}}
			wiretest.Benchmark(b, p, &wire.Request{
				Route: wire.Route{Method: "POST", Path: "/track"}, Header: h, Body: trackBatch(n), IP: "203.0.113.7", UserAgent: wiretest.Chrome, Now: wiretest.BenchNow, Limits: wire.DefaultLimits(),
			}, n)
		})
	}
}
