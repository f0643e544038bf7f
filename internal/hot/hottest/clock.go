package hottest

import (
	"fmt"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// testClock sets the clock, which a machine does when it asks another for the
// time: a little, or by days when its own battery is dead.
func (s suite) testClock(t *testing.T) {
	known := func(f *fixture, ids ...string) {
		f.t.Helper()
		for _, id := range ids {
			if d := f.append(f.event(id, "d")); len(d) != 1 {
				f.t.Fatalf("id %s is forgotten at %v", id, f.clock.Now())
			}
		}
	}
	for _, restart := range []bool{false, true} {
		after := map[bool]string{false: "", true: ", through restarts"}[restart]
		step := func(f *fixture, d time.Duration) {
			f.t.Helper()
			f.clock.Step(d)
			f.sweep()
			if restart {
				f.reopen()
			}
		}
		t.Run("an id stays known when the clock goes back over the end of a window"+after, func(t *testing.T) {
			f := s.new(t, func(c *Config) { c.Window = 2 * time.Hour })
			f.append(f.event("0", "d"))
			f.clock.Add(2*time.Hour - 30*time.Second + 100*time.Millisecond) // 12:00:00.1
			f.append(f.event("1", "d"))
			for i := range 4 {
				step(f, -300*time.Millisecond)
				known(f, "0", "1")
				f.append(f.event(fmt.Sprint("back", i), "d"))
				step(f, 300*time.Millisecond)
				known(f, "0", "1", fmt.Sprint("back", i))
			}
			f.clock.Add(119 * time.Minute)
			f.sweep()
			known(f, "1", "back0", "back3")
		})
		t.Run("an id stays known when the clock jumps by days, and back"+after, func(t *testing.T) {
			for _, jump := range []time.Duration{25 * time.Hour, 10 * 24 * time.Hour, -25 * time.Hour, -10 * 24 * time.Hour} {
				f := s.new(t, func(c *Config) { c.Window = 2 * time.Hour })
				f.append(f.event("1", "d"))
				step(f, jump)
				known(f, "1")
				f.append(f.event("2", "d"))
				step(f, -jump)
				known(f, "1", "2")
				f.clock.Add(119 * time.Minute)
				f.sweep()
				known(f, "2")
			}
		})
		t.Run("a clock that jumps forward and back deletes no counters"+after, func(t *testing.T) {
			f := s.new(t)
			has := func() (n int) {
				f.t.Helper()
				for _, g := range hot.Grains {
					points, err := f.Series(t.Context(), "p", g, hot.Total, "", f.clock.Now().Add(-48*time.Hour), f.clock.Now().Add(time.Hour))
					if err != nil {
						t.Fatal(err)
					}
					n += len(points)
				}
				return n
			}
			f.append(f.event("1", "d"))
			f.clock.Add(time.Minute)
			for range 3 {
				step(f, 500*24*time.Hour)
				f.append(f.event("2", "d"))
				f.clock.Add(time.Hour)
				f.sweep()
				step(f, -500*24*time.Hour-time.Hour)
			}
			if n := has(); n != 3 {
				t.Fatalf("%d grains have the event, want 3", n)
			}
			if n, err := f.Uniques(t.Context(), "p", hot.Day, f.clock.Now().Add(-48*time.Hour), f.clock.Now()); n != 1 || err != nil {
				t.Fatalf("%d devices, want 1 (%v)", n, err)
			}
		})
	}
}
