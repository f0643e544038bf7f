package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

// An id stays known over a window's end, and when the clock goes back over it.
func TestIDsAreKnownWhenTheClockStepsOverAWindowsEnd(t *testing.T) {
	onlyOn(t, "pebble", "duckdb")
	const window = 24 * time.Hour
	c := newClock(t, 0)
	s := start(t, binary(t, "clocked"), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error")
	p := s.project("UTC")
	n := 0
	send := func(round int) reply {
		n++
		return s.send(p, fmt.Sprintf(`{"id":"over-%d","name":"a","device_id":"d"}`, round))
	}
	for round := range 6 {
		at := c.read() + untilNext(window, c.read()) // a window begins now
		step := []time.Duration{-300 * time.Millisecond, -time.Hour, 300 * time.Millisecond}[round%3]
		if step > 0 {
			at -= step / 2
		}
		c.set(at)
		c.isSeen()
		if r := send(round); r.Accepted != 1 {
			t.Errorf("round %d: %+v", round, r)
		}
		c.step(step)
		c.isSeen()
		if r := send(round); r.Duplicates != 1 {
			t.Errorf("round %d: the clock went %v over the end of a window, and an id is taken again: %+v", round, step, r)
		}
		s.restartNow()
		if r := send(round); r.Duplicates != 1 {
			t.Errorf("round %d: the clock went %v over the end of a window, and after a restart an id is taken again: %+v", round, step, r)
		}
	}
	s.stop()
}

// restartNow kills the server and starts it again.
func (s *server) restartNow() {
	s.t.Helper()
	s.kill()
	*s = *start(s.t, s.cmd.Path, s.args...)
}
