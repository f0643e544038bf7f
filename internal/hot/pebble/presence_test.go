package pebble_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func viewOf(project string, n int) weir.Event {
	now := time.Now()
	return weir.Event{
		ID: fmt.Sprint(n), ProjectID: project, Name: weir.NameScreenView, Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("invented-", n),
		Path: "/" + strings.Repeat("x", 1500), Origin: "https://" + strings.Repeat("y", 1500),
	}
}

func live(t *testing.T, s hot.Store, project string) int {
	t.Helper()
	n, err := s.Live(t.Context(), project, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestInventedDevicesFillPresenceUpToTheirProjectsBound(t *testing.T) {
	const most = 4 << 20
	s := openWith(t, t.TempDir(), pebble.Options{MaxLive: 500, PresenceBytes: most})
	var events []weir.Event
	for n := range 5000 {
		events = append(events, viewOf("attacked", n))
	}
	appendAll(t, s, events)
	appendAll(t, s, []weir.Event{viewOf("other", 1)})
	if n := live(t, s, "attacked"); n != 500 {
		t.Errorf("%d devices are live, want the 500 that there is room for", n)
	}
	if n := live(t, s, "other"); n != 1 {
		t.Errorf("%d devices of another project are live, want 1", n)
	}
	if n := s.PresenceRefused(); n != 4500 {
		t.Errorf("%d events counted as refused by presence, want 4500", n)
	}
	if m := s.Memory(); m.Presence > 500*1000 {
		t.Errorf("presence takes %d bytes for 501 devices", m.Presence)
	}
	day := hot.Day.Start(time.Now(), time.UTC)
	var stored int64
	points, err := s.Series(t.Context(), "attacked", hot.Day, hot.Total, "", day.AddDate(0, 0, -1), day.Add(time.Second))
	for _, p := range points {
		stored += p.Count
	}
	if err != nil || stored != 5000 {
		t.Errorf("%d events are stored, want all 5000 (%v)", stored, err)
	}
}

func TestAProjectThatFillsPresenceKeepsNoOtherOut(t *testing.T) {
	const most = 1 << 20
	s := openWith(t, t.TempDir(), pebble.Options{PresenceBytes: most})
	var events []weir.Event
	for n := range 10_000 {
		events = append(events, viewOf("attacked", n))
	}
	appendAll(t, s, events)
	had := live(t, s, "attacked")
	for i := range 20 {
		var few []weir.Event
		for n := range 10 {
			few = append(few, viewOf(fmt.Sprint("other", i), n))
		}
		appendAll(t, s, few)
	}
	for i := range 20 {
		if n := live(t, s, fmt.Sprint("other", i)); n != 10 {
			t.Errorf("project %d: %d devices are live, want 10", i, n)
		}
	}
	if n := live(t, s, "attacked"); n != had || n == 0 || n == 10_000 {
		t.Errorf("%d devices of the attacked project are live, before the others came %d", n, had)
	}
	if m := s.Memory(); m.Presence > most {
		t.Errorf("presence takes %d bytes, at most %d are wanted", m.Presence, most)
	}
}

func TestAStartFarBehindTheDrainReadsTheEndOfTheLogAlone(t *testing.T) {
	dir := t.TempDir()
	s := openWith(t, dir, pebble.Options{Shards: 1})
	now := time.Now()
	var events []weir.Event
	for n := range 30_000 {
		events = append(events, weir.Event{ID: fmt.Sprint(n), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("d", n)})
	}
	appendAll(t, s, events)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openWith(t, dir, pebble.Options{})
	if n := live(t, s, "p"); n != 25_000 {
		t.Errorf("%d devices are live after a start, want those of the last 25,000 events", n)
	}
	for device, want := range map[string]bool{"d29999": true, "d0": false} {
		if seen, err := s.Seen(t.Context(), "p", []hot.SeenQuery{{Device: device}}, time.Now()); err != nil || (seen[0] == hot.SeenDevice) != want {
			t.Errorf("%s was seen: %v (%v)", device, seen, err)
		}
	}
}

func TestADeviceIsLiveAfterTheClockWentBack(t *testing.T) {
	now := time.Now()
	s := openWith(t, t.TempDir(), pebble.Options{Clock: func() time.Time { return now }})
	mark := func(id string) {
		e := weir.Event{ID: id, ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: "d"}
		appendAll(t, s, []weir.Event{e})
	}
	mark("1")
	now = now.Add(-time.Hour)
	mark("2")
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {4 * time.Minute, 1}, {2 * time.Minute, 0}} {
		now = now.Add(step.after)
		if n, err := s.Live(t.Context(), "p", now); n != step.want || err != nil {
			t.Errorf("%d live at %v, want %d (%v)", n, now, step.want, err)
		}
	}
}
