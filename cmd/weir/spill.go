package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/spill"
)

// openSpill opens the log that takes events while the hot tier is away.
func (s *server) openSpill(ctx context.Context, reg prometheus.Registerer) error {
	if s.cmd.Spill == "" || !s.cmd.has(roleIngest) {
		return nil
	}
	local, err := backend.OpenSpillLog(s.cmd.Spill, s.cmd.DedupWindow, s.cmd.MinFree<<20, s.log)
	if errors.Is(err, hot.ErrBusy) {
		return fmt.Errorf("--spill: another weir uses %s: each node has a folder of its own: %w", s.cmd.Spill, err)
	}
	if err != nil {
		return fmt.Errorf("--spill: %w", err)
	}
	s.onClose(local.Close)
	m := newSpillMetrics(reg)
	s.spill, err = spill.New(ctx, &s.late.hot, local, spill.Options{
		MaxBytes: int64(s.cmd.SpillMax) << 20, Location: s.location, Logger: s.log,
		Spilled:  func(n int) { m.spilled.Add(float64(n)) },
		Replayed: func(n, again int) { m.replayed.Add(float64(n)); m.known.Add(float64(again)) },
		Failed:   func(error) { m.failures.Inc() },
	})
	if err != nil {
		return fmt.Errorf("--spill: %w", err)
	}
	m.watch(reg, s.spill)
	return nil
}

// location is a project's timezone, which the counters need.
func (s *server) location(ctx context.Context, project string) (*time.Location, error) {
	p, err := s.meta.Project(ctx, project)
	if weir.ErrorCode(err) == weir.ENOTFOUND {
		return time.UTC, nil
	}
	if err != nil {
		return nil, err
	}
	return p.Location(), nil
}

type spillMetrics struct{ spilled, replayed, known, failures prometheus.Counter }

func newSpillMetrics(reg prometheus.Registerer) *spillMetrics {
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
		reg.MustRegister(c)
		return c
	}
	return &spillMetrics{
		spilled:  counter("weir_spill_events_total", "Events that went to the local log, since the hot tier was away."),
		replayed: counter("weir_spill_replayed_events_total", "Events of the local log that followed to the hot tier."),
		known:    counter("weir_spill_replayed_duplicates_total", "Events of them that the hot tier knew already."),
		failures: counter("weir_spill_failures_total", "Failed steps of the replay, which it tries again."),
	}
}

// watch adds what is read when somebody asks.
func (m *spillMetrics) watch(reg prometheus.Registerer, s *spill.Spillway) {
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
