package ingest

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/wire"
)

// metrics counts every event by what happened to it.
type metrics struct {
	accepted, duplicates prometheus.Counter
	rejected             *prometheus.CounterVec // events, by reason
	flagged              prometheus.Counter     // events stored with the mark of a used up quota
	idsRefused           *prometheus.CounterVec // ids that were left out, by kind
	requests             *prometheus.CounterVec // requests refused as a whole, by code
	appendTime           prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) metrics {
	m := metrics{
		accepted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_events_accepted_total", Help: "Events that are durable in the hot tier.",
		}),
		duplicates: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_events_duplicate_total", Help: "Events whose id was seen before.",
		}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_events_rejected_total", Help: "Events that were not taken, by reason.",
		}, []string{"reason"}),
		flagged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_events_flagged_total", Help: "Events taken and marked since their project's quota is used up.",
		}),
		idsRefused: newIDsRefused(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_ingest_requests_refused_total", Help: "Ingest requests refused whole, by error code.",
		}, []string{"code"}),
		appendTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "weir_append_seconds", Help: "Time of a durable append.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	for _, r := range slices.Concat(wire.Reasons(), wire.SpanReasons(), wire.VendorReasons(), []string{ReasonLimited, ReasonQuota, ReasonSampled, ReasonAddress, ReasonBot}) {
		m.rejected.WithLabelValues(r)
	}
	for _, c := range []string{weir.EINVALID, weir.ETOOSLOW, weir.ETOOLARGE, weir.EUNSUPPORTED, weir.EUNAVAILABLE, weir.ERATELIMITED, weir.EQUOTA} {
		m.requests.WithLabelValues(c)
	}
	if reg != nil {
		reg.MustRegister(m.accepted, m.duplicates, m.rejected, m.flagged, m.idsRefused, m.requests, m.appendTime)
	}
	return m
}

func (m *metrics) refused(err error) { m.requests.WithLabelValues(weir.ErrorCode(err)).Inc() }

func (m *metrics) appended(accepted, duplicates int, took time.Duration) {
	m.accepted.Add(float64(accepted))
	m.duplicates.Add(float64(duplicates))
	m.appendTime.Observe(took.Seconds())
}
