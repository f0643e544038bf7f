package main

import (
	"context"
	"database/sql"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/insight"
)

// metrics are those of the drain and of queries; ingest and httpd have their own.
type metrics struct {
	batchEvents, batchSeconds prometheus.Histogram
	drained, dead, outside    prometheus.Counter
	failures                  *prometheus.CounterVec
	querySeconds              prometheus.Histogram
	queryErrors               prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		batchEvents: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_drain_batch_events", Help: "Events of a drained batch.",
			Buckets: []float64{1, 10, 100, 1000, 2500, 5000, 10000},
		}),
		batchSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_drain_batch_seconds", Help: "Time from reading a batch to its commit.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}),
		drained: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_drain_events_total", Help: "Events that reached the cold tier.",
		}),
		dead: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_drain_dead_letters_total", Help: "Events that the cold tier refused for ever.",
		}),
		outside: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_visits_left_out_events_total", Help: "Events that are stored in no visit, since their project has too many visits open.",
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_drain_failures_total", Help: "Failed steps of the drain, which it tries again.",
		}, []string{"shard"}),
		querySeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_query_seconds", Help: "Time of a query of the cold tier until its first row.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		queryErrors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_query_errors_total", Help: "Queries of the cold tier that failed or were cancelled.",
		}),
	}
	reg.MustRegister(m.batchEvents, m.batchSeconds, m.drained, m.dead, m.outside, m.failures, m.querySeconds, m.queryErrors)
	return m
}

func (m *metrics) committed(c drain.Commit) {
	m.batchEvents.Observe(float64(len(c.Rows)))
	m.batchSeconds.Observe(c.Took.Seconds())
	m.drained.Add(float64(len(c.Rows)))
	m.dead.Add(float64(c.Dead))
	m.outside.Add(float64(c.Outside))
}

func (m *metrics) drainFailed(shard int, _ error) {
	m.failures.WithLabelValues(strconv.Itoa(shard)).Inc()
}

// Those that follow add what is read when somebody asks.

func (m *metrics) watchDrain(reg prometheus.Registerer, d *drain.Drain) {
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "weir_drain_behind_events", Help: "Accepted events that are not in the cold tier yet.",
		}, func() float64 {
			n, err := d.Behind(context.Background())
			if err != nil {
				return -1
			}
			return float64(n)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "weir_drain_lag_seconds", Help: "Age of the time up to which the cold tier is complete.",
		}, func() float64 {
			if d.AsOf().IsZero() {
				return math.NaN() // not known yet
			}
			return time.Since(d.AsOf()).Seconds()
		}),
	)
}

// newBacklogMetrics shows what the brake does.
func newBacklogMetrics(reg prometheus.Registerer, b *drain.Brake) {
	reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "weir_backlog_refused_events_total", Help: "Events that were answered with 503, since too many wait for the drain.",
	}, func() float64 { return float64(b.Refused()) }))
}

func (m *metrics) watchInsights(reg prometheus.Registerer, e *insight.Engine) {
	for _, c := range []struct {
		name, help string
		value      func(insight.CacheStats) uint64
	}{
		{"weir_query_cache_hits_total", "Questions that accepted an older answer and were given a kept one.", func(s insight.CacheStats) uint64 { return s.Hits }},
		{"weir_query_cache_misses_total", "Questions that accepted an older answer when none was kept.", func(s insight.CacheStats) uint64 { return s.Misses }},
		{"weir_query_cache_joined_total", "Those of the misses that were answered by what another asker, here or at another node, was finding out.", func(s insight.CacheStats) uint64 { return s.Joined }},
		{"weir_query_cache_exact_total", "Questions that accepted no older answer.", func(s insight.CacheStats) uint64 { return s.Exact }},
		{"weir_query_cache_failures_total", "Failures of the cache; the questions were answered without it.", func(s insight.CacheStats) uint64 { return s.Failures }},
	} {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help},
			func() float64 { return float64(c.value(e.CacheStats())) }))
	}
}

// timed measures a reader's queries.
func (m *metrics) timed(r cold.Reader) cold.Reader { return timedReader{r, m} }

type timedReader struct {
	cold.Reader
	m *metrics
}

func (t timedReader) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	began := time.Now()
	rows, err := t.Reader.Query(ctx, query, args...)
	t.m.querySeconds.Observe(time.Since(began).Seconds())
	if err != nil {
		t.m.queryErrors.Inc()
	}
	return rows, err
}
