package cold_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func event(project, profile, device string, seconds int64) weir.EventRow {
	return weir.EventRow{Event: weir.Event{ProjectID: project, ProfileID: profile, DeviceID: device, Time: time.Unix(seconds, 0)}}
}

func TestAPersonIsSightedOncePerQuarterOfAnHour(t *testing.T) {
	var s cold.Sightings
	got := s.New([]weir.EventRow{
		event("p", "", "d", 0),
		event("p", "", "d", 899),
		event("p", "", "d", 900),
		event("p", "", "d", -1),   // the quarter before 1970
		event("p", "", "d", -900), // the same
		event("p", "", "e", -1),
		event("q", "", "d", -1),
		event("p", "d", "d", -1), // a profile is not the device of that name
		event("p", "d", "e", -1), // whatever device it is on
		event("p", "", "", -1),   // nobody
	})
	want := []cold.Sighting{
		{ProjectID: "p", Quarter: 0, Person: "dd"},
		{ProjectID: "p", Quarter: 1, Person: "dd"},
		{ProjectID: "p", Quarter: -1, Person: "dd"},
		{ProjectID: "p", Quarter: -1, Person: "de"},
		{ProjectID: "q", Quarter: -1, Person: "dd"},
		{ProjectID: "p", Quarter: -1, Person: "ud"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPersonIsSightedAgainUnlessTheBatchIsKept(t *testing.T) {
	var s cold.Sightings
	for i, want := range []int{1, 1, 0, 0} {
		if got := s.New([]weir.EventRow{event("p", "", "d", 0)}); len(got) != want {
			t.Errorf("batch %d: %d sightings, want %d", i, len(got), want)
		}
		if i > 0 {
			s.Keep() // the first batch failed
		}
	}
}

func TestEachPersonAndQuarterIsSightedAlthoughTheCacheIsBounded(t *testing.T) {
	var s cold.Sightings
	seen := make(map[cold.Sighting]bool)
	sightings := 0
	for batch := range 40 {
		var events []weir.EventRow
		for i := range 20_000 {
			events = append(events, event("p", "", fmt.Sprint((batch/4*20_011+i*31)%250_000), int64(batch/4*900+i%900)))
		}
		for _, sg := range s.New(events) {
			seen[sg] = true
			sightings++
		}
		for i := range events {
			e := &events[i].Event
			if sg := (cold.Sighting{ProjectID: "p", Quarter: weir.Quarter(e.Time), Person: weir.Person(e.ProfileID, e.DeviceID)}); !seen[sg] {
				t.Fatalf("%+v is not there", sg)
			}
		}
		s.Keep()
	}
	if all := 40 * 20_000; sightings >= all {
		t.Errorf("%d sightings of %d events", sightings, all)
	}
}
