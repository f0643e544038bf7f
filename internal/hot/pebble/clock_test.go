package pebble_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func TestCountersExpireAfterTheClockWasAheadForADay(t *testing.T) {
	now, elapsed := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), time.Duration(0)
	dir := t.TempDir()
	o := pebble.Options{Clock: func() time.Time { return now }, Elapsed: func() time.Duration { return elapsed }}
	s := openWith(t, dir, o)
	appendAll(t, s, []weir.Event{{ID: "1", ProjectID: "p", Name: "x", DeviceID: "d", Time: now, ReceivedAt: now}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	began := now
	now = now.AddDate(0, 0, 40) // as after a long stop
	for hour := range 26 {
		elapsed = 0 // each hour another process
		s := openWith(t, dir, o)
		now, elapsed = now.Add(time.Hour), time.Hour
		if err := s.Sweep(); err != nil {
			t.Fatal(err)
		}
		minutes, err := s.Series(t.Context(), "p", hot.Minute, hot.Total, "", began, now)
		if err != nil {
			t.Fatal(err)
		}
		days, err := s.Series(t.Context(), "p", hot.Day, hot.Total, "", began.AddDate(0, 0, -1), now)
		if err != nil {
			t.Fatal(err)
		}
		if want := hour < 23; len(minutes) == 1 != want || len(days) != 1 {
			t.Fatalf("after %d hours: %d minutes, %d days; the minute should be there: %v", hour+1, len(minutes), len(days), want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestASecondJumpOfTheClockForgetsNoIDs(t *testing.T) {
	now, elapsed := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), time.Duration(0)
	s := openWith(t, t.TempDir(), pebble.Options{Clock: func() time.Time { return now }, Elapsed: func() time.Duration { return elapsed }})
	e := weir.Event{ID: "1", ProjectID: "p", Name: "x", DeviceID: "d", Time: now, ReceivedAt: now}
	for i := range 5 {
		duplicates, err := s.Append(t.Context(), []hot.Item{{Event: &e, Location: time.UTC}})
		if err != nil || len(duplicates) != min(i, 1) {
			t.Fatalf("append %d: duplicates %v (%v)", i, duplicates, err)
		}
		if err := s.Sweep(); err != nil {
			t.Fatal(err)
		}
		now, elapsed = now.AddDate(0, 0, 3), elapsed+5*time.Hour
	}
}
