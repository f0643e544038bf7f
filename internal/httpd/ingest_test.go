package httpd_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
)

func TestEventsAreTakenWithTheKeyWhereverItStands(t *testing.T) {
	f := start(t)
	for name, send := range map[string]func() answer{
		"bearer":           func() answer { return f.as(f.key, "POST", "/v1/events", `{"name":"x"}`) },
		"bearer, any case": func() answer { return f.do("POST", "/v1/events", `{"name":"x"}`, "Authorization", "bearer "+f.key) },
		"header":           func() answer { return f.do("POST", "/v1/events", `{"name":"x"}`, "X-Weir-Key", f.key) },
		"query":            func() answer { return f.do("POST", "/v1/events?key="+f.key, `{"name":"x"}`) },
		"trailing slash":   func() answer { return f.as(f.key, "POST", "/v1/events/", `{"name":"x"}`) },
		"slash and query":  func() answer { return f.do("POST", "/v1/events/?key="+f.key, `{"name":"x"}`) },
	} {
		f.ingest = ingest.Reply{Accepted: 3, Duplicates: 2}
		a := send()
		wantStatus(t, a, 200)
		if a.body != `{"accepted":3,"duplicates":2,"rejected":[]}`+"\n" {
			t.Errorf("%s: %s", name, a.body)
		}
		if f.project.ID != f.shop.ID || f.bodies[len(f.bodies)-1] != `{"name":"x"}` {
			t.Errorf("%s: project %q got %q", name, f.project.ID, f.bodies)
		}
	}
	if strings.Contains(f.log.String(), f.key) {
		t.Error("a write key is logged")
	}
}

func TestRejectedEventsAreNamed(t *testing.T) {
	f := start(t)
	f.ingest = ingest.Reply{Accepted: 1, Rejected: []weir.Rejection{{Index: 1, Reason: "name_missing"}, {Index: 4, Reason: "too_deep", Detail: `a "b"`}}}
	a := f.as(f.key, "POST", "/v1/events", `[]`)
	wantStatus(t, a, 200)
	got := decode[httpd.IngestReply](t, a)
	want := httpd.IngestReply{Accepted: 1, Rejected: f.ingest.Rejected}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestARequestWhoseEventsAreAllRejectedIsAnErrorWithTheReasons(t *testing.T) {
	missing := []weir.Rejection{{Index: 0, Reason: "name_missing"}, {Index: 1, Reason: "wrong_type", Detail: `ts: want "now"`}}
	for name, c := range map[string]struct {
		reply  ingest.Reply
		status int
	}{
		"all wrong":        {ingest.Reply{Rejected: missing}, 400},
		"one is accepted":  {ingest.Reply{Accepted: 1, Rejected: missing}, 200},
		"one is known":     {ingest.Reply{Duplicates: 1, Rejected: missing}, 200},
		"all are known":    {ingest.Reply{Duplicates: 2}, 200},
		"none":             {ingest.Reply{}, 200},
		"one is left out":  {ingest.Reply{Rejected: append([]weir.Rejection{{Index: 2, Reason: ingest.ReasonSampled}}, missing...)}, 200},
		"one has to wait":  {ingest.Reply{Rejected: []weir.Rejection{{Index: 0, Reason: ingest.ReasonQuota}, {Index: 1, Reason: "name_missing"}}}, 200},
		"all are left out": {ingest.Reply{Rejected: []weir.Rejection{{Reason: ingest.ReasonSampled}}}, 200},
	} {
		f := start(t)
		f.ingest = c.reply
		a := f.as(f.key, "POST", "/v1/events", `[]`)
		wantStatus(t, a, c.status)
		if c.status == 400 {
			wantError(t, a, 400, weir.EINVALID)
		}
		got := decode[httpd.IngestReply](t, a)
		want := httpd.IngestReply{Accepted: c.reply.Accepted, Duplicates: c.reply.Duplicates, Rejected: append([]weir.Rejection{}, c.reply.Rejected...)}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestTheSenderIsPassedOn(t *testing.T) {
	f := start(t)
	f.do("POST", "/v1/events", coded(t, "zstd", "a"), "X-Weir-Key", f.key, "User-Agent", "curl/8", "X-Forwarded-For", "198.51.100.7, 203.0.113.9", "Content-Encoding", "zstd")
	f.do("POST", "/v1/events", "b", "X-Weir-Key", f.key, "User-Agent", "curl/8", "X-Weir-Historical", "true")
	f.do("POST", "/v1/events?historical=1", "c", "X-Weir-Key", f.key, "User-Agent", "curl/8")
	f.do("POST", "/v1/events?historical=maybe", "d", "X-Weir-Key", f.key, "User-Agent", "curl/8")
	f.do("POST", "/v1/events?sent_at=1763764725123", "e", "X-Weir-Key", f.key, "User-Agent", "Mozilla/5.0", "Origin", "https://shop.example")
	want := []ingest.Remote{
		{IP: "203.0.113.9", UserAgent: "curl/8"},
		{IP: "127.0.0.1", UserAgent: "curl/8", Historical: true},
		{IP: "127.0.0.1", UserAgent: "curl/8", Historical: true},
		{IP: "127.0.0.1", UserAgent: "curl/8"},
		{IP: "127.0.0.1", UserAgent: "Mozilla/5.0", Page: true},
	}
	if d := cmp.Diff(want, f.remotes); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"a", "b", "c", "d", "e"}, f.bodies); d != "" {
		t.Error(d)
	}
	if strings.Contains(f.log.String(), "203.0.113.9") {
		t.Error("a visitor's address is logged")
	}
}

func TestAMissingOrUnknownKeyIsRefusedAndCounted(t *testing.T) {
	f := start(t)
	for _, a := range []answer{
		f.do("POST", "/v1/events", `{}`),
		f.as("wk_made_up", "POST", "/v1/events", `{}`),
		f.as("wk_made_up", "POST", "/v1/events", `{}`), // remembered
		f.as(f.admin, "POST", "/v1/events", `{}`),
	} {
		wantError(t, a, 401, weir.EUNAUTHORIZED)
	}
	m := f.do("GET", "/metrics", "", "Authorization", "Bearer "+f.admin).body
	for _, line := range []string{
		`weir_ingest_senders_refused_total{reason="missing"} 1`,
		`weir_ingest_senders_refused_total{reason="unknown"} 3`,
	} {
		if !strings.Contains(m, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}
	if len(f.bodies) != 0 {
		t.Errorf("events of strangers were read: %q", f.bodies)
	}
}

func TestIngestErrorsHaveTheirStatus(t *testing.T) {
	f := start(t)
	for code, want := range map[string]struct {
		status     int
		retryAfter string
	}{
		weir.EINVALID:     {400, ""},
		weir.ETOOLARGE:    {413, ""},
		weir.EUNSUPPORTED: {415, ""},
		weir.ERATELIMITED: {429, "1"},
		weir.EUNAVAILABLE: {503, "5"},
		weir.EINTERNAL:    {500, ""},
		weir.ECONFLICT:    {409, ""},
	} {
		f.err = weir.Wrap(errors.New("secret inside"), code, "told")
		a := f.as(f.key, "POST", "/v1/events", `{}`)
		wantError(t, a, want.status, code)
		if a.header.Get("Retry-After") != want.retryAfter {
			t.Errorf("%s: Retry-After = %q, want %q", code, a.header.Get("Retry-After"), want.retryAfter)
		}
		if strings.Contains(a.body, "secret") {
			t.Errorf("%s: the answer tells of the inside: %s", code, a.body)
		}
	}
	f.err = errors.New("plain")
	wantError(t, f.as(f.key, "POST", "/v1/events", `{}`), 500, weir.EINTERNAL)
}

func TestABodyBeyondTheLimitIsTooLarge(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.MaxIngestBody = 100 })
	wantStatus(t, f.as(f.key, "POST", "/v1/events", strings.Repeat("x", 100)), 200)
	wantError(t, f.as(f.key, "POST", "/v1/events", strings.Repeat("x", 101)), 413, weir.ETOOLARGE)
}

func TestPagesOfAnySiteMaySendAndReadErrors(t *testing.T) {
	f := start(t)
	for _, path := range []string{"/v1/events", "/v1/events/"} {
		a := f.do("OPTIONS", path, "", "Origin", "https://blog.example", "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization, content-type, x-custom")
		wantStatus(t, a, 204)
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin":      "https://blog.example",
			"Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods":     "GET, POST, OPTIONS",
			"Access-Control-Allow-Headers":     "authorization, content-type, x-custom",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", path, name, got, want)
			}
		}
	}
	check := func(name string, a answer, status int) {
		t.Helper()
		wantStatus(t, a, status)
		if a.header.Get("Access-Control-Allow-Origin") != "https://blog.example" || a.header.Get("Access-Control-Allow-Credentials") != "true" {
			t.Errorf("%s: headers = %v", name, a.header)
		}
		if !strings.Contains(strings.Join(a.header.Values("Vary"), ","), "Origin") {
			t.Errorf("%s: Vary = %v", name, a.header.Values("Vary"))
		}
	}
	send := func(key string) answer {
		return f.do("POST", "/v1/events", `{}`, "Origin", "https://blog.example", "X-Weir-Key", key)
	}
	check("success", send(f.key), 200)
	check("unknown key", send("wk_made_up"), 401)
	f.err = weir.Errorf(weir.EUNAVAILABLE, "full")
	check("unavailable", send(f.key), 503)
	f.panics = "boom"
	check("panic", send(f.key), 500)
}

func TestPagesOfOtherSitesMayNotReadTheAPI(t *testing.T) {
	f := start(t)
	a := f.do("GET", "/api/v1/session", "", "Origin", "https://blog.example")
	if got := a.header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Fatalf("Access-Control-Allow-Origin = %q", got)
	}
}
