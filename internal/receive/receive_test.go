package receive_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/receive"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/protocols"
)

// directory has one project, shop, with a key and a site.
type directory struct{}

func (directory) ProjectByKey(_ context.Context, key string) (*weir.Project, error) {
	if key != "wk_shop" {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such key")
	}
	return &weir.Project{ID: "shop"}, nil
}

func (directory) ProjectBySite(_ context.Context, site string) (*weir.Project, error) {
	if site != "shop.example" {
		return nil, weir.Errorf(weir.ENOTFOUND, "no such site")
	}
	return &weir.Project{ID: "shop"}, nil
}

// store notes what it gets.
type store struct {
	delivered []string // events by project: "shop 2"
	refused   []string // codes
}

func (s *store) Deliver(_ context.Context, p *weir.Project, in []weir.Incoming, _ []weir.Rejection, _ ingest.Remote) (ingest.Reply, error) {
	s.delivered = append(s.delivered, p.ID+" "+strings.Repeat("x", len(in)))
	return ingest.Reply{Accepted: len(in)}, nil
}

func (s *store) Device(context.Context, *weir.Project, ingest.Remote) (string, error) { return "", nil }

func (s *store) Refused(err error) { s.refused = append(s.refused, weir.ErrorCode(err)) }

// body notes whether it is read.
type body struct {
	*strings.Reader
	read bool
}

func (b *body) Read(p []byte) (int, error) {
	b.read = true
	return b.Reader.Read(p)
}

func find(t *testing.T, method, path string) (wire.Protocol, wire.Route) {
	t.Helper()
	for _, p := range protocols.All(nil) {
		for _, r := range p.Routes() {
			if r.Method == method && r.Path == path {
				return p, r
			}
		}
	}
	t.Fatalf("no route %s %s", method, path)
	return nil, wire.Route{}
}

func TestRequestIsRefusedBeforeItsBodyIsReadWhereTheHeadAllowsIt(t *testing.T) {
	for name, c := range map[string]struct {
		method, path string
		header       http.Header
		code         string
		reads        bool
	}{
		"native without a key":            {"POST", "/v1/events", nil, weir.EUNAUTHORIZED, false},
		"native with an unknown key":      {"POST", "/v1/events", http.Header{"X-Weir-Key": {"wk_none"}}, weir.EUNAUTHORIZED, false},
		"native with a site":              {"POST", "/v1/events", http.Header{"X-Weir-Key": {"shop.example"}}, weir.EUNAUTHORIZED, false},
		"native with a key":               {"POST", "/v1/events", http.Header{"X-Weir-Key": {"wk_shop"}}, "", true},
		"spans without a key":             {"POST", "/v1/traces", http.Header{"Content-Type": {"text/plain"}}, weir.EUNAUTHORIZED, false},
		"spans as text":                   {"POST", "/v1/traces", http.Header{"X-Weir-Key": {"wk_shop"}, "Content-Type": {"text/plain"}}, weir.EUNSUPPORTED, false},
		"a vendor's, with the key inside": {"POST", "/batch", nil, "", true},
		"a vendor's that is ignored":      {"POST", "/flags", nil, "", false},
	} {
		p, route := find(t, c.method, c.path)
		s, sent := &store{}, &body{Reader: strings.NewReader(`{"api_key":"wk_shop","batch":[{"event":"a","distinct_id":"ada"}],"events":[]}`)}
		r := receive.New(receive.Config{Directory: directory{}, Ingest: s})
		if c.header == nil {
			c.header = http.Header{}
		}
		_, err := r.Receive(t.Context(), p, &wire.Request{Route: route, Path: c.path, Header: c.header, Now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)}, sent)
		if weir.ErrorCode(err) != c.code || sent.read != c.reads {
			t.Errorf("%s: %v, read %v, want %q and %v", name, err, sent.read, c.code, c.reads)
		}
	}
}

func TestProjectGetsRepeatedEventsOnceAndUnknownOnesAreCounted(t *testing.T) {
	p, route := find(t, "POST", "/api/event")
	s := &store{}
	r := receive.New(receive.Config{Directory: directory{}, Ingest: s})
	reply, err := r.Receive(t.Context(), p, &wire.Request{Route: route, Path: route.Path, Header: http.Header{}, Now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), UserAgent: "Mozilla/5.0 (X11; Linux x86_64)"},
		strings.NewReader(`{"name":"pageview","url":"https://shop.example/","domain":"shop.example,none.example,wk_shop"}`))
	if err != nil || reply.Status != http.StatusAccepted {
		t.Fatalf("%+v, %v", reply, err)
	}
	if d := cmp.Diff([]string{"shop x"}, s.delivered); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{weir.EUNAUTHORIZED}, s.refused); d != "" {
		t.Error(d)
	}
}

func TestWhatIsNotStoredIsCountedForTheVendorAlsoAtASharedAddress(t *testing.T) {
	for vendor, c := range map[string]struct{ path, body string }{
		"posthog":  {"/batch", `{"api_key":"wk_shop","batch":[{"event":"$snapshot","distinct_id":"ada"}]}`},
		"mixpanel": {"/track", `{"event":"$mp_session_record","properties":{"token":"wk_shop"}}`},
	} {
		p, route := find(t, "POST", c.path)
		registry := prometheus.NewRegistry()
		r := receive.New(receive.Config{Directory: directory{}, Ingest: &store{}, Registry: registry})
		if _, err := r.Receive(t.Context(), p, &wire.Request{Route: route, Path: route.Path, Header: http.Header{}, Now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)}, strings.NewReader(c.body)); err != nil {
			t.Fatal(err)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var counted []string
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "weir_ingest_unsupported_total" {
					counted = append(counted, fmt.Sprint(m.GetLabel()[0].GetValue(), " ", m.GetLabel()[1].GetValue(), " ", m.GetCounter().GetValue()))
				}
			}
		}
		if d := cmp.Diff([]string{"replay " + vendor + " 1"}, counted); d != "" {
			t.Error(d)
		}
	}
}
