package bench_test

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/bench"
)

var runAt = time.Date(2026, 7, 1, 12, 0, 0, 999_000_000, time.UTC)

type sentEvent struct {
	ID, Name, TS string
	DeviceID     string `json:"device_id"`
	ProfileID    string `json:"profile_id"`
	URL          string
	IP           string
	UserAgent    string `json:"user_agent"`
	Properties   map[string]any
	Call         *struct {
		Method, Route string
		Status        int
		LatencyMS     float64 `json:"latency_ms"`
	}
}

func bodies(t testing.TB, seed int64, conn, conns, devices, batch, n int, run time.Time) []string {
	t.Helper()
	b, err := bench.Bodies(seed, conn, conns, devices, batch, n, run)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(t testing.TB, bodies []string) (all []sentEvent) {
	t.Helper()
	for _, b := range bodies {
		var events []sentEvent
		if err := json.Unmarshal([]byte(b), &events); err != nil {
			t.Fatalf("body is not an array of events: %v", err)
		}
		all = append(all, events...)
	}
	return all
}

func TestLoadIsAMixOfARealSitesEvents(t *testing.T) {
	raw := bodies(t, 1, 0, 1, 1000, 100, 100, runAt)
	events := decode(t, raw)
	uuid := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$`)
	device := regexp.MustCompile(`^d_[0-9a-f]{16}$`)
	share, ids, last := map[string]float64{}, map[string]bool{}, map[string]string{}
	for _, e := range events {
		ids[e.ID] = true
		if !uuid.MatchString(e.ID) || !device.MatchString(e.DeviceID) {
			t.Fatalf("id %q of device %q", e.ID, e.DeviceID)
		}
		if _, err := time.Parse(time.RFC3339Nano, e.TS); err != nil || e.TS <= last[e.DeviceID] {
			t.Fatalf("a device's event at %s follows one at %s (%v)", e.TS, last[e.DeviceID], err)
		}
		last[e.DeviceID] = e.TS
		if e.ProfileID != "" && e.ProfileID[2:] != e.DeviceID[2:] {
			t.Fatalf("device %s has the profile %s", e.DeviceID, e.ProfileID)
		}
		kind := e.Name
		switch {
		case e.Name == "api_call":
			if e.Call == nil || e.Call.Status < 200 || e.Call.LatencyMS <= 0 {
				t.Fatalf("call is %+v", e.Call)
			}
		case e.Name != "screen_view" && e.Name != "identify":
			kind = "custom"
		}
		share[kind] += 100 / float64(len(events))
	}
	if len(ids) != 10_000 {
		t.Errorf("%d ids of 10000 events", len(ids))
	}
	for kind, want := range map[string][2]float64{
		"screen_view": {50, 60}, "custom": {17, 27}, "api_call": {15, 25}, "identify": {1, 5},
	} {
		if s := share[kind]; s < want[0] || s > want[1] {
			t.Errorf("%.1f %% are %s, want %v", s, kind, want)
		}
	}
	size := 0
	for _, b := range raw {
		size += len(b)
	}
	if mean := size / len(events); mean < 300 || mean > 450 {
		t.Errorf("an event has %d bytes", mean)
	}
	if n := len(last); n < 100 || n > 1000 {
		t.Errorf("%d devices", n)
	}
}

func TestLoadIsTheSameForTheSameSeed(t *testing.T) {
	want := bodies(t, 7, 1, 4, 100, 10, 5, runAt)
	if diff := cmp.Diff(want, bodies(t, 7, 1, 4, 100, 10, 5, runAt)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if cmp.Equal(want, bodies(t, 8, 1, 4, 100, 10, 5, runAt)) {
		t.Error("another seed gives the same load")
	}
}

func TestIDsDifferBetweenConnectionsAndBetweenRuns(t *testing.T) {
	ids, devices := map[string]int{}, map[string]int{}
	for conn := range 4 {
		for _, e := range decode(t, bodies(t, 7, conn, 4, 400, 50, 4, runAt)) {
			ids[e.ID]++
			if owner, ok := devices[e.DeviceID]; ok && owner != conn {
				t.Errorf("device %s is of connections %d and %d", e.DeviceID, owner, conn)
			}
			devices[e.DeviceID] = conn
		}
	}
	for _, e := range decode(t, bodies(t, 7, 0, 4, 400, 50, 4, runAt.Add(time.Nanosecond))) {
		ids[e.ID]++
	}
	if len(ids) != 1000 {
		t.Errorf("%d ids of 1000 events", len(ids))
	}
}

func TestASingleEventIsAnObject(t *testing.T) {
	var e sentEvent
	if err := json.Unmarshal([]byte(bodies(t, 1, 0, 1, 10, 1, 1, runAt)[0]), &e); err != nil {
		t.Fatal(err)
	}
	if e.Name != "screen_view" || e.TS != "2026-07-01T12:00:00.999000Z" {
		t.Errorf("event is %+v", e)
	}
}

func BenchmarkGenerator(b *testing.B) {
	const batch = 100
	render, err := bench.AppendEvents(1, batch, runAt)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = render()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/batch, "ns/event")
	b.ReportMetric(float64(size)/batch, "bytes/event")
}
