package alert

import "github.com/prometheus/client_golang/prometheus"

// Metrics are what alerts count of themselves.
type Metrics struct {
	checks     *prometheus.CounterVec // by result
	failures   prometheus.Counter
	firing     prometheus.Gauge
	moves      *prometheus.CounterVec // by state
	deliveries *prometheus.CounterVec // by channel, result
	waiting    prometheus.Gauge
	oldest     prometheus.Gauge
}

// Results of a delivery.
const (
	delivered = "delivered"
	retried   = "failed"
	givenUp   = "given_up"
	putOff    = "put_off" // by the limit of mails
)

// NewMetrics makes and registers them.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		checks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_alert_checks_total", Help: "Checks of alerts, by whether the value could be had; settling is after a time that events were missed in.",
		}, []string{"result"}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_alert_failures_total", Help: "Failed steps of checking and delivering alerts; they are made again.",
		}),
		firing: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_alerts_firing", Help: "Alerts that fire, of those that this node checks.",
		}),
		moves: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_alert_moves_total", Help: "Alerts that went to a state.",
		}, []string{"to"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_alert_deliveries_total", Help: "Attempts to deliver a message, by channel and result; put_off is by the limit of mails.",
		}, []string{"channel", "result"}),
		waiting: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_alert_outbox_messages", Help: "Messages on their way.",
		}),
		oldest: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_alert_outbox_oldest_seconds", Help: "Age of the oldest message on its way.",
		}),
	}
	for _, r := range []string{"done", "failed", "settling"} {
		m.checks.WithLabelValues(r)
	}
	for _, s := range []string{"ok", "pending", "firing", "clearing"} {
		m.moves.WithLabelValues(s)
	}
	for _, c := range []string{"webhook", "email"} {
		for _, r := range []string{delivered, retried, givenUp, putOff} {
			m.deliveries.WithLabelValues(c, r) // shown from the start, so that a rate has a zero to begin with
		}
	}
	reg.MustRegister(m.checks, m.failures, m.firing, m.moves, m.deliveries, m.waiting, m.oldest)
	return m
}
