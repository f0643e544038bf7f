package httpd

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	guesses  *prometheus.CounterVec
	wrong    *prometheus.CounterVec
	streams  prometheus.Gauge

	streamsRefused *prometheus.CounterVec
	strangeProxies prometheus.Counter

	auditSkipped, auditFailed prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "weir_http_request_seconds", Help: "Time from a request's header to the end of its answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"route"}),
		guesses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_login_throttled_total", Help: "Attempts to sign in, by password, token or set-up code, that came too soon after others, by what they had in common.",
		}, []string{"by"}),
		wrong: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_login_failed_total", Help: "Passwords, tokens and set-up codes that were wrong, by which.",
		}, []string{"reason"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "weir_live_streams", Help: "Live streams open now.",
		}),
		streamsRefused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "weir_live_refused_total", Help: "Live streams refused because too many were open, by whose.",
		}, []string{"by"}),
		strangeProxies: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_http_untrusted_proxy_total", Help: "Requests with X-Forwarded-For from a private address that is not in --trusted-proxies: their visitors count as one.",
		}),
	}
	m.auditSkipped = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "weir_audit_skipped_total", Help: "Refused acts that the audit log left out, since there were too many.",
	})
	m.auditFailed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "weir_audit_failures_total", Help: "Acts that could not be stored in the audit log; the server's log has them.",
	})
	reg.MustRegister(m.requests, m.seconds, m.guesses, m.wrong, m.streams, m.streamsRefused, m.strangeProxies, m.auditSkipped, m.auditFailed)
	// Shown from the start, so that a rate over them begins at zero.
	for _, by := range []string{"address", "network", "account_and_address", "account", "device", "token", "setup_code", "invitation", "reset", "second_factor", "oidc"} {
		m.guesses.WithLabelValues(by)
	}
	for _, reason := range []string{"password", "token", "setup_code", "invitation", "reset", "second_factor", "oidc"} {
		m.wrong.WithLabelValues(reason)
	}
	for _, by := range []string{"user", "project", "server"} {
		m.streamsRefused.WithLabelValues(by)
	}
	return m
}

func (m *metrics) observe(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	if route == liveRoute {
		return // lasts as long as the client likes
	}
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}
