package spill

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct{ spilled, replayed, duplicates, failures prometheus.Counter }

// newMetrics makes the counters, and registers them unless reg is nil.
func newMetrics(reg prometheus.Registerer) *metrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		if reg != nil {
			reg.MustRegister(c)
		}
		return c
	}
	return &metrics{
		spilled:    counter("weir_spill_events_total", "Events that went to the local log, since the hot tier was away."),
		replayed:   counter("weir_spill_replayed_events_total", "Events of the local log that followed to the hot tier."),
		duplicates: counter("weir_spill_replayed_duplicates_total", "Events of them that the hot tier knew already."),
		failures:   counter("weir_spill_failures_total", "Failed steps of the replay, which it tries again."),
	}
}

// watch registers what waits, read at each scrape.
func (s *Spillway) watch(reg prometheus.Registerer) {
	gauge := func(name, help string, value func() float64) {
		reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
	gauge("weir_spill_pending_events", "Events that wait in the local log for the hot tier.", func() float64 {
		n, _, _ := s.Pending()
		return float64(n)
	})
	gauge("weir_spill_pending_bytes", "Bytes of their records.", func() float64 {
		_, n, _ := s.Pending()
		return float64(n)
	})
	gauge("weir_spill_oldest_seconds", "Age of the oldest of them, 0 when none waits.", func() float64 {
		n, _, oldest := s.Pending()
		if n == 0 {
			return 0
		}
		return time.Since(oldest).Seconds()
	})
}
