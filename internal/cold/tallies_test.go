package cold_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func TestEventsOfOneKindAndQuarterAreOneTally(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	row := func(project, name string, after time.Duration, c *weir.Call) weir.EventRow {
		return weir.EventRow{Event: weir.Event{ProjectID: project, Name: name, Time: at.Add(after), Call: c}}
	}
	ok, failed := &weir.Call{Method: "GET", Route: "/a", Status: 200, LatencyMS: weir.Known(1)}, &weir.Call{Method: "GET", Route: "/a", Status: 500}
	got := cold.Tallies([]weir.EventRow{
		row("p", "view", 0, nil), row("p", "view", 14*time.Minute, nil), row("p", "view", 15*time.Minute, nil), row("q", "view", 0, nil),
		row("p", "call", 0, ok), row("p", "call", 0, failed), row("p", "call", 1, ok), row("p", "call", 0, nil), row("p", "call", 0, &weir.Call{}),
	})
	q := int32(at.Unix() / cold.QuarterSeconds)
	want := []cold.Tally{
		{ProjectID: "p", Quarter: q, Name: "view", Events: 2},
		{ProjectID: "p", Quarter: q + 1, Name: "view", Events: 1},
		{ProjectID: "q", Quarter: q, Name: "view", Events: 1},
		{ProjectID: "p", Quarter: q, Name: "call", Call: true, Method: "GET", Route: "/a", Status: 200, Events: 2},
		{ProjectID: "p", Quarter: q, Name: "call", Call: true, Method: "GET", Route: "/a", Status: 500, Events: 1},
		{ProjectID: "p", Quarter: q, Name: "call", Events: 1},
		{ProjectID: "p", Quarter: q, Name: "call", Call: true, Events: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := cold.Tallies(nil); len(n) != 0 {
		t.Errorf("%v of nothing", n)
	}
}
