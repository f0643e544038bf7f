package bench_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/bench"
)

func plan(events int) bench.Plan {
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	return bench.Plan{Project: "p1", From: from, To: from.AddDate(0, 0, 30), Events: events, Devices: 500}
}

func TestMixHasAsManyEventsAsPlannedInOrderAndInRange(t *testing.T) {
	month := plan(20_000)
	minute, hour := month, month
	minute.To, minute.Events = minute.From.Add(time.Minute), 1000
	hour.To, hour.Events = hour.From.Add(30*time.Minute), 7
	for _, p := range []bench.Plan{month, minute, hour} {
		n, ids, last := 0, map[string]bool{}, p.From
		for e := range bench.Mix(1, p) {
			n++
			ids[e.ID] = true
			if e.Time.Before(last) || !e.Time.Before(p.To) {
				t.Fatalf("event at %v after %v, plan until %v", e.Time, last, p.To)
			}
			last = e.Time
		}
		if n != p.Events || len(ids) != n {
			t.Errorf("%d events with %d ids, want %d", n, len(ids), p.Events)
		}
	}
}

func TestMixIsTheSameForTheSameSeed(t *testing.T) {
	want := slices.Collect(bench.Mix(3, plan(100)))
	if diff := cmp.Diff(want, slices.Collect(bench.Mix(3, plan(100)))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if cmp.Equal(want, slices.Collect(bench.Mix(4, plan(100)))) {
		t.Error("another seed gives the same events")
	}
}

func TestMixIsOfVisits(t *testing.T) {
	type open struct {
		last   time.Time
		events int
	}
	devices, visits, views, byDay, profiles := map[string]*open{}, 0, 0, map[string]int{}, 0
	for e := range bench.Mix(1, plan(30_000)) {
		if e.ProjectID != "p1" || e.Path == "" || e.Country == "" || e.Browser == "" || e.Time.Nanosecond()%1000 != 0 {
			t.Fatalf("event is %+v", e)
		}
		if e.Properties != nil && !json.Valid(e.Properties) {
			t.Fatalf("properties are %s", e.Properties)
		}
		if (e.Name == weir.NameCall) != (e.Call != nil) {
			t.Fatalf("%s has the call %v", e.Name, e.Call)
		}
		if e.ProfileID != "" {
			profiles++
		}
		d := devices[e.DeviceID]
		if d == nil || e.Time.Sub(d.last) > 30*time.Minute {
			visits++
			d = &open{}
			devices[e.DeviceID] = d
		}
		d.last = e.Time
		d.events++
		if e.IsScreenView() {
			views++
		}
		byDay[e.Time.Format(time.DateOnly)]++
	}
	if mean := 30_000 / visits; mean < 4 || mean > 12 {
		t.Errorf("a visit has %d events", mean)
	}
	if views < 15_000 || views > 18_000 {
		t.Errorf("%d screen views of 30000 events", views)
	}
	if len(devices) < 250 || len(devices) > 500 || profiles == 0 {
		t.Errorf("%d devices, %d events of profiles", len(devices), profiles)
	}
	if len(byDay) != 30 || byDay["2026-06-06"] > byDay["2026-06-03"]*3/4 {
		t.Errorf("days are %v; Saturday the 6th should be quiet", byDay)
	}
}

func TestShortMixIsMostlyOfOnePage(t *testing.T) {
	visits, devices, known, last := map[string]int{}, map[string]time.Time{}, map[string]bool{}, time.Time{}
	current, n := map[string]string{}, 0
	for e := range bench.ShortMix(1, bench.Plan{Project: "p1", From: plan(1).From, To: plan(1).To, Events: 60_000}) {
		if n++; e.Time.Before(last) || !e.IsScreenView() {
			t.Fatalf("event is %+v after %v", e, last)
		}
		last = e.Time
		var p map[string]any
		if err := json.Unmarshal(e.Properties, &p); err != nil || len(p) != 5 || p["plan"] == nil {
			t.Fatalf("properties are %s: %v", e.Properties, err)
		}
		if at, ok := devices[e.DeviceID]; !ok || e.Time.Sub(at) > 30*time.Minute {
			current[e.DeviceID] = e.ID
		}
		devices[e.DeviceID] = e.Time
		visits[current[e.DeviceID]]++
		if e.ProfileID != "" {
			known[e.DeviceID] = true
		}
	}
	one := 0
	for _, events := range visits {
		if events == 1 {
			one++
		}
	}
	if share := float64(one) / float64(len(visits)); n != 60_000 || share < 0.85 || share > 0.95 {
		t.Errorf("%d events, %.2f of the visits are one page", n, share)
	}
	if len(devices) < 3800 || len(devices) > 4000 || len(known) < 350 || len(known) > 400 {
		t.Errorf("%d devices, %d of profiles", len(devices), len(known))
	}
}

func TestMixOfNothingIsEmpty(t *testing.T) {
	none, backwards := plan(0), plan(10)
	backwards.To = backwards.From
	for _, p := range []bench.Plan{none, backwards} {
		for e := range bench.Mix(1, p) {
			t.Fatalf("event %+v", e)
		}
	}
}

func TestMixCanBeLeftEarly(t *testing.T) {
	n := 0
	for range bench.Mix(1, plan(1000)) {
		if n++; n == 5 {
			break
		}
	}
	if n != 5 {
		t.Errorf("%d events", n)
	}
}

func BenchmarkMix(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for range bench.Mix(1, plan(100_000)) {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100_000, "ns/event")
}
