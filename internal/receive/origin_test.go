package receive_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/metricstest"
	"github.com/weir-analytics/weir/internal/receive"
	"github.com/weir-analytics/weir/internal/wire"
)

// heldDirectory has a project with a key that is held to origins, and a site.
type heldDirectory struct{ directory }

func (heldDirectory) ProjectByKey(_ context.Context, key string) (*weir.Project, error) {
	if key == "wk_shop" {
		return &weir.Project{ID: "shop", KeyOrigins: []string{"*.shop.example", "localhost:3000", "shop.example"}}, nil
	}
	return nil, weir.Errorf(weir.ENOTFOUND, "no such key")
}

func TestKeyIsTakenFromPagesOfItsOriginsAlone(t *testing.T) {
	const event = `{"api_key":"wk_shop","event":"a","distinct_id":"ada","name":"a"}`
	for _, sender := range []struct {
		path, query, body string
		header            http.Header
	}{
		{"/v1/events", "", event, http.Header{"X-Weir-Key": {"wk_shop"}}},
		{"/v1/events", "key=wk_shop", event, http.Header{}},
		{"/batch", "", `{"api_key":"wk_shop","batch":[{"event":"a","distinct_id":"ada"}]}`, http.Header{}},
		{"/api/event", "", `{"name":"pageview","url":"https://shop.example/","domain":"wk_shop"}`, http.Header{}},
	} {
		for origin, taken := range map[string]bool{
			"https://shop.example": true, "http://shop.example:8080": true, "https://SHOP.example": true, "https://a.b.shop.example": true, "http://localhost:3000": true,
			"": false, "null": false, "https://notshop.example": false, "https://shop.example.evil.example": false, "http://localhost:3001": false, "http://localhost": false,
			"https://evil.example/shop.example": false, "shop.example": false, "https://.shop.example@evil.example": false,
		} {
			p, route := find(t, "POST", sender.path)
			s, reg := &store{}, prometheus.NewRegistry()
			r := receive.New(receive.Config{Directory: heldDirectory{}, Ingest: s, Registry: reg})
			h := sender.header.Clone()
			if origin != "" {
				h.Set("Origin", origin)
			}
			_, err := r.Receive(t.Context(), p, &wire.Request{Route: route, Path: sender.path, RawQuery: sender.query, Header: h, Now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), UserAgent: "Mozilla/5.0 (X11; Linux x86_64)"}, strings.NewReader(sender.body))
			code, refused := "", 0
			if !taken {
				code, refused = weir.EFORBIDDEN, 1
			}
			if weir.ErrorCode(err) != code || len(s.delivered) != 1-refused {
				t.Errorf("%s?%s from %q: %v, %d delivered", sender.path, sender.query, origin, err, len(s.delivered))
			}
			if n := metricstest.Gather(t, reg)[`weir_ingest_senders_refused_total{reason="origin"}`]; int(n) != refused {
				t.Errorf("%s?%s from %q: %v refused", sender.path, sender.query, origin, n)
			}
		}
	}
}

func TestPreflightIsRefusedWhereTheAddressHasTheKey(t *testing.T) {
	p, route := find(t, "POST", "/v1/events")
	r := receive.New(receive.Config{Directory: heldDirectory{}, Ingest: &store{}})
	got := map[string]string{}
	for _, query := range []string{"key=wk_shop", "key=wk_none", ""} {
		for _, origin := range []string{"https://shop.example", "https://evil.example"} {
			err := r.Preflight(t.Context(), p, &wire.Request{Route: route, Path: route.Path, RawQuery: query, Header: http.Header{"Origin": {origin}}})
			if err != nil {
				got[query+" "+origin] = weir.ErrorCode(err)
			}
		}
	}
	if d := cmp.Diff(map[string]string{"key=wk_shop https://evil.example": weir.EFORBIDDEN}, got); d != "" {
		t.Errorf("refused (-want +got)\n%s", d)
	}
}
