package bench_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weir-analytics/weir/bench"
)

// BenchmarkColdWrite writes batches as the drain does: one op is one event, and
// cpu-us/op is what this process within Write, and the store's server, spend on it.
// B/event is what is on disk after it, and visits/event and so on how many rows were
// written to other tables.
func BenchmarkColdWrite(b *testing.B) {
	for _, mix := range mixes {
		for _, size := range []int{100, 1_000, 10_000, 32_768} {
			b.Run(fmt.Sprint("mix=", mix.name, "/batch=", size), func(b *testing.B) {
				engines(b, func(b *testing.B, e *engine) {
					now := time.Now()
					plan := bench.Plan{Project: "p", From: now.Add(-24 * time.Hour), To: now, Events: b.N, Devices: b.N/15 + 1}
					server := e.cpu()
					b.ResetTimer()
					f := e.fill(b, mix.make(1, plan), size)
					b.StopTimer()
					per := func(n float64, unit string) { b.ReportMetric(n/float64(f.events), unit) }
					per(float64((f.cpu + e.cpu() - server).Microseconds()), "cpu-us/op")
					per(float64(f.visits), "visits/event")
					for _, table := range []string{"sightings", "tallies", "identities"} {
						per(float64(e.rows(b, table)), table+"/event")
					}
					per(float64(e.bytes()), "B/event")
				})
			})
		}
	}
}
