package pebble_test

import (
	"errors"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func TestAMinFreeOfZeroRefusesNothing(t *testing.T) {
	for least, full := range map[uint64]bool{0: false, 1: true} {
		s, err := pebble.Open(t.TempDir(), pebble.Options{MinFree: least, Free: func(string) (uint64, error) { return 0, nil }})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Append(t.Context(), []hot.Item{{Event: &weir.Event{ID: "1", ProjectID: "p", Name: "n", Time: time.Now()}, Location: time.UTC}})
		if errors.Is(err, hot.ErrFull) != full || err != nil && !full {
			t.Errorf("with %d bytes to keep free of a disk that has none: %v", least, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
