package report

import (
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	computed, failed, revised, unknown prometheus.Counter
	seconds                            prometheus.Histogram
	overdue, failing                   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		computed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_reports_computed_total", Help: "Daily reports computed and stored, the first time or again.",
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_reports_failed_total", Help: "Failed steps of scheduled reports; they are tried again.",
		}),
		revised: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_reports_revised_total", Help: "Stored daily reports whose numbers changed.",
		}),
		unknown: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_reports_unexplained_total", Help: "Computed daily reports that differ from the counters for no known reason.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_report_seconds", Help: "Time to compute a daily report.",
			Buckets: prometheus.ExponentialBuckets(0.01, 2, 15),
		}),
		overdue: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_report_overdue_seconds", Help: "For how long the missing daily report that was due first has been due, as of the last minute on the node that computes them; 0 when none is missing.",
		}),
		failing: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_reports_failing", Help: "Days whose report failed at its last try on this node; the log says which and why.",
		}),
	}
	reg.MustRegister(m.computed, m.failed, m.revised, m.unknown, m.seconds, m.overdue, m.failing)
	return m
}
