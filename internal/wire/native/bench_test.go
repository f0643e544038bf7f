package native_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// BenchmarkEvents decodes batches of 100 events; encoding/json is what the
// ratios in DESIGN.md are to.
func BenchmarkEvents(b *testing.B) {
	body := wiretest.NativeBatch(100)
	lines := bytes.ReplaceAll(body[1:len(body)-1], []byte(`},{"id"`), []byte("}\n{\"id\""))
	one := wiretest.NativeBatch(1)
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
				in, rejected, err := native.Decode(c.body, wiretest.BenchNow, wire.DefaultLimits())
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
			Revenue: weir.Known(e.Revenue), Currency: e.Currency, Properties: e.Properties,
		}, Source: weir.Source{URL: e.URL, Referrer: e.Referrer, IP: e.IP, UserAgent: e.UserAgent}}
		if c := e.Call; c != nil {
			in[i].Event.Call = &weir.Call{Method: c.Method, Route: c.Route, Status: c.Status, LatencyMS: weir.Known(c.LatencyMS), Consumer: c.Consumer}
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
	return wiretest.BenchNow
}
