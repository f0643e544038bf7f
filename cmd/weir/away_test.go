package main

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/redistest"
)

// bodies are what routes are sent, so that they come as far as the stores.
var bodies = map[string]string{
	"POST /api/v1/setup":                                `{"email":"a@example.org","name":"Ada","password":"a long password"}`,
	"POST /api/v1/login":                                `{"email":"a@example.org","password":"a long password"}`,
	"POST /api/v1/projects":                             `{"name":"Another","timezone":"UTC"}`,
	"PATCH /api/v1/projects/{id}":                       `{"limit_key":"100/s","retention_days":30,"sites":["example.org"]}`,
	"POST /api/v1/projects/{id}/query":                  `{"kind":"trend","from":"-1d","interval":"day","series":[{"math":"total"}]}`,
	"POST /api/v1/projects/{id}/alerts":                 `{"name":"many","condition":{"metric":"calls","above":1,"window":1}}`,
	"POST /api/v1/projects/{id}/alerts/{alert}/silence": `{"for":"1h"}`,
	"PUT /api/v1/projects/{id}/reports/schedule":        `{"at":"02:00"}`,
}

// noRouteFails asks all routes at once, since some answer after seconds, and wants no
// answer that says that the program is wrong.
func noRouteFails(t *testing.T, r *running, id, key string) {
	t.Helper()
	fill := strings.NewReplacer("{id}", id, "{key}", "k", "{alert}", "a", "{profile}", "p", "{date}", time.Now().AddDate(0, 0, -1).Format(time.DateOnly), "{$}", "")
	var wg sync.WaitGroup
	for _, rule := range httpd.Rules() {
		wg.Go(func() {
			pattern := rule.Method + " " + rule.Path
			body, ok := bodies[pattern]
			if !ok {
				body = anEvent
			}
			token := adminToken
			if rule.Need == httpd.WriteKey || rule.Need == httpd.Sender {
				token = key
			}
			path := fill.Replace(rule.Path)
			if !strings.Contains(rule.Path, "{id}") {
				path += "?project=" + id
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, rule.Method, r.url+path, strings.NewReader(body))
			if err != nil {
				t.Error(err)
				return
			}
			if rule.Need == httpd.Session {
				req.AddCookie(&http.Cookie{Name: "weir_session", Value: "someone"})
			} else {
				req.Header.Set("Authorization", "Bearer "+token)
			}
			req.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Errorf("%s: %v", pattern, err)
				return
			}
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusInternalServerError {
				t.Errorf("%s: %s", pattern, resp.Status)
			}
			if retry := resp.Header.Get("Retry-After"); resp.StatusCode == http.StatusServiceUnavailable && retry == "" {
				t.Errorf("%s: 503 without Retry-After", pattern)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		for line := range strings.Lines(r.log.String()) {
			if strings.Contains(line, "request failed") || strings.Contains(line, "panic") {
				t.Log(line)
			}
		}
	}
}

func TestNoRouteFailsWhileAStoreIsAway(t *testing.T) {
	asAdmin(t, adminToken)
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	ch := clickhousetest.Start(t)
	r := serves(t, t.TempDir(), "--hot", redis.URL(), "--cold", ch.URL("weir"))
	id, key := r.shop()
	noRouteFails(t, r, id, key)
	ch.Kill()
	t.Run("ClickHouse is away", func(t *testing.T) { noRouteFails(t, r, id, key) })
	redis.Kill()
	t.Run("both are away", func(t *testing.T) { noRouteFails(t, r, id, key) })
	ch.Restart()
	t.Run("Redis is away", func(t *testing.T) {
		noRouteFails(t, r, id, key)
		if status, retry := r.asks("GET", "/api/v1/projects/"+id+"/stats/overview", adminToken, ""); status != 503 || retry == "" {
			t.Errorf("the overview: %d, Retry-After %q", status, retry)
		}
	})
	redis.Restart()
	r.until("it is ready", r.ready)
	redis.Do("CONFIG", "SET", "maxmemory", "1")
	t.Run("Redis is full", func(t *testing.T) { noRouteFails(t, r, id, key) })
}

func TestNoRouteFailsWhileTheDiskOfMetaIsFull(t *testing.T) {
	asAdmin(t, adminToken)
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("cannot mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	r := serves(t, t.TempDir(), "--meta", "sqlite:"+filepath.Join(disk, "meta.db"), "--min-free", "0")
	id, key := r.shop()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	_ = f.Close()
	status, retry := r.asks("PATCH", "/api/v1/projects/"+id, adminToken, `{"sites":["`+strings.Repeat("a", 60)+`.example.org"]}`)
	if status != 503 || retry == "" {
		t.Errorf("a change of a project: %d, Retry-After %q", status, retry)
	}
	if r.ready() {
		t.Error("it is ready, with a full disk")
	}
	noRouteFails(t, r, id, key)
}
