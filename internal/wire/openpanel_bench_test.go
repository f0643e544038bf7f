package wire_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/wire"
)

const chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// openpanelBatch is a batch of n track calls as @openpanel/web makes them.
func openpanelBatch(n int) []byte {
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

// matomoBulk is a bulk of n hits as matomo.js makes them.
func matomoBulk(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"requests":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"?action_name=Product%%20%d&idsite=1&rec=1&r=%06d&h=12&m=3&s=4&url=https%%3A%%2F%%2Fshop.example%%2Fproducts%%2F%d%%3Futm_source%%3Dnews&urlref=https%%3A%%2F%%2Fwww.google.com%%2F&_id=%016x&_idn=0&send_image=0&_refts=0&pv_id=aB3dE6&pf_net=1&pf_srv=2&pf_tfr=3&pf_dm1=4&pdf=1&qt=0&cookie=1&res=1440x900&dimension1=member"`, i, i*7919%1000000, i, i%50)
	}
	b.WriteString(`]}`)
	return b.Bytes()
}

func benchmarkProtocol(b *testing.B, p wire.Protocol, r *wire.Request, n int) {
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
					e.Apply(in)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}

func BenchmarkOpenPanel(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := wire.OpenPanel{}
			h := http.Header{"Openpanel-Client-Id": {"wk_1"}, "Openpanel-Sdk-Name": {"web"}, "Openpanel-Sdk-Version": {"1.4.1"}, "Accept-Language": {"de-AT"}}
			benchmarkProtocol(b, p, &wire.Request{
				Route: wire.Route{Method: "POST", Path: "/track"}, Header: h, Body: openpanelBatch(n), IP: "203.0.113.7", UserAgent: chrome, Now: benchNow, Limits: wire.DefaultLimits(),
			}, n)
		})
	}
}

func BenchmarkMatomo(b *testing.B) {
	p := wire.Matomo{}
	r := wire.Request{Route: p.Routes()[1], Header: http.Header{}, IP: "203.0.113.7", UserAgent: chrome, Now: benchNow, Limits: wire.DefaultLimits()}
	b.Run("bulk", func(b *testing.B) {
		r.Body = matomoBulk(100)
		benchmarkProtocol(b, p, &r, 100)
	})
	b.Run("form", func(b *testing.B) {
		one := matomoBulk(1)
		r.Body = one[len(`{"requests":["?`) : len(one)-len(`"]}`)]
		benchmarkProtocol(b, p, &r, 1)
	})
	b.Run("query", func(b *testing.B) {
		values, err := url.ParseQuery(string(r.Body))
		if err != nil {
			b.Fatal(err)
		}
		r.Query, r.Body = values, nil
		benchmarkProtocol(b, p, &r, 1)
	})
}
