package pebble_test

import (
	"errors"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/hottest"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func open(place string, c hottest.Config) (hot.Store, error) {
	return openStore(place, c, pebble.Options{})
}

func openStore(place string, c hottest.Config, o pebble.Options) (hot.Store, error) {
	o.Clock, o.Elapsed, o.Window, o.MaxMembers = c.Clock, c.Elapsed, c.Window, c.MaxMembers
	o.MinFree = 256 << 20
	o.Free = func(string) (uint64, error) {
		if c.Full != nil && c.Full() {
			return 1, nil
		}
		return 1 << 40, nil
	}
	return pebble.Open(place, o)
}

func TestMain(m *testing.M) { hottest.Main(m, open) }

func TestStore(t *testing.T) {
	hottest.Run(t, open, func(t *testing.T) string { return t.TempDir() })
}

func TestASecondOpenOfTheSameFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	s, err := pebble.Open(dir, pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := pebble.Open(dir, pebble.Options{}); !errors.Is(err, hot.ErrBusy) {
		t.Fatalf("%v, want ErrBusy", err)
	}
}

func TestIDsAreStillKnownAfterTheWindowChanges(t *testing.T) {
	dir := t.TempDir()
	e := weir.Event{ID: "1", ProjectID: "p", Name: "x", Time: time.Now(), DeviceID: "d"}
	for i, window := range []time.Duration{2 * time.Hour, 24 * time.Hour, time.Hour} {
		s, err := pebble.Open(dir, pebble.Options{Window: window})
		if err != nil {
			t.Fatal(err)
		}
		duplicates, err := s.Append(t.Context(), []hot.Item{{Event: &e, Location: time.UTC}})
		if err != nil || (len(duplicates) == 1) != (i > 0) {
			t.Errorf("open %d with a window of %s: duplicates %v (%v)", i, window, duplicates, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
