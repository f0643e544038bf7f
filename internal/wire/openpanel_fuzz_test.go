package wire_test

import (
	"net/http"
	"slices"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// small are limits that short inputs come up against.
func small() wire.Limits {
	l := wire.DefaultLimits()
	l.Events, l.Event, l.Name, l.ID, l.String, l.URL, l.Properties, l.Depth = 20, 400, 12, 30, 40, 60, 8, 4
	return l
}

// checkExchange checks what holds for any request: it is refused as the sender's fault,
// or its events are within the limits, each of a place in the request, and the answer
// is one.
func checkExchange(t *testing.T, p wire.Protocol, r *wire.Request) *wire.Decoded {
	sent, err := p.Decode(r)
	if err != nil {
		switch code := weir.ErrorCode(err); code {
		case weir.EINVALID, weir.ETOOLARGE, weir.EUNAUTHORIZED, weir.EUNSUPPORTED:
		default:
			t.Errorf("code %q: %v", code, err)
		}
		if out := p.Refuse(r, 400, weir.Errorf(weir.EINVALID, "%s", weir.ErrorMessage(err))); out.Status != 400 {
			t.Errorf("refused with %d", out.Status)
		}
		return nil
	}
	events := 0
	for i := range sent.Parts {
		part := &sent.Parts[i]
		if part.Project == "" {
			t.Error("a part without a project")
		}
		for j := range part.Events {
			in := &part.Events[j]
			checkVendorEvent(t, in, r.Limits)
			if events++; events > r.Limits.Events {
				t.Fatalf("%d events", events)
			}
		}
		for _, j := range part.Rejected {
			if j.Reason == "" || j.Index < 0 {
				t.Errorf("rejection %+v", j)
			}
		}
	}
	if out := p.Answer(r, sent); out.Status/100 != 2 || (len(out.Body) == 0) != (out.ContentType == "") && out.ContentType != "text/plain; charset=utf-8" {
		t.Errorf("answer %+v", out)
	}
	return sent
}

// checkVendorEvent is checkEvent for events that were mended.
func checkVendorEvent(t *testing.T, in *weir.Incoming, l wire.Limits) {
	e := &in.Event
	if e.Name == "" {
		t.Error("no name")
	}
	for _, s := range []string{e.ID, e.ProfileID, e.DeviceID, e.SessionID} {
		checkText(t, s, l.ID)
	}
	for _, s := range []string{
		e.Name, e.Title, e.Language, e.Library, e.Currency, e.UTMSource, e.UTMMedium, e.UTMCampaign, e.UTMTerm, e.UTMContent, e.Country, e.Region, e.City,
		e.Browser, e.BrowserVersion, e.OS, e.OSVersion, e.DeviceType, in.Source.IP, in.Source.UserAgent,
	} {
		checkText(t, s, l.String)
	}
	checkText(t, in.Source.URL, l.URL)
	checkText(t, in.Source.Referrer, l.URL)
	if e.Time.Before(l.Oldest) || e.Time.After(now.Add(l.Future)) || in.Source.Client && in.Source.Reported {
		t.Errorf("time %v, source %+v", e.Time, in.Source)
	}
	if e.Properties != nil {
		checkMended(t, e.Properties)
	}
}

func FuzzOpenPanel(f *testing.F) {
	routes := routesOf(wire.OpenPanel{})
	eachGolden(f, wire.OpenPanel{}, func(_ string, r *wire.Request) {
		at := slices.IndexFunc(routes, func(x wire.Route) bool { return x.Pattern() == r.Route.Pattern() })
		f.Add(uint8(at), r.UserAgent, r.Header.Get("Openpanel-Client-Id"), r.Body)
	})
	f.Fuzz(func(t *testing.T, route uint8, agent, client string, body []byte) {
		defer bounded(t)()
		p := wire.OpenPanel{}
		h := http.Header{"User-Agent": {agent}, "Openpanel-Client-Id": {client}, "Openpanel-Sdk-Name": {"web"}}
		r := &wire.Request{Route: routes[int(route)%len(routes)], Header: h, Body: body, IP: "203.0.113.7", UserAgent: agent, Now: now, Limits: small()}
		if r.Route.NoBody {
			r.Body = nil
		}
		checkExchange(t, p, r)
	})
}
