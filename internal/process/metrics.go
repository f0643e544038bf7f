package process

import (
	"context"
	"os"
	gometrics "runtime/metrics"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weir-analytics/weir/internal/memory"
)

// MemoryMetrics shows each part of the budget: its limit, and what is used of it where
// that can be measured.
type MemoryMetrics struct {
	parts memory.Parts
	used  map[string]func() float64 // by name of the part
	hot   func() map[string]int64   // likewise; nil unless the hot tier is in this process
	cold  func(ctx context.Context) (used, spilled int64, err error)

	limit, use, spilled *prometheus.Desc
}

// Stores measure the stores that are in this process, in bytes; nil for others.
type Stores struct {
	Hot  func() map[string]int64                                    // by name of the part
	Cold func(ctx context.Context) (used, spilled int64, err error) // under its limit, and on disk
}

// NewMemoryMetrics makes the metrics of a budget. Use adds what can be measured besides
// the stores.
func NewMemoryMetrics(p memory.Parts, s Stores) *MemoryMetrics {
	return &MemoryMetrics{
		parts: p, hot: s.Hot, cold: s.Cold,
		used: map[string]func() float64{
			"total": func() float64 { return Resident("VmRSS") }, "program": func() float64 { return Resident("RssFile") }, "go": goMemory,
		},
		limit:   prometheus.NewDesc("weir_memory_limit_bytes", "How the memory budget is divided. bodies, batches, visits, presence, counts, ids, pages, answers and kept_answers are of go.", []string{"part"}, nil),
		use:     prometheus.NewDesc("weir_memory_used_bytes", "What is used of a part of the memory budget.", []string{"part"}, nil),
		spilled: prometheus.NewDesc("weir_memory_spilled_bytes", "What DuckDB has put on disk since it did not fit into its memory.", nil, nil),
	}
}

// Use shows the bytes that a part uses. Call it before the metrics are registered.
func (m *MemoryMetrics) Use(part string, bytes func() int64) {
	m.used[part] = func() float64 { return float64(bytes()) }
}

// Describe implements prometheus.Collector.
func (m *MemoryMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.limit, m.use, m.spilled} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *MemoryMetrics) Collect(ch chan<- prometheus.Metric) {
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

// goMemory returns the memory that Go's soft limit bounds.
func goMemory() float64 {
	s := []gometrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	gometrics.Read(s)
	return float64(s[0].Value.Uint64() - s[1].Value.Uint64())
}

// Resident returns a line of /proc/self/status, such as VmRSS, in bytes; 0 where there is
// none.
func Resident(line string) float64 {
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
