package openpanel_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/openpanel"
	"github.com/weir-analytics/weir/internal/wire/wiretest"
)

func FuzzOpenPanel(f *testing.F) {
	routes := wiretest.RoutesOf(openpanel.Protocol{})
	wiretest.EachGolden(f, openpanel.Protocol{}, func(_ string, r *wire.Request) {
		at := slices.IndexFunc(routes, func(x wire.Route) bool { return x.Pattern() == r.Route.Pattern() })
		f.Add(uint8(at), r.UserAgent, r.Header.Get("Openpanel-Client-Id"), r.Body)
	})
	f.Fuzz(func(t *testing.T, route uint8, agent, client string, body []byte) {
		defer wiretest.Bounded(t)()
		p := openpanel.Protocol{}
		h := http.Header{"User-Agent": {agent}, "Openpanel-Client-Id": {client}, "Openpanel-Sdk-Name": {"web"}}
		r := &wire.Request{Route: routes[int(route)%len(routes)], Header: h, Body: body, IP: "203.0.113.7", UserAgent: agent, Now: wiretest.Now, Limits: wiretest.SmallLimits()}
		if r.Route.Body == wire.IgnoreBody {
			r.Body = nil
		}
		wiretest.CheckExchange(t, p, r)
	})
}
