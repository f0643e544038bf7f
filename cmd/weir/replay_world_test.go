package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
	"github.com/weir-analytics/weir/internal/report"
	"github.com/weir-analytics/weir/internal/stats"
)

// replayWorld is a whole server at a time that the test sets.
type replayWorld struct {
	t        *testing.T
	now      atomic.Int64 // µs
	began    time.Time    // by the clock on the wall
	url      string
	admin    string
	meta     *meta.Store
	hot      hot.Store
	cold     cold.Store
	insights *insight.Engine
	reports  *report.Reporter
	nightly  *report.Scheduler
	reg      *prometheus.Registry
}

func (w *replayWorld) clock() time.Time { return time.UnixMicro(w.now.Load()).UTC() }

func (w *replayWorld) set(now time.Time) { w.now.Store(now.UnixMicro()) }

// ticking returns the time of the drain, which waits between two writes: the test's, and
// it goes on.
func (w *replayWorld) ticking() time.Time { return w.clock().Add(time.Since(w.began)) }

// embedded and clustered are the pairs of stores that a replay runs on.
func embedded(t *testing.T, clock weir.Clock) (hot.Store, cold.Store) {
	log, err := pebble.Open(filepath.Join(t.TempDir(), "hot"), pebble.Options{Clock: clock, MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return log, c
}

func clustered(t *testing.T, clock weir.Clock) (hot.Store, cold.Store) {
	server, events := redistest.Start(t), clickhousetest.Start(t)
	u, err := redisconn.Parse(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	client, err := redisconn.Open(t.Context(), u, redisconn.Options{Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	log, err := redis.Open(t.Context(), client, "", redis.Options{Clock: clock, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	to, err := clickhouse.Parse(events.URL("weir"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := clickhouse.Open(t.Context(), to, clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return log, c
}

func newReplayWorld(t *testing.T, stores func(*testing.T, weir.Clock) (hot.Store, cold.Store)) *replayWorld {
	t.Helper()
	w := &replayWorld{t: t, reg: prometheus.NewRegistry(), began: time.Now()}
	w.set(replayFrom)
	w.hot, w.cold = stores(t, w.clock)
	t.Cleanup(func() { _ = w.hot.Close() })
	t.Cleanup(func() { _ = w.cold.Close() })
	var err error
	if w.meta, err = meta.Open(t.Context(), filepath.Join(t.TempDir(), "meta.db"), w.clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.meta.Close() })
	if w.admin, _, err = w.meta.EnsureAdminToken(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	kinds, err := enrich.New(enrich.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kinds.Close() })

	d := drain.New(w.hot, w.cold, drain.Options{
		Clock: w.ticking, BarrierWait: time.Minute, LeaseTTL: 1000 * time.Hour,
		Failed: func(shard int, err error) { t.Logf("drain of shard %d: %v", shard, err) },
	})
	ctx, stop := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_ = d.Run(ctx)
	}()
	t.Cleanup(func() { stop(); <-drained })

	e := insight.New(w.cold, d, w.clock, insight.Options{})
	w.insights = e
	at, err := report.ParseAt("01:00")
	if err != nil {
		t.Fatal(err)
	}
	w.reports = report.New(report.Config{
		Store: w.meta, Counters: w.hot, At: at, Clock: w.clock, Registry: w.reg, Source: report.NewInsightSource(e, w.cold, d),
	})
	w.nightly = report.NewScheduler(w.reports, w.meta, always)
	s := httptest.NewServer(httpd.New(httpd.Config{
		Directory: w.meta, Clock: w.clock, UI: fstest.MapFS{}, Logger: slog.New(slog.DiscardHandler),
		Ingest: ingest.New(ingest.Config{Log: w.hot, Salts: w.meta, Enrich: kinds, Clock: w.clock}),
		Stats:  stats.New(w.hot, w.clock), Insights: e, Reports: w.reports, Live: live.NewHub(1),
	}).Handler())
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

// call sends a request and reads the answer's JSON, if out is not nil.
func (w *replayWorld) call(method, path, token string, body []byte, out any) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s: %s %s %v", method, path, res.Status, text, err)
	}
	if raw, ok := out.(*string); ok {
		*raw = string(text)
	} else if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			w.t.Fatalf("%s %s: %s: %v", method, path, text, err)
		}
	}
}

// get asks as the administrator.
func (w *replayWorld) get(path string, out any) {
	w.t.Helper()
	w.call("GET", path, w.admin, nil, out)
}

// send sends the events in requests of many, some of them twice as a client does
// that got no answer, and counts what the server said.
func (w *replayWorld) send(key string, events []*replayed, rnd *rand.Rand) {
	w.t.Helper()
	accepted, duplicates, again := 0, 0, 0
	for len(events) > 0 {
		n := min(len(events), 1000+rnd.IntN(4000))
		bodies := [][]*replayed{events[:n]}
		if rnd.IntN(5) == 0 { // again, in part, with the same ids
			from := rnd.IntN(n)
			bodies = append(bodies, events[from:n])
			again += n - from
		}
		events = events[n:]
		for _, b := range bodies {
			var reply struct {
				Accepted, Duplicates int
				Rejected             []any
			}
			w.call("POST", "/v1/events", key, ndjson(b), &reply)
			if len(reply.Rejected) > 0 {
				w.t.Fatalf("rejected: %v", reply.Rejected[0])
			}
			accepted += reply.Accepted
			duplicates += reply.Duplicates
		}
	}
	if duplicates != again {
		w.t.Errorf("%d accepted and %d duplicates; %d were sent twice", accepted, duplicates, again)
	}
}

func ndjson(events []*replayed) []byte {
	var b []byte
	for _, r := range events {
		e := map[string]any{"id": r.id, "ts": r.at.Format(time.RFC3339Nano)}
		if r.call {
			e["name"] = weir.NameCall
			c := map[string]any{"method": r.method, "route": r.route}
			if r.status != 0 {
				c["status"] = r.status
			}
			if r.latency != 0 {
				c["latency_ms"] = r.latency
			}
			if r.who != "" {
				c["consumer"], e["profile_id"] = r.who, r.who
			}
			e["call"] = c
		} else {
			e["name"], e["device_id"], e["path"] = weir.NameScreenView, r.who, "/"
		}
		line, err := json.Marshal(e)
		if err != nil {
			panic(fmt.Sprint(err))
		}
		b = append(append(b, line...), '\n')
	}
	return b
}

func always(context.Context, time.Duration) (bool, error) { return true, nil }
