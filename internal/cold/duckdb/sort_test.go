package duckdb_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
)

// manySightings opens a store with 300,000 sightings of 5,000 persons of two projects, in the order of
// time.
func manySightings(t *testing.T) *duckdb.Store {
	t.Helper()
	s, err := duckdb.Open(filepath.Join(t.TempDir(), "weir.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	number(t, s, "INSERT INTO sightings SELECT 'p' || n % 2, 1_974_000 + n // 1000, 'd' || hash(n) % 5000 FROM range(300_000) AS r(n) ORDER BY n")
	return s
}

const (
	sum   = "SELECT CAST(SUM(hash(project_id, quarter, person) % 1_000_003) AS BIGINT) FROM sightings"
	falls = "SELECT COUNT(*) FROM (SELECT (project_id, person) < LAG((project_id, person)) OVER (ORDER BY rowid) AS falls FROM sightings) AS neighbours WHERE falls"
)

func TestAnIdleStoreSortsItsSightingsByPersonAndLosesNone(t *testing.T) {
	s := manySightings(t)
	before := number(t, s, sum)
	if n := number(t, s, falls); n < 100_000 {
		t.Fatalf("%d neighbours fall: they are sorted already", n)
	}
	trim(t, s)
	if n := number(t, s, falls); n > 10 {
		t.Errorf("%d neighbours fall, want one for each span of time at most", n)
	}
	if after := number(t, s, sum); after != before {
		t.Errorf("the rows add up to %d, want %d", after, before)
	}
	if n := number(t, s, "SELECT COUNT(*) FROM sightings"); n != 300_000 {
		t.Errorf("%d sightings, want 300,000", n)
	}
}

// Sorting deletes each row in a transaction of its own, while others write and delete.
func TestWritesAndDeletionsGoOnWhileSightingsAreSorted(t *testing.T) {
	s := manySightings(t)
	sorted := make(chan error)
	go func() { sorted <- s.Trim(t.Context()) }()
	at := time.Unix(1_974_100*cold.QuarterSeconds, 0).UTC()
	for i := range 20 {
		if err := s.Write(t.Context(), batch(i+1, 10)); err != nil {
			t.Fatal(err)
		}
		if i%5 == 0 {
			if err := s.Forget(t.Context(), cold.Deletion{ProjectID: "p1", Before: at}); err != nil {
				t.Fatal(err)
			}
			at = at.Add(time.Hour)
		}
	}
	if err := <-sorted; err != nil {
		t.Fatal(err)
	}
	gone := number(t, s, "SELECT COUNT(*) FROM sightings WHERE project_id = 'p1' AND quarter < 1_974_112")
	if gone != 0 {
		t.Errorf("%d sightings are there that were deleted", gone)
	}
	if n := number(t, s, "SELECT COUNT(*) FROM sightings WHERE project_id = 'p0' AND quarter < 1_974_300"); n != 150_000 {
		t.Errorf("%d sightings of the project of which none was deleted, want 150,000", n)
	}
}
