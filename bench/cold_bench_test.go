package bench_test

import (
	"fmt"
	"maps"
	"syscall"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/visit"
)

// BenchmarkColdWrite writes batches as the drain does: one op is one event, and
// cpu-us/op is what the process spends on it, DuckDB's threads included.
func BenchmarkColdWrite(b *testing.B) {
	for _, size := range []int{100, 10_000, 100_000} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			s, err := duckdb.Open(b.TempDir()+"/cold.duckdb", duckdb.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			open := visit.Open{}
			folder := visit.Folder{LogID: "bench"}
			var rows []weir.EventRow
			seq := uint64(0)
			now := time.Now()
			cpu := cpuTime(b)
			write := func() {
				r := folder.Fold(open, rows, now)
				maps.Copy(open, r.Changed)
				batch := &cold.Batch{Token: fmt.Sprint(seq), Events: rows, Visits: r.Visits, Links: r.Links, Last: seq, Now: now}
				if err := s.Write(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
				rows = rows[:0]
			}
			plan := bench.Plan{Project: "p", From: now.Add(-24 * time.Hour), To: now, Events: b.N, Devices: b.N/20 + 1}
			b.ResetTimer()
			for e := range bench.Mix(1, plan) {
				seq++
				rows = append(rows, weir.EventRow{Event: e, Seq: seq})
				if len(rows) == size {
					write()
				}
			}
			write()
			b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
