package wiretest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/wire"
)

// NativeBatch makes an array of n events of some 350 bytes each: screen views, calls
// and purchases, as a browser SDK and a server's middleware send them.
func NativeBatch(n int) []byte {
	var b bytes.Buffer
	b.WriteByte('[')
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		id := fmt.Sprintf("0199c3f0-7a%02x-7%03x-9b1e-%012x", i%256, i%4096, i*7919)
		ts := time.Date(2026, 1, 2, 3, 4, 5, i*1e6, time.UTC).Format(time.RFC3339Nano)
		switch i % 3 {
		case 0:
			fmt.Fprintf(&b, `{"id":%q,"name":"screen_view","ts":%q,"device_id":"d-%08x","url":"https://shop.example.com/products/%d?utm_source=news&utm_medium=email","referrer":"https://www.example.org/search","title":"Caf\u00e9 – product %d","language":"en-GB","library":"weir-js/1.2.0","properties":{"variant":"b","width":1440,"height":900,"signed_in":true}}`, id, ts, i*31, i, i)
		case 1:
			fmt.Fprintf(&b, `{"id":%q,"name":"api_call","ts":%q,"profile_id":"customer-%d","ip":"203.0.113.%d","user_agent":"okhttp/4.12.0","library":"weir-go/0.1.0","properties":{"region":"eu-west-1","cache":"miss","bytes":%d,"trace":"4bf92f3577b34da6a3ce929d0e0e4736"},"call":{"method":"GET","route":"/v1/orders/{id}","status":200,"latency_ms":%d.25,"consumer":"acme-inc"}}`, id, ts, i, i%250, i*113, i%90)
		default:
			fmt.Fprintf(&b, `{"id":%q,"name":"purchase","ts":%d,"profile_id":%d,"device_id":"d-%08x","session_id":"s-%06d","url":"https://shop.example.com/checkout/done","revenue":%d.99,"currency":"EUR","properties":{"order":%d,"items":[{"sku":"A-%d","n":2,"price":12.5},{"sku":"B-17","n":1,"price":4.25}],"coupon":null,"first":false}}`, id, 1767323045000+i, 1000+i, i*31, i, 20+i, 900000000000000000+i, i)
		}
	}
	b.WriteByte(']')
	return b.Bytes()
}

// BenchNow is the time of benchmarks.
var BenchNow = time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)

// Repeat fills so many MiB with a text that comes again and again.
func Repeat(mib int, text string) string { return strings.Repeat(text, mib<<20/len(text)) }

// Chrome is the user agent of a browser.
const Chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// Benchmark measures how a protocol decodes a request of n events, alone and with enrichment.
func Benchmark(b *testing.B, p wire.Protocol, r *wire.Request, n int) {
	body := r.Body
	e, err := enrich.New(enrich.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close() })
	for _, enriched := range []bool{false, true} {
		name := "decode"
		if enriched {
			name = "decode+enrich"
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				sent, err := p.Decode(r)
				if err != nil || len(sent.Parts) != 1 || len(sent.Parts[0].Events) != n {
					b.Fatal(err, sent)
				}
				if !enriched {
					continue
				}
				for i := range sent.Parts[0].Events {
					in := &sent.Parts[0].Events[i]
					in.Source.IP, in.Source.UserAgent = r.IP, r.UserAgent
					e.Apply(in, nil)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}

// BenchDecode measures how a protocol decodes a request of so many events.
func BenchDecode(b *testing.B, p wire.Protocol, r *wire.Request, events int) {
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
