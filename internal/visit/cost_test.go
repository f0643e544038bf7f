package visit_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/visit"
)

// busyBatch returns a shard whose devices have open visits, and rows that come next: three for each
// device, views with ids of SDKs and an event between them.
func busyBatch(devices int) (*shard, []weir.EventRow) {
	s := newShard()
	at := func(minutes, device int) time.Time {
		return t0.Add(time.Duration(minutes)*time.Minute + time.Duration(device)*time.Millisecond)
	}
	event := func(n, device int, name string) weir.Event {
		e := weir.Event{
			ID: fmt.Sprintf("01987a3c-6d2e-7c41-%04x-%012x", n, device), ProjectID: "project", DeviceID: fmt.Sprintf("d_%016x", device),
			Name: name, Time: at(n, device), ReceivedAt: at(n, device), Country: "DE", Browser: "Firefox", OS: "Linux", DeviceType: weir.DeviceDesktop,
		}
		if name == weir.NameScreenView {
			e.Path, e.Origin = fmt.Sprint("/docs/", n), "https://example.com"
		}
		return e
	}
	var before []weir.Event
	var rows []weir.EventRow
	for d := range devices {
		before = append(before, event(0, d, weir.NameScreenView), event(1, d, weir.NameScreenView))
	}
	s.fold(before...)
	for n, name := range []string{weir.NameScreenView, "click", weir.NameScreenView} {
		for d := range devices {
			rows = append(rows, weir.EventRow{Event: event(2+n, d, name), Seq: s.seq + uint64(len(rows)) + 1})
		}
	}
	return s, rows
}

// What the drain does for an event between the log and the cold tier is mostly this. A higher
// number here is a slower server.
func TestFoldAndStateTakeFewAllocationsForAnEvent(t *testing.T) {
	const devices = 300
	s, rows := busyBatch(devices)
	fold := testing.AllocsPerRun(5, func() {
		fresh := append([]weir.EventRow(nil), rows...)
		s.Fold(s.open, fresh, s.now, nil)
	}) / float64(len(rows))
	var stored []string
	for _, st := range s.open {
		stored = append(stored, string(st.Encode()))
	}
	state := testing.AllocsPerRun(5, func() {
		for _, text := range stored {
			st, err := visit.DecodeState(text)
			if err != nil {
				t.Fatal(err)
			}
			st.Encode()
		}
	}) / devices
	t.Logf("allocations: fold %.1f an event, state decoded and encoded %.1f", fold, state)
	if fold > 2.5 || state > 9 {
		t.Errorf("fold takes %.1f allocations an event, at most 2.5 expected; a state decoded and encoded %.1f, at most 9 expected", fold, state)
	}
}

func BenchmarkFold(b *testing.B) {
	s, rows := busyBatch(3000)
	fresh := make([]weir.EventRow, len(rows))
	b.ReportAllocs()
	for b.Loop() {
		copy(fresh, rows)
		s.Fold(s.open, fresh, s.now, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/event")
}

func BenchmarkState(b *testing.B) {
	s, _ := busyBatch(1)
	for _, st := range s.open {
		text := string(st.Encode())
		b.ReportAllocs()
		for b.Loop() {
			st, err := visit.DecodeState(text)
			if err != nil {
				b.Fatal(err)
			}
			st.Encode()
		}
	}
}
