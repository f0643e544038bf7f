package receive

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/wire"
)

type metrics struct {
	refused     *prometheus.CounterVec // requests whose sender is refused, by reason
	unsupported *prometheus.CounterVec
}

// Reasons why a sender is refused, as label values.
const (
	reasonMissing = "missing" // no write key or name
	reasonUnknown = "unknown" // no project has it
	reasonLimited = "rate_limited"
	reasonOrigin  = "origin" // the key is restricted to other origins
)

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_senders_refused_total", Help: "Ingest requests refused before they were read, for their write key or their address's rate, by reason.",
		}, []string{"reason"}),
		unsupported: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_unsupported_total", Help: "Requests of vendors' SDKs that were taken though Weir does not keep what they bring, by vendor and kind.",
		}, []string{"vendor", "kind"}),
	}
	// Shown from the start, so that a rate over them begins at zero.
	for _, reason := range []string{reasonMissing, reasonUnknown, reasonLimited, reasonOrigin} {
		m.refused.WithLabelValues(reason)
	}
	if reg != nil {
		reg.MustRegister(m.refused, m.unsupported)
	}
	return m
}

// registerBudget shows how much memory requests take.
func registerBudget(reg prometheus.Registerer, b *wire.Budget) {
	if reg == nil || b.Size() == 0 {
		return
	}
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "weir_bodies_bytes", Help: "Memory that requests with events take now: their bodies, and what is made of them until it is stored.",
		}, func() float64 { return float64(b.Held()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "weir_bodies_limit_bytes", Help: "The most of weir_bodies_bytes. Requests whose project is not known yet may take a quarter of it.",
		}, func() float64 { return float64(b.Size()) }),
	)
	for _, reason := range wire.BudgetReasons() {
		reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "weir_bodies_refused_total", Help: "Requests refused since there was no memory for them, by reason.",
			ConstLabels: prometheus.Labels{"reason": reason},
		}, func() float64 { return float64(b.Refused(reason)) }))
	}
}
