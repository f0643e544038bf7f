package client_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/client"
)

// sent is an event as the server reads it.
type sent struct {
	ID, Name   string
	TS         int64
	ProfileID  string `json:"profile_id"`
	Library    string
	Properties map[string]any
	Call       *struct {
		Method, Route, Consumer string
		Status                  int
		LatencyMS               float64 `json:"latency_ms"`
		RequestBytes            *int64  `json:"request_bytes"`
		ResponseBytes           *int64  `json:"response_bytes"`
		Error                   string
		TraceID                 string `json:"trace_id"`
	}
}

// fake is a Weir behind a RoundTripper: it takes an id once. answer, when not nil,
// may answer a request itself, before or after the events were taken.
type fake struct {
	answer func(n int, r *http.Request, events []sent, take func() *http.Response) (*http.Response, error)

	mu       sync.Mutex
	requests []request
	stored   map[string]int // by id, how often it was taken: never more than once
	events   []sent
}

type request struct {
	at     time.Time
	events []sent
	bytes  int // decompressed
	gzip   bool
	header http.Header
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	req := request{at: time.Now(), header: r.Header, gzip: r.Header.Get("Content-Encoding") == "gzip"}
	if req.gzip {
		z, err := gzip.NewReader(bytes.NewReader(raw))
		if err != nil {
			return nil, err
		}
		if raw, err = io.ReadAll(z); err != nil {
			return nil, err
		}
	}
	req.bytes = len(raw)
	for line := range bytes.Lines(raw) {
		var e sent
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("%w: %s", err, line)
		}
		req.events = append(req.events, e)
	}
	f.mu.Lock()
	n := len(f.requests)
	f.requests = append(f.requests, req)
	f.mu.Unlock()
	take := func() *http.Response { return f.take(req.events) }
	if f.answer != nil {
		return f.answer(n, r, req.events, take)
	}
	return take(), nil
}

func (f *fake) take(events []sent) *http.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stored == nil {
		f.stored = map[string]int{}
	}
	accepted, duplicates := 0, 0
	rejected := []map[string]any{}
	for i, e := range events {
		switch {
		case e.Name == "bad":
			rejected = append(rejected, map[string]any{"index": i, "reason": "wrong_type", "detail": "it is bad"})
		case f.stored[e.ID] > 0:
			duplicates++
		default:
			f.stored[e.ID]++
			f.events = append(f.events, e)
			accepted++
		}
	}
	body, err := json.Marshal(map[string]any{"accepted": accepted, "duplicates": duplicates, "rejected": rejected})
	if err != nil {
		panic(err)
	}
	return respond(200, string(body))
}

func (f *fake) seen() []request {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]request(nil), f.requests...)
}

func (f *fake) all() []sent {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]sent(nil), f.events...)
}

func respond(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// to returns a client of the fake server; change may be nil.
func to(t *testing.T, f http.RoundTripper, change func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{URL: "http://weir.test", Key: "wk_test", HTTP: &http.Client{Transport: f}, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shut(t *testing.T, c *client.Client) {
	t.Helper()
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	s := c.Stats()
	if sum := s.Accepted + s.Duplicates + s.Rejected + s.Dropped.Sum() + s.Queued; sum != s.Offered {
		t.Errorf("the counts add up to %d of %d: %+v", sum, s.Offered, s)
	}
}
