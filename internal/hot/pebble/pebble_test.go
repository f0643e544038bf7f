package pebble_test

import (
	"errors"
	"testing"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/hottest"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func open(place string, c hottest.Config) (hot.Store, error) {
	return pebble.Open(place, pebble.Options{
		Clock: c.Clock, Window: c.Window, MaxMembers: c.MaxMembers,
		Free: func(string) (uint64, error) {
			if c.Full != nil && c.Full() {
				return 1, nil
			}
			return 1 << 40, nil
		},
	})
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
