package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/bench"
)

// fakeServer counts the events that it is sent and answers queries about them.
type fakeServer struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	ids      map[string]bool
	hidden   int // events that the next query does not see
	answer   func(n, events int) (status int, body string)
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{ids: map[string]bool{}, answer: accept}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/events", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if got := r.Header.Get("Authorization"); got != "Bearer KEY" {
			t.Errorf("authorization is %q", got)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("body: %v", err)
		}
		var events []struct{ ID string }
		if body[0] == '{' {
			body = append(append([]byte{'['}, body...), ']')
		}
		if err := json.Unmarshal(body, &events); err != nil {
			t.Errorf("body: %v", err)
		}
		f.requests++
		status, answer := f.answer(f.requests, len(events))
		if status == 200 {
			for _, e := range events {
				f.ids[e.ID] = true
			}
		}
		if after, ok := strings.CutPrefix(answer, "chunked "); ok {
			answer = after
			_, _ = io.WriteString(w, answer[:1])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, answer[1:])
			return
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	})
	mux.HandleFunc("POST /api/v1/projects/p1/query", func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if r.Header.Get("Authorization") != "Bearer TOKEN" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		seen := 1000 + max(len(f.ids)-f.hidden, 0)
		if len(f.ids) > 0 {
			f.hidden = 0
		}
		fmt.Fprintf(w, `{"series":[{"math":"total","total":%d}]}`, seen)
	})
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func accept(_, events int) (int, string) {
	return 200, fmt.Sprintf(`{"accepted":%d,"duplicates":0,"rejected":[]}`+"\n", events)
}

func config(url string) bench.Config {
	return bench.Config{
		URL: url, Key: "KEY", Duration: 100 * time.Millisecond,
		Connections: 2, Batch: 10, Devices: 100, Seed: 1,
	}
}

func run(t *testing.T, cfg bench.Config) *bench.Report {
	t.Helper()
	rep, err := bench.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func TestALoadCountsWhatTheServerTook(t *testing.T) {
	for _, batch := range []int{1, 10} {
		server := newFakeServer(t)
		cfg := config(server.URL)
		cfg.Batch = batch
		rep := run(t, cfg)
		if rep.Accepted == 0 || rep.Accepted != int64(len(server.ids)) || rep.Sent != rep.Accepted || rep.Requests != int64(server.requests) {
			t.Errorf("batch %d: %d accepted of %d sent in %d requests; the server has %d of %d",
				batch, rep.Accepted, rep.Sent, rep.Requests, len(server.ids), server.requests)
		}
		if l := rep.Latency; l.P50 <= 0 || l.P50 > l.P95 || l.P95 > l.P99 || l.P99 > l.Max || len(rep.Errors) != 0 {
			t.Errorf("latency %+v, errors %v", l, rep.Errors)
		}
		if rep.AcceptedPerSecond <= 0 || rep.Seconds < 0.1 || rep.BytesPerEvent < 200 {
			t.Errorf("report is %+v", rep)
		}
	}
}

func TestAnOpenLoopSendsAtItsRate(t *testing.T) {
	server := newFakeServer(t)
	cfg := config(server.URL)
	cfg.Rate, cfg.Batch, cfg.Duration = 2000, 10, 200*time.Millisecond
	// 2000 a second in tens for 0.2 s are 40 requests, however slow the machine.
	if rep := run(t, cfg); rep.Loop != "open" || rep.Requests != 40 || rep.Accepted != 400 {
		t.Errorf("%d requests, %d accepted in the %s loop", rep.Requests, rep.Accepted, rep.Loop)
	}
}

func TestAnOpenLoopCountsTheWaitForASlowServer(t *testing.T) {
	server := newFakeServer(t)
	server.answer = func(n, events int) (int, string) {
		if n == 1 {
			<-time.After(200 * time.Millisecond)
		}
		return accept(n, events)
	}
	cfg := config(server.URL)
	cfg.Connections, cfg.Rate, cfg.Batch = 1, 1000, 10
	// Ten requests are due within 100 ms, and the first holds them all up: each
	// has waited for at least 100 ms, though nine are answered at once.
	if rep := run(t, cfg); rep.Requests != 10 || rep.Latency.P50 < 100 {
		t.Errorf("%d requests, p50 %.1f ms", rep.Requests, rep.Latency.P50)
	}
}

func TestErrorsAreCountedByStatusAndRejectsByReason(t *testing.T) {
	server := newFakeServer(t)
	server.answer = func(n, events int) (int, string) {
		switch n {
		case 2:
			return 503, `{"error":{}}`
		case 3:
			return 500, ""
		case 4:
			return 200, `chunked {"accepted":7,"duplicates":1,"rejected":[{"index":0,"reason":"too_old"},{"index":1,"reason":"bad_name"}]}`
		}
		return accept(n, events)
	}
	cfg := config(server.URL)
	cfg.Connections, cfg.Rate = 1, 1000 // ten requests, however slow the machine
	rep := run(t, cfg)
	if diff := cmp.Diff(map[string]int64{"500": 1, "503": 1}, rep.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"too_old": 1, "bad_name": 1}, rep.Reasons); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if rep.Rejected != 2 || rep.Duplicates != 1 || rep.Accepted != rep.Sent-20-3 {
		t.Errorf("sent %d, accepted %d, duplicates %d, rejected %d", rep.Sent, rep.Accepted, rep.Duplicates, rep.Rejected)
	}
}

func TestABrokenConnectionIsMadeAnew(t *testing.T) {
	server := newFakeServer(t)
	server.answer = func(n, events int) (int, string) {
		if n == 2 {
			panic(http.ErrAbortHandler)
		}
		return accept(n, events)
	}
	cfg := config(server.URL)
	cfg.Connections, cfg.Rate = 1, 1000 // ten requests, however slow the machine
	rep := run(t, cfg)
	if rep.Errors["connection"] != 1 || rep.Requests < 3 || rep.Accepted != rep.Sent-10 {
		t.Errorf("report is %+v", rep)
	}
}

func TestALoadEndsAtOnceWhereItMakesNoSense(t *testing.T) {
	for status, want := range map[int]string{401: "answers 401", 404: "answers 404", 200: "not the answer of a Weir server"} {
		server := newFakeServer(t)
		server.answer = func(int, int) (int, string) { return status, "nope" }
		cfg := config(server.URL)
		cfg.Duration = time.Hour
		if _, err := bench.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: error is %v, want one with %q", status, err, want)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	cfg := config("http://" + free.Addr().String())
	cfg.Duration = time.Hour
	if _, err := bench.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("without a server, error is %v", err)
	}
}

func TestTheLagEndsWhenAQuerySeesEverything(t *testing.T) {
	server := newFakeServer(t)
	server.hidden = 5
	cfg := config(server.URL)
	cfg.Project, cfg.Token, cfg.PIDs = "p1", "TOKEN", []int{os.Getpid()}
	rep := run(t, cfg)
	if l := rep.Lag; l == nil || !l.Complete || l.Queries != 2 || l.Seen != rep.Accepted || l.Seconds <= 0 {
		t.Errorf("lag is %+v", l)
	}
	if s := rep.Servers; len(s) != 1 || s[0].RSSBefore <= 0 || s[0].RSSAfter <= 0 || s[0].RSSPeak < s[0].RSSAfter || s[0].Name == "" {
		t.Errorf("servers are %+v", s)
	}
	var text strings.Builder
	if err := rep.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"load          closed loop, 2 connections, 10 events a request", "lag           ", "server        ", "errors        0\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, text.String())
		}
	}
}

func TestAQueryThatFailsIsFoundBeforeTheLoad(t *testing.T) {
	server := newFakeServer(t)
	cfg := config(server.URL)
	cfg.Project, cfg.Token = "p1", "WRONG"
	if _, err := bench.Run(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), "401") || server.requests != 0 {
		t.Errorf("error is %v after %d requests", err, server.requests)
	}
}

func TestAnInterruptedLoadReports(t *testing.T) {
	server := newFakeServer(t)
	ctx, interrupt := context.WithCancel(t.Context())
	server.answer = func(n, events int) (int, string) {
		if n == 3 {
			interrupt()
		}
		return accept(n, events)
	}
	cfg := config(server.URL)
	cfg.Duration, cfg.Project, cfg.Token = time.Hour, "p1", "TOKEN"
	rep, err := bench.Run(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Accepted < 30 || rep.Accepted != int64(len(server.ids)) || rep.Lag != nil {
		t.Errorf("accepted %d of %d, lag %v", rep.Accepted, len(server.ids), rep.Lag)
	}
}

func TestAConfigThatCannotWorkIsRefused(t *testing.T) {
	for name, change := range map[string]func(*bench.Config){
		"address":     func(c *bench.Config) { c.URL = "localhost:8080" },
		"key":         func(c *bench.Config) { c.Key = "" },
		"header":      func(c *bench.Config) { c.Key = "a\r\nX: y" },
		"token":       func(c *bench.Config) { c.Project = "p1" },
		"duration":    func(c *bench.Config) { c.Duration = 0 },
		"connections": func(c *bench.Config) { c.Connections = 0 },
		"batch":       func(c *bench.Config) { c.Batch = 20_000 },
		"rate":        func(c *bench.Config) { c.Rate = -1 },
		"devices":     func(c *bench.Config) { c.Devices = 0 },
		"pid":         func(c *bench.Config) { c.PIDs = []int{1 << 30} },
	} {
		cfg := config("http://127.0.0.1:1")
		change(&cfg)
		if _, err := bench.Run(t.Context(), cfg); err == nil || strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func TestLoopbackIsThisMachineAlone(t *testing.T) {
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:80": true, "http://127.9.9.9": true,
		"http://192.0.2.1": false, "https://weir.example.com": false, "http://localhost.example.com": false,
		"http://0.0.0.0:8080": false, "://": false, "127.0.0.1:8080": false,
	} {
		if got := bench.IsLoopback(address); got != want {
			t.Errorf("%s: %t", address, got)
		}
	}
}
