package insight

import (
	"context"
	dbsql "database/sql"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/cold"
)

// Metrics measure queries of the cold tier and count what the cache of answers does.
type Metrics struct {
	reg     prometheus.Registerer
	seconds prometheus.Histogram
	errors  prometheus.Counter
}

// NewMetrics makes and registers the metrics of queries.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		reg: reg,
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_query_seconds", Help: "Time of a query of the cold tier until its first row.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 15),
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_query_errors_total", Help: "Queries of the cold tier that failed or were cancelled.",
		}),
	}
	reg.MustRegister(m.seconds, m.errors)
	return m
}

// WatchCache registers what the engine's cache does.
func (m *Metrics) WatchCache(e *Engine) {
	for _, c := range []struct {
		name, help string
		value      func(CacheStats) uint64
	}{
		{"weir_query_cache_hits_total", "Questions that accepted an older answer and were given a kept one.", func(s CacheStats) uint64 { return s.Hits }},
		{"weir_query_cache_misses_total", "Questions that accepted an older answer when none was kept.", func(s CacheStats) uint64 { return s.Misses }},
		{"weir_query_cache_joined_total", "Those of the misses that were answered by what another asker, here or at another node, was finding out.", func(s CacheStats) uint64 { return s.Joined }},
		{"weir_query_cache_exact_total", "Questions that accepted no older answer.", func(s CacheStats) uint64 { return s.Exact }},
		{"weir_query_cache_failures_total", "Failures of the cache; the questions were answered without it.", func(s CacheStats) uint64 { return s.Failures }},
	} {
		m.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help},
			func() float64 { return float64(c.value(e.CacheStats())) }))
	}
}

// Timed returns a reader that measures the queries of r.
func (m *Metrics) Timed(r cold.Reader) cold.Reader { return timedReader{r, m} }

type timedReader struct {
	cold.Reader
	m *Metrics
}

func (t timedReader) Query(ctx context.Context, query string, args ...any) (*dbsql.Rows, error) {
	began := time.Now()
	rows, err := t.Reader.Query(ctx, query, args...)
	t.m.seconds.Observe(time.Since(began).Seconds())
	if err != nil {
		t.m.errors.Inc()
	}
	return rows, err
}
