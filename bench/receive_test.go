package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/meta"
)

// taker takes events as a server does, from the handler to the acknowledged append in Pebble,
// without a network and a drain.
type taker struct {
	handler http.Handler
	key     string
	sent    int
}

func newTaker(tb testing.TB) *taker {
	tb.Helper()
	log, err := pebble.Open(filepath.Join(tb.TempDir(), "hot"), pebble.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = log.Close() })
	directory, err := meta.Open(tb.Context(), filepath.Join(tb.TempDir(), "meta.db"), time.Now)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = directory.Close() })
	_, key, err := directory.CreateProject(tb.Context(), meta.NewProject{Name: "bench", Timezone: "UTC"})
	if err != nil {
		tb.Fatal(err)
	}
	enricher, err := enrich.New(enrich.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = enricher.Close() })
	s := httpd.New(httpd.Config{
		Directory: directory, Clock: time.Now, UI: fstest.MapFS{}, Logger: slog.New(slog.DiscardHandler),
		Ingest: ingest.New(ingest.Config{Log: log, Salts: directory, Enrich: enricher, Clock: time.Now}),
	})
	return &taker{handler: s.Handler(), key: key}
}

// request returns a request with so many events of some 400 bytes.
func (k *taker) request(tb testing.TB, events int) *http.Request {
	tb.Helper()
	var body bytes.Buffer
	body.WriteByte('[')
	for i := range events {
		k.sent++
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"id":"01987a3c-6d2e-7c41-8000-%012x","name":"screen_view","device_id":"d_%016x","url":"https://example.com/docs/%d","referrer":"https://www.google.com/",`+
			`"user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0","ip":"203.0.113.%d","properties":{"plan":"pro","button":"upgrade","position":3}}`,
			k.sent, k.sent%1000, k.sent%50, k.sent%200)
	}
	body.WriteByte(']')
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "/v1/events", &body)
	if err != nil {
		tb.Fatal(err)
	}
	r.Header = http.Header{"Authorization": {"Bearer " + k.key}, "Content-Type": {"application/json"}, "User-Agent": {"bench"}}
	r.RemoteAddr = "127.0.0.1:50000"
	return r
}

// send sends a request.
func (k *taker) send(tb testing.TB, r *http.Request, w *answered) {
	tb.Helper()
	clear(w.header)
	w.body = w.body[:0]
	k.handler.ServeHTTP(w, r)
	if !strings.Contains(string(w.body), `"duplicates":0,"rejected":[]`) {
		tb.Fatalf("%d %s", w.status, w.body)
	}
}

// answered is a http.ResponseWriter that is used again.
type answered struct {
	header http.Header
	status int
	body   []byte
}

func (w *answered) Header() http.Header  { return w.header }
func (w *answered) WriteHeader(code int) { w.status = code }
func (w *answered) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}
func (w *answered) SetReadDeadline(time.Time) error { return nil }

// cost is what the process allocated for an event.
type cost struct{ allocations, bytes float64 }

func (k *taker) cost(tb testing.TB, requests, events int) cost {
	tb.Helper()
	w := &answered{header: http.Header{}}
	all := make([]*http.Request, requests)
	for i := range all {
		all[i] = k.request(tb, events)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, r := range all {
		k.send(tb, r, w)
	}
	runtime.ReadMemStats(&after)
	n := float64(requests * events)
	return cost{float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n}
}

// An event on its way from the request to the acknowledged append takes no more memory than
// this, which a garbage collector has to take back. What net/http takes is not in it.
func TestAnEventTakesFewAllocationsUntilItIsAcknowledged(t *testing.T) {
	k := newTaker(t)
	for _, c := range []struct {
		events, requests int
		most             cost
	}{
		{1, 500, cost{38, 4000}},
		{100, 20, cost{3, 600}},
	} {
		k.cost(t, 20, c.events) // fills pools and caches
		got := k.cost(t, c.requests, c.events)
		t.Logf("requests of %d: %.1f allocations, %.0f bytes an event", c.events, got.allocations, got.bytes)
		if got.allocations > c.most.allocations || got.bytes > c.most.bytes {
			t.Errorf("requests of %d: %.1f allocations and %.0f bytes an event, at most %v expected", c.events, got.allocations, got.bytes, c.most)
		}
	}
}

// BenchmarkReceive takes events one at a time by 64 senders, and by the hundred by 4, without
// a network. One op is one event.
func BenchmarkReceive(b *testing.B) {
	for _, c := range []struct{ events, senders int }{{1, 64}, {100, 4}} {
		b.Run(fmt.Sprint("events=", c.events), func(b *testing.B) {
			k := newTaker(b)
			requests := make(chan *http.Request, b.N/c.events+1)
			for range cap(requests) {
				requests <- k.request(b, c.events)
			}
			close(requests)
			done := make(chan struct{})
			began := cpuTime(b)
			b.ReportAllocs()
			b.ResetTimer()
			for range c.senders {
				go func() {
					defer func() { done <- struct{}{} }()
					w := &answered{header: http.Header{}}
					for r := range requests {
						k.send(b, r.WithContext(context.Background()), w)
					}
				}()
			}
			for range c.senders {
				<-done
			}
			b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/1000/float64(b.N), "cpu-us/op")
		})
	}
}
