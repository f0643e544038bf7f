package transfer_test

import (
	"fmt"
	"testing"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/transfer"
)

// BenchmarkRun copies 200,000 events of 4 days, and compares them. The figures of
// docs/migrate.md are of a million.
func BenchmarkRun(b *testing.B) {
	const n = 200_000
	source := newFile(b)
	newDrain("log").write(b, source, mix("shop", 1, 4, n), 30_000)
	server := clickhousetest.Start(b)
	databases := 0
	database := func() string {
		databases++
		return server.URL(fmt.Sprint("weir_", databases)) + "?max_time=1h"
	}
	past := openServer(b, database())
	copyAll(b, source, past, transfer.Options{})
	for name, c := range map[string]struct {
		from cold.Reader
		to   func() transfer.Store
	}{
		"DuckDB to ClickHouse": {source, func() transfer.Store { return openServer(b, database()) }},
		"ClickHouse to DuckDB": {past, func() transfer.Store { return newFile(b) }},
		"DuckDB to DuckDB":     {source, func() transfer.Store { return newFile(b) }},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				copyAll(b, c.from, c.to(), transfer.Options{})
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
