package wire_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// batch makes an array of n events of some 350 bytes each: screen views, calls
// and purchases, as a browser SDK and a server's middleware send them.
func batch(n int) []byte {
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

var benchNow = time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC)

// BenchmarkEvents decodes batches of 100 events; encoding/json is what the
// ratios in DESIGN.md are to.
func BenchmarkEvents(b *testing.B) {
	body := batch(100)
	lines := bytes.ReplaceAll(body[1:len(body)-1], []byte(`},{"id"`), []byte("}\n{\"id\""))
	one := batch(1)
	one = one[1 : len(one)-1]
	for _, c := range []struct {
		name string
		body []byte
		n    int
	}{{"array", body, 100}, {"ndjson", lines, 100}, {"one", one, 1}} {
		b.Run("wire/"+c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				in, rejected, err := wire.Events(c.body, benchNow, wire.DefaultLimits())
				if len(in) != c.n || rejected != nil || err != nil {
					b.Fatal(len(in), rejected, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*c.n), "ns/event")
		})
	}
	b.Run("encoding/json/array", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if in := decodeStandard(b, body); len(in) != 100 {
				b.Fatal(len(in))
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*100), "ns/event")
	})
}

// standardEvent is an event as encoding/json would read it. It checks less than
// Events does: no limits, no duplicate keys, no NUL, no number's range.
type standardEvent struct {
	ID         any             `json:"id"`
	Name       string          `json:"name"`
	TS         any             `json:"ts"`
	ProfileID  any             `json:"profile_id"`
	DeviceID   any             `json:"device_id"`
	SessionID  any             `json:"session_id"`
	URL        string          `json:"url"`
	Path       string          `json:"path"`
	Referrer   string          `json:"referrer"`
	IP         string          `json:"ip"`
	UserAgent  string          `json:"user_agent"`
	Title      string          `json:"title"`
	Language   string          `json:"language"`
	Revenue    float64         `json:"revenue"`
	Currency   string          `json:"currency"`
	Library    string          `json:"library"`
	Properties json.RawMessage `json:"properties"`
	Call       *struct {
		Method    string  `json:"method"`
		Route     string  `json:"route"`
		Status    int     `json:"status"`
		LatencyMS float64 `json:"latency_ms"`
		Consumer  string  `json:"consumer"`
	} `json:"call"`
}

func decodeStandard(tb testing.TB, body []byte) []weir.Incoming {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var events []standardEvent
	if err := d.Decode(&events); err != nil {
		tb.Fatal(err)
	}
	in := make([]weir.Incoming, len(events))
	for i := range events {
		e := &events[i]
		in[i] = weir.Incoming{Index: i, Event: weir.Event{
			ID: text(e.ID), Name: e.Name, Time: instant(tb, e.TS), ProfileID: text(e.ProfileID), DeviceID: text(e.DeviceID),
			SessionID: text(e.SessionID), Path: e.Path, Title: e.Title, Language: e.Language, Library: e.Library,
			Revenue: e.Revenue, Currency: e.Currency, Properties: e.Properties,
		}, Source: weir.Source{URL: e.URL, Referrer: e.Referrer, IP: e.IP, UserAgent: e.UserAgent}}
		if c := e.Call; c != nil {
			in[i].Event.Call = &weir.Call{Method: c.Method, Route: c.Route, Status: c.Status, LatencyMS: c.LatencyMS, Consumer: c.Consumer}
		}
	}
	return in
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func instant(tb testing.TB, v any) time.Time {
	switch v := v.(type) {
	case string:
		t, err := time.Parse(time.RFC3339Nano, v)
		if err != nil {
			tb.Fatal(err)
		}
		return t.UTC().Truncate(time.Microsecond)
	case json.Number:
		ms, err := v.Int64()
		if err != nil {
			tb.Fatal(err)
		}
		return time.UnixMilli(ms).UTC()
	}
	return benchNow
}

// BenchmarkReadBody reads a batch of 100 events, plain and gzipped.
func BenchmarkReadBody(b *testing.B) {
	body := batch(100)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(body)
	_ = z.Close()
	for name, sent := range map[string]string{"plain": string(body), "gzip": packed.String()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				got, err := wire.ReadBody(strings.NewReader(sent), "", wire.DefaultLimits())
				if err != nil {
					b.Fatal(err)
				}
				got.Release()
			}
		})
	}
}
