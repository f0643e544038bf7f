package cold_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

func event(project, profile, device string, seconds int64) *weir.Event {
	return &weir.Event{ProjectID: project, ProfileID: profile, DeviceID: device, Time: time.Unix(seconds, 0)}
}

func TestAPersonIsFirstOncePerQuarterOfAnHour(t *testing.T) {
	var f cold.Firsts
	f.Begin()
	for _, tt := range []struct {
		e     *weir.Event
		first bool
	}{
		{event("p", "", "d", 0), true},
		{event("p", "", "d", 899), false},
		{event("p", "", "d", 900), true},
		{event("p", "", "d", -1), true},    // the quarter before 1970
		{event("p", "", "d", -900), false}, // the same
		{event("p", "", "e", -1), true},
		{event("q", "", "d", -1), true},
		{event("p", "d", "d", -1), true},  // a profile is not the device of that name
		{event("p", "d", "e", -1), false}, // whatever device it is on
		{event("p", "", "", -1), false},   // nobody
	} {
		if _, first := f.First(tt.e); first != tt.first {
			t.Errorf("%+v: first = %v", tt.e, first)
		}
	}
}

func TestAPersonIsFirstAgainUnlessTheBatchIsKept(t *testing.T) {
	var f cold.Firsts
	e := event("p", "", "d", 0)
	for i, want := range []bool{true, true, false, false} {
		f.Begin()
		if _, first := f.First(e); first != want {
			t.Errorf("batch %d: first = %v", i, first)
		}
		if i > 0 {
			f.Keep() // the first batch failed
		}
	}
}

// Whatever is forgotten, each quarter of a person has a first event.
func TestEachQuarterOfAPersonHasAFirst(t *testing.T) {
	var f cold.Firsts
	type key struct {
		person  string
		quarter int32
	}
	seen := make(map[key]bool)
	events := 0
	for batch := range 40 {
		f.Begin()
		for i := range 20_000 {
			e := event("p", "", fmt.Sprint((batch/4*20_011+i*31)%250_000), int64(batch/4*900+i%900))
			person, first := f.First(e)
			k := key{person, cold.Quarter(e)}
			if !first && !seen[k] {
				t.Fatalf("%+v is not first, but none is before it", e)
			}
			seen[k] = true
			events++
		}
		f.Keep()
	}
	if events == len(seen) {
		t.Error("nobody came twice")
	}
}
