package pebble

import (
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/weir-analytics/weir/internal/codec"
)

// horizon is the time from which sweeps compute what has expired. Normally it is the clock's. If
// the clock jumps ahead of it, the clock was set, or the store was closed for long. Then the
// horizon advances by elapsed time, and takes the clock's time once the clock has been ahead for
// the duration believed. So a wrong clock deletes nothing for good. It is stored, since a start may come with a wrong clock too.
type horizon struct {
	mu    sync.Mutex
	at    time.Time
	ahead time.Duration // how long the clock has been ahead, restarts included
	seen  time.Duration // Elapsed when it was looked at last
}

const (
	believed = 24 * time.Hour
	// drift is how far the clock may be ahead at each look and still be taken
	// for right: by correcting it a little, or after a short stop.
	drift = time.Hour
)

var horizonKey = []byte{tagMeta, 'h'}

// now moves the horizon on and returns it.
func (h *horizon) now(clock time.Time, elapsed time.Duration) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	passed := max(0, elapsed-h.seen)
	h.seen = elapsed
	if clock.Sub(h.at) <= passed+drift { // set back, too: then less is deleted
		h.at, h.ahead = clock, 0
		return h.at
	}
	h.at = h.at.Add(passed)
	if h.ahead += passed; h.ahead >= believed {
		h.at, h.ahead = clock, 0
	}
	return h.at
}

// loadHorizon reads it; a store without one begins with the clock's time.
func (s *Store) loadHorizon() error {
	h := &s.horizon
	h.at, h.seen = s.opt.Clock.Now(), s.opt.Elapsed()
	raw, err := s.get(horizonKey)
	if err != nil {
		return err
	}
	if raw == nil {
		return s.saveHorizon()
	}
	r := codec.NewReader(raw)
	h.at, h.ahead = r.Time(), time.Duration(r.Int())
	return r.Done()
}

func (s *Store) saveHorizon() error {
	s.horizon.mu.Lock()
	v := codec.AppendInt(codec.AppendTime(nil, s.horizon.at), int64(s.horizon.ahead))
	s.horizon.mu.Unlock()
	if err := s.db.Set(horizonKey, v, pebble.NoSync); err != nil {
		return fmt.Errorf("hot: write horizon: %w", err)
	}
	return nil
}
