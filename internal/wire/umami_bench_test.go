package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
)

// umamiBatch is a body of n events as a browser's tracker has them, page views and
// others with data.
func umamiBatch(n int) string {
	items := make([]string, n)
	for i := range items {
		more := ""
		if i%2 == 1 {
			more = fmt.Sprintf(`,"name":"add_to_cart","id":"customer-%d","data":{"sku":"A-%d","price":12.5,"first":false,"list":"summer"}`, i, i)
		}
		items[i] = fmt.Sprintf(`{"type":"event","payload":{"website":"4fb7fa4c-5b46-438d-94b3-3a8fb9bc2e8b","screen":"1440x900","language":"en-GB",`+
			`"title":"Café – product %d","hostname":"shop.example.com","url":"https://shop.example.com/products/%d?utm_source=news&utm_medium=email","referrer":"https://www.example.org/search"%s}}`, i, i, more)
	}
	return "[" + strings.Join(items, ",") + "]"
}

// BenchmarkUmami decodes a batch of 100 events; see BenchmarkEvents.
func BenchmarkUmami(b *testing.B) {
	benchDecode(b, wire.Umami{}, umamiRequest(b, "/api/batch", chromium, umamiBatch(100)), 100)
}

// BenchmarkPlausible decodes a page view and an event with properties.
func BenchmarkPlausible(b *testing.B) {
	for name, body := range map[string]string{
		"view":  `{"n":"pageview","v":36,"u":"https://shop.example.com/products/7?utm_source=news&utm_medium=email","d":"shop.example.com","r":"https://www.example.org/search"}`,
		"event": `{"n":"Purchase","v":36,"u":"https://shop.example.com/checkout","d":"shop.example.com","r":null,"p":{"order":"o-1","plan":"pro","seats":"3"},"$":{"amount":49.9,"currency":"EUR"}}`,
	} {
		b.Run(name, func(b *testing.B) { benchDecode(b, wire.Plausible{}, plausibleRequest(b, body), 1) })
	}
}

func benchDecode(b *testing.B, p wire.Protocol, r *wire.Request, events int) {
	b.SetBytes(int64(len(r.Body)))
	b.ReportAllocs()
	for b.Loop() {
		sent, err := p.Decode(r)
		if err != nil || len(sent.Parts) != 1 || len(sent.Parts[0].Events) != events {
			b.Fatal(sent, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*events), "ns/event")
}
