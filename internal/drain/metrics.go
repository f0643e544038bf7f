package drain

import (
	"context"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what drains do. Committed and Failed are for Options.
type Metrics struct {
	reg                       prometheus.Registerer
	batchEvents, batchSeconds prometheus.Histogram
	drained, dead, outside    prometheus.Counter
	failures                  *prometheus.CounterVec
}

// NewMetrics makes and registers the metrics.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		reg: reg,
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
	}
	reg.MustRegister(m.batchEvents, m.batchSeconds, m.drained, m.dead, m.outside, m.failures)
	return m
}

// Committed counts a batch.
func (m *Metrics) Committed(c Commit) {
	m.batchEvents.Observe(float64(len(c.Rows)))
	m.batchSeconds.Observe(c.Took.Seconds())
	m.drained.Add(float64(len(c.Rows)))
	m.dead.Add(float64(c.Dead))
	m.outside.Add(float64(c.Outside))
}

// Failed counts a failed step.
func (m *Metrics) Failed(shard int, _ error) {
	m.failures.WithLabelValues(strconv.Itoa(shard)).Inc()
}

// WatchDrain registers the backlog of d, read at each scrape.
func (m *Metrics) WatchDrain(d *Drain) {
	for shard := range d.log.Shards() {
		m.failures.WithLabelValues(strconv.Itoa(shard)) // a rate needs a zero to begin with
	}
	m.reg.MustRegister(
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

// WatchBrake registers what b has refused.
func (m *Metrics) WatchBrake(b *Brake) {
	m.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "weir_backlog_refused_events_total", Help: "Events that were answered with 503, since too many wait for the drain.",
	}, func() float64 { return float64(b.Refused()) }))
}
