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

// What an event takes in DuckDB's file, with its visit and the rest, after merging.
func TestEventsTakeFewBytes(t *testing.T) {
	e := openEngine(t, "duckdb")
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	const events = 40_000
	e.fill(t, bench.ShortMix(1, bench.Plan{Project: "p", From: now, To: now.Add(3 * time.Hour), Events: events}), 10_000)
	for table, most := range map[string]float64{"events": 1, "visits": 0.8, "sightings": 0.9, "tallies": 0.01, "identities": 0.01, "traits": 0, "batches": 0.001} {
		if got := float64(e.rows(t, table)) / events; got > most {
			t.Errorf("%s has %.4f rows for each event, want at most %.4f", table, got, most)
		}
	}
	if got := float64(e.bytes()) / events; got > 190 || got < 100 {
		t.Errorf("an event takes %.0f bytes, want 100 to 190 (of so few; a third of them is what blocks have free)", got)
	}
}
