package httpd_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
)

func TestHealthSaysThatTheProcessRuns(t *testing.T) {
	f := start(t, func(c *httpd.Config) {
		c.Checks = []httpd.Check{{Name: "hot", Probe: func(context.Context) error { return errors.New("down") }}}
	})
	a := f.do("GET", "/healthz", "")
	wantStatus(t, a, 200)
	if strings.TrimSpace(a.body) != `{"status":"ok"}` {
		t.Fatalf("answer = %s", a.body)
	}
	wantStatus(t, f.do("HEAD", "/healthz", ""), 200)
}

func TestReadyNamesThePartsThatDoNotWork(t *testing.T) {
	var broken error
	f := start(t, func(c *httpd.Config) {
		c.Checks = []httpd.Check{
			{Name: "hot", Probe: func(context.Context) error { return nil }},
			{Name: "cold", Probe: func(context.Context) error { return broken }},
		}
	})
	a := f.do("GET", "/readyz", "")
	wantStatus(t, a, 200)
	if strings.TrimSpace(a.body) != `{"status":"ready","checks":{"cold":"ok","hot":"ok"}}` {
		t.Fatalf("answer = %s", a.body)
	}
	broken = errors.New("disk on fire")
	a = f.do("GET", "/readyz", "")
	wantError(t, a, 503, weir.EUNAVAILABLE)
	if !strings.Contains(a.body, `"cold":"unavailable"`) || !strings.Contains(a.body, `"hot":"ok"`) || strings.Contains(a.body, "fire") {
		t.Fatalf("answer = %s", a.body)
	}
	if a.header.Get("Retry-After") == "" {
		t.Error("a 503 without Retry-After")
	}
	if !strings.Contains(f.log.String(), "disk on fire") {
		t.Error("why it is not ready is not logged")
	}
}

func TestReadyWithoutChecksIsReady(t *testing.T) {
	f := start(t)
	wantStatus(t, f.do("GET", "/readyz", ""), 200)
}
