package bench_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weir-analytics/weir/bench"
)

// BenchmarkColdWrite writes batches as the drain does: one op is one event, and
// cpu-us/op is what this process and the store's spend on it, B/event what is on
// disk after it.
func BenchmarkColdWrite(b *testing.B) {
	for _, size := range []int{100, 1_000, 10_000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			engines(b, func(b *testing.B, e *engine) {
				now := time.Now()
				plan := bench.Plan{Project: "p", From: now.Add(-24 * time.Hour), To: now, Events: b.N, Devices: b.N/20 + 1}
				cpu := e.cpu()
				b.ResetTimer()
				e.fill(b, plan, size)
				b.StopTimer()
				b.ReportMetric(float64((e.cpu()-cpu).Microseconds())/float64(b.N), "cpu-us/op")
				b.ReportMetric(float64(e.bytes())/float64(b.N), "B/event")
			})
		})
	}
}
