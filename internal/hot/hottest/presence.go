package hottest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testPresence(t *testing.T) {
	live := func(f *fixture) int {
		f.t.Helper()
		n, err := f.Live(f.t.Context(), "p", f.clock.Now())
		if err != nil {
			f.t.Fatal(err)
		}
		return n
	}
	drainAll := func(f *fixture) {
		for shard := range f.Shards() {
			drain(f.t, f, shard, f.clock.Now())
		}
	}
	for _, drained := range []bool{false, true} {
		name := map[bool]string{false: "undrained", true: "drained"}[drained]
		t.Run("devices are live for five minutes, through a restart, "+name, func(t *testing.T) {
			f := s.new(t)
			old, none := f.event("0", "old"), f.event("1", "")
			old.Time = f.clock.Now().Add(-6 * time.Minute)
			f.append(old, none, f.event("2", "a"), f.event("3", "a"), f.event("4", "b"))
			f.clock.Add(2 * time.Minute)
			f.append(f.event("5", "b"))
			if drained {
				drainAll(f)
			}
			f.reopen()
			for _, step := range []struct {
				add  time.Duration
				want int
			}{{0, 2}, {2*time.Minute + 59*time.Second, 2}, {2 * time.Second, 1}, {119 * time.Second, 0}} {
				f.clock.Add(step.add)
				f.sweep()
				if n := live(f); n != step.want {
					t.Fatalf("at %v: %d live, want %d", f.clock.Now(), n, step.want)
				}
			}
		})
		t.Run("a device is seen for half an hour after its last event, "+name, func(t *testing.T) {
			f := s.new(t)
			late := f.event("late", "a")
			late.Time = f.clock.Now().Add(-2 * time.Minute)
			f.append(f.event("3", "a"), late)
			if drained {
				drainAll(f)
			}
			f.reopen()
			f.clock.Add(29 * time.Minute)
			seen := func(want ...hot.SeenResult) {
				t.Helper()
				f.sees("p", []hot.SeenQuery{{Device: "a"}, {Device: "nobody"}, {Device: "a"}}, want)
			}
			seen(hot.SeenDevice, hot.Unseen, hot.SeenDevice)
			f.sees("nothing", []hot.SeenQuery{{Device: "a"}, {Device: "a", ID: "3"}}, []hot.SeenResult{hot.Unseen, hot.Unseen})
			f.sees("p", nil, []hot.SeenResult{})
			f.clock.Add(time.Minute)
			seen(hot.Unseen, hot.Unseen, hot.Unseen)
		})
		t.Run("an event's id is seen under its device for the window, "+name, func(t *testing.T) {
			f := s.new(t, func(c *Config) { c.Window = 2 * time.Hour })
			asked := []hot.SeenQuery{{Device: "a", ID: "1"}, {Device: "a", ID: "2"}, {Device: "b", ID: "1"}, {Device: "b", ID: "2"}, {Device: "b"}}
			f.sees("p", asked, make([]hot.SeenResult, len(asked)))
			old := f.event("2", "b")
			old.Time = f.clock.Now().Add(-5 * time.Hour) // of no device that is here now
			f.append(f.event("1", "a"), old)
			if drained {
				drainAll(f)
			}
			f.reopen()
			f.sees("p", asked, []hot.SeenResult{hot.SeenEvent, hot.SeenDevice, hot.Unseen, hot.SeenEvent, hot.Unseen})
			for range 2 { // over the end of a generation, and a clock that went back
				f.clock.Add(119 * time.Minute)
				f.append(f.event("turn"+f.clock.Now().String(), "c"))
				f.sweep()
				f.sees("p", asked, []hot.SeenResult{hot.SeenEvent, hot.Unseen, hot.Unseen, hot.SeenEvent, hot.Unseen})
				f.clock.Step(-119 * time.Minute)
			}
			f.clock.Add(time.Hour)
			for range 3 { // on Redis each shard turns with its own events
				f.clock.Add(2 * time.Hour)
				f.append(f.event("turn"+f.clock.Now().String(), "a"), f.event("turn"+f.clock.Now().String(), "b"))
				f.sweep()
			}
			f.clock.Add(time.Hour)
			f.sees("p", asked, make([]hot.SeenResult, len(asked)))
		})
	}
}

// sees checks what the store has of those asked.
func (f *fixture) sees(project string, asked []hot.SeenQuery, want []hot.SeenResult) {
	f.t.Helper()
	got, err := f.Seen(f.t.Context(), project, asked, f.clock.Now())
	if d := cmp.Diff(want, got); d != "" || err != nil {
		f.t.Fatal(d, err)
	}
}
