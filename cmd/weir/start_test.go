package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redistest"
)

var listening = regexp.MustCompile(`opening the stores" address=(\S+)`)

// launches starts a server on a free port, and returns as soon as it listens.
func launches(t *testing.T, data string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, out: &journal{}, log: &journal{}, cancel: cancel, status: make(chan int, 1)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		args := append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--min-free", "1"}, args...)
		r.status <- run(ctx, args, r.out, r.log)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	r.until("it listens", func() bool { return listening.MatchString(r.log.String()) })
	r.url = "http://" + listening.FindStringSubmatch(r.log.String())[1]
	return r
}

// until waits until ok says so.
func (r *running) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not within a minute: %s\n%s", what, r.log)
		}
	}
}

// asks sends a request and returns the answer's status and Retry-After.
func (r *running) asks(method, path, token, body string) (status int, retry string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, resp.Header.Get("Retry-After")
}

// shop makes a project and returns its id and write key.
func (r *running) shop() (id, key string) {
	r.t.Helper()
	made := weirs(r.t, "project", "create", "Shop", "--url", r.url)
	return field(r.t, made.out, "project"), field(r.t, made.out, "write key")
}

func (r *running) ready() bool {
	status, _ := r.asks("GET", "/readyz", "", "")
	return status == http.StatusOK
}

const anEvent = `{"name":"x","device_id":"d"}`

func TestAServerThatWaitsForRedisAnswersThatItStarts(t *testing.T) {
	asAdmin(t, adminToken)
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	data := t.TempDir()
	first := serves(t, data, "--hot", redis.URL())
	id, key := first.shop()
	first.stops()
	redis.Kill()

	r := launches(t, data, "--hot", redis.URL())
	r.until("it waits", func() bool { return strings.Contains(r.log.String(), "waiting for Redis") })
	for _, x := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "/healthz", "", 200},
		{"GET", "/readyz", "", 503},
		{"POST", "/v1/events", key, 503},
		{"GET", "/", "", 503},
		{"GET", "/api/v1/session", "", 503},
		{"GET", "/api/v1/projects/" + id + "/stats/overview", adminToken, 503},
		{"GET", "/api/admin/status", adminToken, 503},
	} {
		status, retry := r.asks(x.method, x.path, x.token, anEvent)
		if status != x.want || (retry != "") != (x.want == 503) {
			t.Errorf("%s %s: %d, Retry-After %q, want %d", x.method, x.path, status, retry, x.want)
		}
	}
	if strings.Contains(r.out.String(), " is at ") {
		t.Error("it says that it is ready")
	}
	redis.Restart()
	r.until("it is ready", r.ready)
	if status, _ := r.asks("POST", "/v1/events", key, anEvent); status != 200 {
		t.Errorf("an event is answered with %d", status)
	}
	if n := strings.Count(r.log.String(), "waiting for Redis"); n > 2 {
		t.Errorf("%d lines say that it waits", n)
	}
	if got := r.stops(); got != 0 {
		t.Errorf("ended with %d: %s", got, r.log)
	}
}

func TestAServerDoesNotWaitForTheRedisOfItsCache(t *testing.T) {
	asAdmin(t, adminToken)
	redis := redistest.Start(t, "--appendfsync", "always")
	redis.Kill()
	r := launches(t, t.TempDir(), "--cache", redis.URL())
	r.until("it has opened its stores", func() bool { return strings.Contains(r.out.String(), " is at ") })
	id, key := r.shop()
	if status, _ := r.asks("POST", "/v1/events", key, anEvent); status != 200 {
		t.Errorf("an event is answered with %d", status)
	}
	ask := func() {
		t.Helper()
		body := `{"kind":"trend","from":"-1d","interval":"day","series":[{"math":"total"}]}`
		if status, _ := r.asks("POST", "/api/v1/projects/"+id+"/query", adminToken, body); status != 200 {
			t.Fatalf("a question is answered with %d", status)
		}
	}
	ask()
	redis.Restart()
	r.until("answers are kept in Redis", func() bool {
		ask()
		return redis.Do("DBSIZE") != "0"
	})
	if got := r.stops(); got != 0 {
		t.Errorf("ended with %d: %s", got, r.log)
	}
}

func TestAWrongPasswordOfTheCacheEndsTheStart(t *testing.T) {
	redis := redistest.Start(t, "--requirepass", "another")
	got := weirs(t, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--cache", "redis://:secret@"+redis.Addr)
	if got.status != 1 || !strings.Contains(got.stderr, "--cache") || strings.Contains(got.stderr, "secret") {
		t.Errorf("%+v", got)
	}
}

func TestAServerThatWaitsForRedisSpills(t *testing.T) {
	asAdmin(t, adminToken)
	redis := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	data := t.TempDir()
	args := []string{"--hot", redis.URL(), "--spill", filepath.Join(t.TempDir(), "spill")}
	first := serves(t, data, args...)
	id, key := first.shop()
	first.stops()
	redis.Kill()

	r := launches(t, data, args...)
	r.until("it takes events", r.ready)
	for range 2 { // the second is a duplicate
		if status, _ := r.asks("POST", "/v1/events", key, `{"id":"1","name":"x","device_id":"d"}`); status != 200 {
			t.Errorf("an event is answered with %d", status)
		}
	}
	if status, retry := r.asks("GET", "/api/v1/projects/"+id+"/stats/overview", adminToken, ""); status != 503 || retry == "" {
		t.Errorf("the overview: %d, Retry-After %q", status, retry)
	}
	redis.Restart()
	r.until("it has opened its stores", func() bool { return strings.Contains(r.out.String(), " is at ") })
	r.until("the event is in the hot tier", func() bool {
		return strings.Contains(get(t, r.url+"/metrics", ""), "weir_spill_replayed_events_total 1\n")
	})
	if m := get(t, r.url+"/metrics", ""); !strings.Contains(m, "weir_spill_events_total 1\n") {
		t.Error(m)
	}
	if got := r.stops(); got != 0 {
		t.Errorf("ended with %d: %s", got, r.log)
	}
}

func TestAServerThatWaitsCanBeStopped(t *testing.T) {
	redis := redistest.Start(t)
	redis.Kill()
	r := launches(t, t.TempDir(), "--hot", redis.URL())
	r.until("it waits", func() bool { return strings.Contains(r.log.String(), "waiting for Redis") })
	if got := r.stops(); got != 0 {
		t.Errorf("ended with %d: %s", got, r.log)
	}
}

func TestAWrongPasswordEndsAStart(t *testing.T) {
	redis := redistest.Start(t, "--requirepass", "right")
	got := weirs(t, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--hot", strings.Replace(redis.URL(), "right", "wrong", 1))
	if got.status != 1 || !strings.Contains(got.stderr, "does not take the user or password") {
		t.Errorf("%+v", got)
	}
}

func TestAServerIsNotReadyWhenItsDiskHasLessThanMinFree(t *testing.T) {
	r := launches(t, t.TempDir(), "--min-free", "100000000000")
	r.until("it has opened its stores", func() bool { return strings.Contains(r.out.String(), " is at ") })
	resp, err := http.Get(r.url + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 503 || !strings.Contains(string(body), `"disk":"unavailable"`) {
		t.Errorf("%s: %s", resp.Status, body)
	}
}

func TestANodeWithOtherProjectsIsRefusedByTheFleet(t *testing.T) {
	redis := redistest.Start(t, "--appendonly", "yes")
	args := []string{"--hot", redis.URL(), "--roles", "ingest"}
	data, other := t.TempDir(), t.TempDir()
	first := serves(t, data, args...)
	refused := weirs(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", other}, args...)...)
	if refused.status != 1 || !strings.Contains(refused.stderr, "--adopt-meta") {
		t.Errorf("another meta store: %+v", refused)
	}
	with := append(args, "--meta", "sqlite:"+filepath.Join(data, "meta.db"), "--key-ring", filepath.Join(data, "keys"))
	if got := serves(t, t.TempDir(), with...).stops(); got != 0 {
		t.Errorf("the same meta store: %d", got)
	}
	first.stops()
	if got := serves(t, other, append(args, "--adopt-meta")...).stops(); got != 0 {
		t.Errorf("adopted: %d", got)
	}
	if got := serves(t, other, args...).stops(); got != 0 {
		t.Errorf("after it was adopted: %d", got)
	}
	refused = weirs(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data}, args...)...)
	if refused.status != 1 {
		t.Errorf("the former meta store: %+v", refused)
	}
}

// copyFolder copies a folder, or a file.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if info.IsDir() {
		err = os.CopyFS(to, os.DirFS(from))
	} else {
		var raw []byte
		if raw, err = os.ReadFile(from); err == nil {
			err = os.WriteFile(to, raw, 0o600)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestIdleConnectionsLeaveTheStoresTheirFiles(t *testing.T) {
	asAdmin(t, adminToken)
	c := startCommand(t, exec.Command("sh", "-c", `ulimit -n 256 && exec "$0" "$@"`, os.Args[0],
		"serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--min-free", "0", "--trusted-proxies", "10.0.0.1/32"))
	r := &running{t: t, url: c.says(c.out, " is at "), log: &journal{}}
	_, key := r.shop()
	addr := strings.TrimPrefix(r.url, "http://")
	for i := range 300 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i/100))}}
		idle, err := d.DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	for i := range 20 {
		if status, _ := r.asks("POST", "/v1/events", key, anEvent); status != 200 {
			t.Fatalf("event %d is answered with %d", i, status)
		}
	}
	r.until("they are drained", func() bool { return strings.Contains(get(t, r.url+"/metrics", ""), "weir_drain_events_total 20\n") })
	c.unread()
	c.stops()
}
