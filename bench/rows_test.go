package bench_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/cold"
)

// Rows cost bytes and time. A visit takes a row for its first batch and two for each further one:
// that it is over takes none.
func TestVisitsTakeFewRows(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		mix  int
		size int
		most float64 // rows of visits for each event
	}{
		{mix: 0, size: 10_000, most: 0.17},
		{mix: 0, size: 100, most: 0.19},
		{mix: 1, size: 10_000, most: 0.87},
		{mix: 1, size: 100, most: 1.05},
	} {
		mix, rows, events := mixes[tt.mix], 0, 0
		plan := bench.Plan{Project: "p", From: now, To: now.AddDate(0, 0, 10), Events: 20_000, Devices: 20_000}
		drain(mix.make(1, plan), tt.size, func(b *cold.Batch) {
			events += len(b.Events)
			rows += len(b.Visits)
		})
		if got := float64(rows) / float64(events); got > tt.most || got < tt.most*0.8 {
			t.Errorf("%s in batches of %d: %.2f rows of visits for each event, want at most %.2f and no test that is out of date", mix.name, tt.size, got, tt.most)
		}
	}
}
