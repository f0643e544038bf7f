package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
)

// hook is a webhook that keeps what it gets.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	messages []weir.AlertMessage
	signed   bool
}

func newHook(t *testing.T) *hook {
	h := &hook{signed: true}
	h.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m weir.AlertMessage
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &m); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		h.messages = append(h.messages, m)
		h.signed = h.signed && strings.HasPrefix(r.Header.Get("X-Weir-Signature"), "t=")
	}))
	t.Cleanup(h.Close)
	return h
}

func (h *hook) got() (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.messages {
		out = append(out, m.Type+" "+m.Alert.Name)
	}
	return out
}

// The whole server without its timers: calls come in over HTTP, are drained to
// DuckDB, and alerts are checked once for what counters know and what only the
// cold tier does.
func TestAlertsAreCheckedOnCountersAndTheColdTier(t *testing.T) {
	h := newHook(t)
	data := t.TempDir()
	c := &serveCmd{
		Data: data, Hot: "pebble:" + filepath.Join(data, "hot"), Roles: allRoles, Shards: 2, MinFree: 1, DedupWindow: time.Hour, AdminToken: "the administrator's own secret",
		alertFlags: alertFlags{MailsPerHour: 1, Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}},
	}
	if err := c.checkStores(); err != nil {
		t.Fatal(err)
	}
	var log journal
	s, err := c.open(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() { defer close(drained); _ = s.drain.Run(ctx) }()
	defer func() {
		cancel()
		<-drained
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	web := httptest.NewServer(s.http.Handler())
	defer web.Close()
	do := func(method, path, body string, want int) []byte {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, web.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+c.AdminToken)
		if strings.HasPrefix(path, "/v1/") {
			req.Header.Del("Authorization")
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != want {
			t.Fatalf("%s %s: %s %s %v", method, path, res.Status, text, err)
		}
		return text
	}
	var p struct {
		ID       string
		WriteKey string `json:"write_key"`
	}
	if err := json.Unmarshal(do("POST", "/api/v1/projects", `{"name":"Shop","timezone":"Asia/Kolkata"}`, 201), &p); err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Add(-4 * time.Minute)
	var events []string
	for i := range 100 {
		status, route := 200, "/cart"
		if i < 30 {
			status = 503
		}
		if i%2 == 0 {
			route = "/pay"
		}
		events = append(events, fmt.Sprintf(`{"name":"api_call","ts":%q,"call":{"method":"GET","route":%q,"status":%d,"latency_ms":%d}}`, at.Format(time.RFC3339), route, status, 10*(i+1)))
	}
	do("POST", "/v1/events?key="+p.WriteKey, "["+strings.Join(events, ",")+"]", 200)
	// An answer may be five seconds old: the calls have to be in the cold tier already.
	if _, err := s.drain.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	alerts := "/api/v1/projects/" + p.ID + "/alerts"
	for name, rule := range map[string]string{
		"all":     `"measure":{"kind":"error_rate"},"condition":{"op":"above","value":0.29}`,
		"route":   `"measure":{"kind":"success_rate","route":"/pay"},"condition":{"op":"below","value":0.71}`,
		"p95":     `"measure":{"kind":"insight","event":"api_call","math":"p95","property":"latency_ms"},"condition":{"op":"above","value":940}`,
		"week":    `"measure":{"kind":"calls"},"condition":{"op":"above","value":50,"against":"week"}`,
		"fine":    `"measure":{"kind":"error_rate"},"condition":{"op":"above","value":0.31}`,
		"p95fine": `"measure":{"kind":"insight","event":"api_call","math":"p95","property":"latency_ms"},"condition":{"op":"above","value":990}`,
		"few":     `"measure":{"kind":"error_rate"},"condition":{"op":"above","value":0.1},"min_volume":101`,
	} {
		do("POST", alerts, fmt.Sprintf(`{"name":%q,"window":10,%s,"channels":[{"type":"webhook","url":%q}]}`, name, rule, h.URL), 201)
	}
	do("POST", alerts, `{"name":"x","measure":{"kind":"insight","math":"p95","property":"mood"},"condition":{"op":"above","value":1}}`, 400)
	do("POST", alerts, `{"name":"x","measure":{"kind":"calls"},"condition":{"op":"above","value":1},"channels":[{"type":"webhook","url":"http://10.0.0.1/"}]}`, 400)

	s.alerts.evaluator.Pass(t.Context())
	s.alerts.evaluator.Pass(t.Context())
	for s.alerts.courier.Deliver(t.Context()) > 0 {
	}
	got := strings.Join(h.got(), ", ")
	for _, name := range []string{"all", "route", "p95", "week"} {
		if strings.Count(got+",", "alert.fired "+name+",") != 1 {
			t.Errorf("%s: got %s", name, got)
		}
	}
	if len(h.got()) != 4 || !h.signed {
		t.Errorf("got %s, signed: %v: %s", got, h.signed, &log)
	}
	if text := string(do("GET", "/metrics", "", 200)); !strings.Contains(text, "weir_alerts_firing 4\n") || !strings.Contains(text, `weir_alert_deliveries_total{channel="webhook",result="delivered"} 4`) {
		t.Error("metrics do not say so")
	}
	if strings.Contains(log.String(), "whsec_") {
		t.Error("a secret is logged")
	}
}

func TestFlagsOfAlertsAreChecked(t *testing.T) {
	for _, args := range [][]string{
		{"--smtp", "smtp://mail"},
		{"--mail-from", "a@b.c"},
		{"--smtp", "http://mail", "--mail-from", "a@b.c"},
		{"--smtp", "smtp://u:secret-word@h:x", "--mail-from", "a@b.c"},
		{"--smtp", "smtp://mail", "--mail-from", "nobody"},
		{"--mails-per-hour", "0"},
		{"--allow-private-webhooks", "10.0.0.1"},
	} {
		got := weirs(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir()}, args...)...)
		if got.status == 0 || !oneLine(got.stderr) || strings.Contains(got.stderr, "secret-word") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

// A running server checks by itself and stops with its courier.
func TestAServerTestsItsAlertsChannels(t *testing.T) {
	asAdmin(t, "the administrator's own secret")
	h := newHook(t)
	server := serves(t, t.TempDir(), "--allow-private-webhooks", "127.0.0.0/8,::1/128", "--smtp", "smtp://127.0.0.1:1", "--mail-from", "Weir <weir@example.org>")
	r := remote{URL: server.url, Token: "the administrator's own secret"}
	var p struct{ ID string }
	if err := r.call(t.Context(), http.MethodPost, "/api/v1/projects", map[string]string{"name": "Shop"}, &p); err != nil {
		t.Fatal(err)
	}
	var a struct{ ID string }
	alerts := "/api/v1/projects/" + p.ID + "/alerts"
	if err := r.call(t.Context(), http.MethodPost, alerts, map[string]any{
		"name": "Errors", "measure": map[string]any{"kind": "error_rate"}, "condition": map[string]any{"op": "above", "value": 0.1},
		"channels": []map[string]string{{"type": "webhook", "url": h.URL}, {"type": "email", "to": "ada@example.org"}},
	}, &a); err != nil {
		t.Fatal(err)
	}
	var tried struct {
		Deliveries []struct {
			Delivered bool
			Error     string
		}
	}
	if err := r.call(t.Context(), http.MethodPost, alerts+"/"+a.ID+"/test", nil, &tried); err != nil {
		t.Fatal(err)
	}
	if d := tried.Deliveries; len(d) != 2 || !d[0].Delivered || d[1].Delivered || d[1].Error == "" || len(h.got()) != 1 || h.got()[0] != "alert.test Errors" {
		t.Errorf("tried %+v, got %v", d, h.got())
	}
	if got := server.stops(); got != 0 {
		t.Fatalf("ended with %d: %s", got, server.log)
	}
}
