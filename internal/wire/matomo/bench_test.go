package matomo_test

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

// hitBulk is a bulk of n hits as matomo.js makes them.
func hitBulk(n int) []byte {
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

func BenchmarkMatomo(b *testing.B) {
	p := matomo.Protocol{}
	r := wire.Request{Route: p.Routes()[1], Header: http.Header{}, IP: "203.0.113.7", UserAgent: wiretest.Chrome, Now: wiretest.BenchNow, Limits: wire.DefaultLimits()}
	b.Run("bulk", func(b *testing.B) {
		r.Body = hitBulk(100)
		wiretest.Benchmark(b, p, &r, 100)
	})
	b.Run("form", func(b *testing.B) {
		one := hitBulk(1)
		r.Body = one[len(`{"requests":["?`) : len(one)-len(`"]}`)]
		wiretest.Benchmark(b, p, &r, 1)
	})
	b.Run("query", func(b *testing.B) {
		r.RawQuery, r.Body = string(r.Body), nil
		wiretest.Benchmark(b, p, &r, 1)
	})
}
