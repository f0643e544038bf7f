package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/umami"
)

// BenchmarkUmamiDecodeAndEnrich is what a batch of 100 events of Umami's costs before
// it is stored, by event.
func BenchmarkUmamiDecodeAndEnrich(b *testing.B) {
	e, err := enrich.New(enrich.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	const n = 100
	items := make([]string, n)
	for i := range items {
		items[i] = fmt.Sprintf(`{"type":"event","payload":{"website":"shop.example","screen":"1440x900","language":"en-GB","title":"Product %d","hostname":"shop.example",`+
			`"url":"https://shop.example/products/%d?utm_source=news","referrer":"https://www.example.org/search","name":"add_to_cart","data":{"sku":"A-%d","price":12.5}}}`, i, i, i)
	}
	r := &wire.Request{
		Route: wire.Route{Method: "POST", Path: "/api/batch"}, Path: "/api/batch", Body: []byte("[" + strings.Join(items, ",") + "]"),
		UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
		Now:       time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Limits: wire.DefaultLimits(),
	}
	b.ReportAllocs()
	for b.Loop() {
		sent, err := umami.Protocol{}.Decode(r)
		if err != nil || len(sent.Parts) != 1 || len(sent.Parts[0].Events) != n {
			b.Fatal(sent, err)
		}
		for i := range sent.Parts[0].Events {
			in := &sent.Parts[0].Events[i]
			in.Source.IP, in.Source.UserAgent = "203.0.113.9", r.UserAgent
			e.Apply(in, nil)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
}
