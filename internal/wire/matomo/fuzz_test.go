package matomo_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/matomo"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func FuzzMatomo(f *testing.F) {
	wiretest.EachGolden(f, matomo.Protocol{}, func(_ string, r *wire.Request) { f.Add(r.UserAgent, r.Query().Encode(), r.Body) })
	f.Fuzz(func(t *testing.T, agent, query string, body []byte) {
		defer wiretest.Bounded(t)()
		p := matomo.Protocol{}
		h := http.Header{"User-Agent": {agent}, "Content-Type": {"application/json"}}
		values, _ := url.ParseQuery(query) // what it cannot read, the server leaves out too
		r := &wire.Request{Route: p.Routes()[1], Header: h, RawQuery: values.Encode(), Body: body, IP: "203.0.113.7", UserAgent: agent, Now: wiretest.Now, Limits: wiretest.SmallLimits()}
		wiretest.CheckExchange(t, p, r)
	})
}
