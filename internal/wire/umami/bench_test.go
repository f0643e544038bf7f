package umami_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/wire/umami"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// viewBatch is a body of n events as a browser's tracker has them, page views and
// others with data.
func viewBatch(n int) string {
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
	wiretest.BenchDecode(b, umami.Protocol{}, request(b, "/api/batch", wiretest.Chromium, viewBatch(100)), 100)
}
