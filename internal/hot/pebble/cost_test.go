package pebble_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// A request of 100 events is one fsync, and writes little beside its records: an id of 21 bytes, what
// a device changes in sketches, and a counter for all that count alike.
func TestAnAppendIsOneFsyncAndFewBytesAnEvent(t *testing.T) {
	s, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	const appends, size = 20, 100
	now, records := time.Now(), 0
	appendSome := func(first int) {
		items := make([]hot.Item, size)
		for i := range items {
			n := first + i
			e := &weir.Event{
				ID: fmt.Sprintf("01987a3c-6d2e-7c41-8000-%012x", n), ProjectID: "project", Name: [...]string{"screen_view", "click", "signup"}[n%3],
				Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("device-", n%50), Path: "/pricing", Origin: "https://example.com", Browser: "Firefox",
			}
			records += len(hot.AppendRecord(nil, e))
			items[i] = hot.Item{Event: e, Location: time.UTC}
		}
		if duplicates, err := s.Append(t.Context(), items); err != nil || len(duplicates) > 0 {
			t.Fatal(duplicates, err)
		}
	}
	appendSome(0) // the devices are in the sketches, the first generation of ids has begun
	syncs, before, err := pebble.Written(s)
	if err != nil {
		t.Fatal(err)
	}
	records = 0
	for i := range appends {
		appendSome((i + 1) * size)
	}
	after, written, err := pebble.Written(s)
	if err != nil {
		t.Fatal(err)
	}
	beside := (float64(written-before) - float64(records)) / (appends * size)
	t.Logf("%d fsyncs for %d appends, %.0f bytes an event beside its record of %d", after-syncs, appends, beside, records/(appends*size))
	// Pebble counts an fsync after the append that waited for it goes on, and the store has some of its own on
	// a slow machine. A second fsync for each append would be 40.
	if after-syncs > appends+appends/2 {
		t.Errorf("%d fsyncs for %d appends", after-syncs, appends)
	}
	if beside > 60 {
		t.Errorf("%.0f bytes an event beside its record, at most 60 expected", beside)
	}
}
