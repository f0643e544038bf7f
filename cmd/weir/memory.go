package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	gometrics "runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/memory"
)

// divide makes the budget's parts of the flags.
func (c *serveCmd) divide() error {
	if c.ColdMemory != 0 && c.cold.Shared {
		return errors.New("--cold-memory is for a DuckDB file; for ClickHouse there is max_memory in its address")
	}
	u := memory.Uses{Hot: !c.hot.Shared, Cold: c.usesCold() && !c.cold.Shared, ColdLimit: c.ColdMemory}
	if !u.Cold {
		u.ColdLimit = 0
	}
	total := c.Memory
	if total == 0 {
		n, err := memory.Available()
		if err != nil {
			return fmt.Errorf("--memory is missing: %w", err)
		}
		// A machine that is too small is no fault of the flags.
		total = max(n, memory.Least)
	}
	var err error
	if c.parts, err = memory.Divide(total, u); err == nil {
		return nil
	}
	switch {
	case u.ColdLimit > 0 && u.ColdLimit < memory.LeastCold:
		return fmt.Errorf("--cold-memory: %w", err)
	case u.ColdLimit > 0:
		return fmt.Errorf("--memory, --cold-memory: %w", err)
	default:
		return fmt.Errorf("--memory: %w", err)
	}
}

// bound holds the process to the budget, as far as Go and the C library are concerned,
// and says how the budget is divided.
func (c *serveCmd) bound(log *slog.Logger) {
	p := c.parts
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(int64(p.Go))
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(p.GCPercent())
	}
	backend.BoundMalloc(p.Total < 2*memory.GB)
	attrs := []any{"total", p.Total}
	for _, part := range partsOf(p) {
		if part.size > 0 {
			attrs = append(attrs, part.name, part.size)
		}
	}
	log.Info("memory is divided", attrs...)
	if n, err := memory.Available(); err == nil && p.Total > n*100/memory.Share {
		log.Warn("the machine or container has less memory than --memory; the process may be killed", "memory", p.Total, "available", n*100/memory.Share)
	}
}

// slimEvery is how often memory that is not needed is given back.
const slimEvery = time.Minute

// keepSlim gives back what is held for nothing: pages of the program's file that were
// read at the start, and what the C library holds back.
func keepSlim(ctx context.Context, log *slog.Logger) error {
	t := time.NewTicker(slimEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			backend.TrimMalloc()
			if err := dropPages(); err != nil {
				log.Warn("cannot give pages of the program's file back", "error", err)
				return nil
			}
		}
	}
}

type part struct {
	name string
	size memory.Size
}

// partsOf names the parts, in the log and in metrics.
func partsOf(p memory.Parts) []part {
	return []part{
		{"program", p.Program},
		{"go", p.Go},
		{"hot", p.Hot},
		{"cold", p.Cold},
		{"cold_extra", p.ColdExtra},
		{"bodies", p.Bodies},
		{"batches", p.Batches},
		{"visits", p.Visits},
		{"presence", p.Presence},
		{"counts", p.Counts},
		{"ids", p.IDs},
		{"pages", p.Pages},
		{"answers", p.Answers},
		{"kept_answers", p.Kept},
	}
}

// memoryMetrics show each part of the budget: its limit, and what is used of it where
// that is known.
type memoryMetrics struct {
	parts memory.Parts
	used  map[string]func() float64 // by name of the part

	limit, use, spilled *prometheus.Desc
	cold                func(ctx context.Context) (used, spilled int64, err error) // nil unless it is in this process
	hot                 func() map[string]int64                                    // likewise, by name of the part
}

func (s *server) watchMemory(engine *insight.Engine) {
	m := &memoryMetrics{
		parts:   s.cmd.parts,
		used:    map[string]func() float64{"total": resident("VmRSS"), "program": resident("RssFile"), "go": goMemory},
		limit:   prometheus.NewDesc("weir_memory_limit_bytes", "How the memory budget is divided. bodies, batches, visits, presence, counts, ids, pages, answers and kept_answers are of go.", []string{"part"}, nil),
		use:     prometheus.NewDesc("weir_memory_used_bytes", "What is used of a part of the memory budget.", []string{"part"}, nil),
		spilled: prometheus.NewDesc("weir_memory_spilled_bytes", "What DuckDB has put on disk since it did not fit into its memory.", nil, nil),
	}
	m.cold, m.hot = s.coldMemory, s.tier.Memory
	if s.drain != nil {
		m.used["visits"] = func() float64 { return float64(s.drain.CachedStateBytes()) }
	}
	if s.ingest != nil {
		m.used["bodies"] = func() float64 { return float64(s.ingest.Budget.Held()) }
	}
	if engine != nil {
		m.used["answers"] = func() float64 { return float64(engine.Held()) }
	}
	if s.answers != nil {
		m.used["kept_answers"] = func() float64 { return float64(s.answers.Bytes()) }
	}
	s.reg.MustRegister(m)
}

// Describe is prometheus.Collector's.
func (m *memoryMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.limit, m.use, m.spilled} {
		ch <- d
	}
}

// Collect is prometheus.Collector's.
func (m *memoryMetrics) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range append([]part{{"total", m.parts.Total}}, partsOf(m.parts)...) {
		if p.size > 0 {
			gauge(m.limit, float64(p.size), p.name)
		}
	}
	for name, used := range m.used {
		gauge(m.use, used(), name)
	}
	if m.hot != nil {
		for name, used := range m.hot() {
			gauge(m.use, float64(used), name)
		}
	}
	if m.cold == nil {
		return
	}
	if used, spilled, err := m.cold(context.Background()); err == nil {
		gauge(m.use, float64(used), "cold")
		gauge(m.spilled, float64(spilled))
	}
}

// goMemory is what Go's soft limit is of.
func goMemory() float64 {
	s := []gometrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	gometrics.Read(s)
	return float64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// resident reads a line of what Linux says of the process, in bytes; 0 elsewhere.
func resident(line string) func() float64 {
	return func() float64 {
		b, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return 0
		}
		words := strings.Fields(string(b))
		i := slices.Index(words, line+":")
		if i < 0 || i+1 == len(words) {
			return 0
		}
		kb, _ := strconv.ParseFloat(words[i+1], 64)
		return kb * 1024
	}
}
