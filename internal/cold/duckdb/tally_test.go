package duckdb_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func TestTalliesOfOneKindAreAddedUpNowAndThen(t *testing.T) {
	s := openFile(t, filepath.Join(t.TempDir(), "weir.duckdb"))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const batches, kinds = 60, 2000
	for i := range batches {
		b := &cold.Batch{Token: fmt.Sprint("t-", i), First: uint64(i), Last: uint64(i), Now: at}
		for k := range kinds {
			b.Events = append(b.Events, weir.EventRow{Event: weir.Event{
				ProjectID: "p", Name: fmt.Sprint("n", k%500), Time: at.Add(time.Duration(k/500) * 15 * time.Minute), ReceivedAt: at,
				Call: &weir.Call{Method: "GET", Route: "/", Status: 200 * (k % 2)},
			}})
		}
		if err := s.Write(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	var rows, events, differ int
	if err := scan(s, "SELECT count(*), CAST(sum(events) AS BIGINT) FROM tallies", &rows, &events); err != nil {
		t.Fatal(err)
	}
	if events != batches*kinds {
		t.Errorf("%d events in tallies, want %d", events, batches*kinds)
	}
	if rows >= 60_000 || rows < kinds {
		t.Errorf("%d rows of %d kinds after %d batches", rows, kinds, batches)
	}
	const perKind = "SELECT project_id, quarter, name, method, route, status, CAST(%s AS BIGINT) AS n FROM %s GROUP BY ALL"
	if err := scan(s, "SELECT count(*) FROM ("+fmt.Sprintf(perKind, "sum(events)", "tallies")+" EXCEPT "+fmt.Sprintf(perKind, "count(*)", "events")+")", &differ); err != nil {
		t.Fatal(err)
	}
	if differ != 0 {
		t.Errorf("%d kinds are counted otherwise than in events", differ)
	}
}
