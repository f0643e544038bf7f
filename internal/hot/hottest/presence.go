package hottest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
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
		t.Run("the last screen view of a device is remembered for half an hour, "+name, func(t *testing.T) {
			f := s.new(t)
			view := func(id, path string, ago time.Duration) weir.Event {
				e := f.event(id, "a")
				e.Name, e.Path, e.Origin, e.Time = weir.NameScreenView, path, "https://x", f.clock.Now().Add(-ago)
				return e
			}
			f.append(view("1", "/a", 2*time.Minute), view("2", "/b", 0), view("late", "/late", time.Minute), f.event("3", "a"))
			if drained {
				drainAll(f)
			}
			f.reopen()
			want := hot.ScreenView{EventID: "2", Path: "/b", Origin: "https://x", At: f.clock.Now()}
			got, ok, err := f.LastScreenView(t.Context(), "p", "a", f.clock.Now())
			if d := cmp.Diff(want, got); d != "" || !ok || err != nil {
				t.Fatal(d, ok, err)
			}
			f.clock.Add(29 * time.Minute)
			seen := func(want ...bool) {
				t.Helper()
				got, err := f.Seen(t.Context(), "p", []string{"a", "nobody", "a"}, f.clock.Now())
				if d := cmp.Diff(want, got); d != "" || err != nil {
					t.Fatal(d, err)
				}
			}
			seen(true, false, true)
			if got, err := f.Seen(t.Context(), "nothing", []string{"a"}, f.clock.Now()); err != nil || len(got) != 1 || got[0] {
				t.Fatalf("a device of no project is seen: %v (%v)", got, err)
			}
			if got, err := f.Seen(t.Context(), "p", nil, f.clock.Now()); err != nil || len(got) != 0 {
				t.Fatalf("no devices are seen: %v (%v)", got, err)
			}
			f.clock.Add(time.Minute)
			seen(false, false, false)
			for _, device := range []string{"a", "nobody"} {
				if got, ok, err := f.LastScreenView(t.Context(), "p", device, f.clock.Now()); ok || err != nil {
					t.Fatal(got, err)
				}
			}
		})
		t.Run("the last hundred events of a project are remembered, newest first, "+name, func(t *testing.T) {
			f := s.new(t)
			for i := range 130 {
				f.clock.Add(time.Millisecond)
				f.append(f.event(fmt.Sprint(i), fmt.Sprint("d", i%9)))
				if drained && i%40 == 39 {
					drainAll(f)
				}
			}
			q := f.event("q", "d")
			q.ProjectID = "q"
			f.append(q)
			f.reopen()
			got, err := f.Recent(t.Context(), "p", 1000)
			if err != nil || len(got) != hot.RecentMax {
				t.Fatalf("%d events, want %d (%v)", len(got), hot.RecentMax, err)
			}
			for i, e := range got {
				if want := fmt.Sprint(129 - i); e.ID != want {
					t.Fatalf("event %d is %s, want %s", i, e.ID, want)
				}
			}
			if got, err := f.Recent(t.Context(), "p", 3); err != nil || len(got) != 3 || got[0].ID != "129" {
				t.Fatal(got, err)
			}
		})
	}
}
