package hottest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testAppend(t *testing.T) {
	t.Run("an appended event is read back whole", func(t *testing.T) {
		f := s.new(t)
		e := f.event("1", "d")
		e.Call = &weir.Call{Method: "GET", Route: "/x", Status: 200, LatencyMS: weir.Known(12.5), Consumer: "c"}
		e.Path, e.Country, e.Title = "/ü", "DE", "a\"b"
		f.append(e)
		if d := cmp.Diff(map[string]weir.Event{"1": e}, all(t, f)); d != "" {
			t.Fatal(d)
		}
	})
	t.Run("a device's events keep their order in one shard", func(t *testing.T) {
		f := s.new(t)
		for i := range 50 {
			f.append(f.event(fmt.Sprint("a", i), "a"), f.event(fmt.Sprint("b", i), "b"))
		}
		next := map[string]int{}
		where := map[string]int{}
		for shard := range f.Shards() {
			for _, r := range read(t, f, shard, 0) {
				d := r.Event.DeviceID
				if want := fmt.Sprint(d, next[d]); r.Event.ID != want {
					t.Fatalf("event %s where %s was due", r.Event.ID, want)
				}
				next[d]++
				if at, ok := where[d]; ok && at != shard {
					t.Fatalf("device %s stands in shards %d and %d", d, at, shard)
				}
				where[d] = shard
			}
		}
		if next["a"] != 50 || next["b"] != 50 {
			t.Fatalf("read %v, want 50 each", next)
		}
	})
	t.Run("many writers at once lose and double nothing", func(t *testing.T) {
		f := s.new(t)
		const writers, each = 16, 40
		var wg sync.WaitGroup
		errs := make(chan error, writers)
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					es := []weir.Event{
						f.event(fmt.Sprintf("%d-%d", w, i), fmt.Sprint("d", w)),
						f.event(fmt.Sprintf("%d-%d", w, i), fmt.Sprint("d", w)), // twice in one append
						f.event(fmt.Sprintf("shared-%d", i), "shared"),
					}
					if _, err := f.Append(context.Background(), items(es)); err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			t.Fatal(err)
		}
		if got, want := len(all(t, f)), writers*each+each; got != want {
			t.Fatalf("%d events, want %d", got, want)
		}
		if n := f.total("p"); n != int64(writers*each+each) {
			t.Fatalf("counter says %d", n)
		}
	})
	t.Run("an append of nothing is nothing", func(t *testing.T) {
		f := s.new(t)
		if d := f.append(); len(d) != 0 {
			t.Fatal(d)
		}
	})
	t.Run("a cancelled append is refused or whole", func(t *testing.T) {
		f := s.new(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		es := []weir.Event{f.event("1", "d"), f.event("2", "e")}
		_, err := f.Append(ctx, items(es))
		if n := len(all(t, f)); err == nil && n != 2 {
			t.Fatalf("acknowledged, but %d events are there", n)
		}
		f.append(es...)
		if n := len(all(t, f)); n != 2 {
			t.Fatalf("%d events after the retry, want 2", n)
		}
	})
	t.Run("a full store refuses, keeps what it has, and goes on when there is room", func(t *testing.T) {
		var full bool
		var mu sync.Mutex
		f := s.new(t, func(c *Config) {
			c.Full = func() bool { mu.Lock(); defer mu.Unlock(); return full }
		})
		set := func(v bool) { mu.Lock(); full = v; mu.Unlock(); f.clock.Add(time.Second) }
		f.append(f.event("1", "d"))
		set(true)
		_, err := f.Append(t.Context(), items([]weir.Event{f.event("2", "d")}))
		if !errors.Is(err, hot.ErrFull) {
			t.Fatalf("append to a full store: %v, want ErrFull", err)
		}
		if got := all(t, f); len(got) != 1 || f.total("p") != 1 {
			t.Fatalf("%d events, counter %d, want 1 and 1", len(got), f.total("p"))
		}
		set(false)
		if d := f.append(f.event("2", "d")); len(d) != 0 {
			t.Fatal("the refused event was remembered as seen")
		}
	})
	t.Run("appends under way when the store closes are answered", func(t *testing.T) {
		f := s.new(t)
		var wg sync.WaitGroup
		acked := make([]int, 8)
		begun := make(chan struct{}, len(acked))
		for w := range acked {
			wg.Go(func() {
				for i := 0; ; i++ {
					if _, err := f.Append(context.Background(), items([]weir.Event{f.event(fmt.Sprint(w, "-", i), "d")})); err != nil {
						if !errors.Is(err, hot.ErrClosed) {
							t.Errorf("%v, want ErrClosed", err)
						}
						return
					}
					if acked[w]++; i == 0 {
						begun <- struct{}{}
					}
				}
			})
		}
		for range acked {
			<-begun
		}
		if err := f.Store.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		f.Store = nil
		f.reopen()
		want := 0
		for _, n := range acked {
			want += n
		}
		if got := len(all(t, f)); got != want {
			t.Fatalf("%d events acknowledged, %d stored", want, got)
		}
	})
	t.Run("a closed store refuses", func(t *testing.T) {
		f := s.new(t)
		f.Store.Close()
		_, err := f.Append(t.Context(), items([]weir.Event{f.event("1", "d")}))
		if !errors.Is(err, hot.ErrClosed) {
			t.Fatalf("%v, want ErrClosed", err)
		}
		if err := f.Store.Close(); err != nil {
			t.Fatalf("second close: %v", err)
		}
		f.Store = nil
		f.reopen()
	})
}

func (s suite) testDuplicates(t *testing.T) {
	t.Run("an id is taken once, within a request and after it", func(t *testing.T) {
		f := s.new(t)
		got := f.append(f.event("1", "d"), f.event("2", "d"), f.event("1", "d"))
		if d := cmp.Diff([]int{2}, got); d != "" {
			t.Fatal(d)
		}
		if d := cmp.Diff([]int{0, 2}, f.append(f.event("2", "d"), f.event("3", "d"), f.event("1", "d"))); d != "" {
			t.Fatal(d)
		}
		if n := f.total("p"); n != 3 {
			t.Fatalf("counter says %d, want 3", n)
		}
		if n := len(all(t, f)); n != 3 {
			t.Fatalf("%d events, want 3", n)
		}
	})
	t.Run("projects and senders do not share ids", func(t *testing.T) {
		f := s.new(t)
		var events []weir.Event
		for i := range 20 { // of all shards
			events = append(events, f.event("1", fmt.Sprint("d", i)))
		}
		other, profile, nobody := f.event("1", "d0"), f.event("1", ""), f.event("1", "")
		other.ProjectID = "q"
		profile.ProfileID = "u"
		events = append(events, other, profile, nobody)
		if d := f.append(events...); len(d) != 0 {
			t.Fatal(d)
		}
		for i := range events {
			events[i].ProfileID = "u" // of a known device, an identified one is no other
		}
		if d := f.append(events[:21]...); len(d) != 21 {
			t.Fatalf("%d of 21 are known", len(d))
		}
	})
	t.Run("an id that roams is whom the client names, whatever device it comes with", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.Window = 2 * time.Hour })
		roams := func(device, profile, session string) weir.Event {
			e := f.event("1", device)
			e.Roams, e.ProfileID, e.SessionID = true, profile, session
			return e
		}
		named := []weir.Event{roams("d", "", ""), roams("d", "u", ""), roams("d", "v", "s"), roams("d", "", "s"), f.event("1", "d")}
		if d := f.append(named...); len(d) != 0 {
			t.Fatalf("%d of other senders are duplicates", d)
		}
		for range 3 { // through a turn of the generations
			for i := range 20 { // of all shards
				device := fmt.Sprint("d", i)
				again := []weir.Event{roams(device, "", ""), f.event(fmt.Sprint("new", f.clock.Now(), i), device), roams(device, "u", "t"), roams(device, "v", ""), roams(device, "", "s")}
				if d := cmp.Diff([]int{0, 2, 3, 4}, f.append(again...)); d != "" {
					t.Fatalf("from %s: %s", device, d)
				}
			}
			f.clock.Add(50 * time.Minute)
			f.reopen()
		}
		if n := f.total("p"); n != 5+60 {
			t.Fatalf("counter says %d, want %d", n, 5+60)
		}
	})
	t.Run("an id that roams is stored once, from however many devices it comes at the same time", s.testRoamingAtOnce)
	t.Run("an id is known for the window, through restarts and drains", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.Window = 2 * time.Hour })
		f.append(f.event("1", "d"))
		for range 11 {
			f.clock.Add(10 * time.Minute)
			f.reopen()
			for shard := range f.Shards() {
				drain(t, f, shard, f.clock.Now())
			}
			f.sweep()
			if d := f.append(f.event("1", "d")); len(d) != 1 {
				t.Fatalf("forgotten at %v", f.clock.Now())
			}
		}
	})
	t.Run("an id is forgotten after two windows with events", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.Window = 2 * time.Hour })
		f.append(f.event("1", "d"))
		f.clock.Add(2 * time.Hour)
		f.append(f.event("2", "d"))
		f.clock.Add(2*time.Hour + time.Second)
		if d := f.append(f.event("1", "d")); len(d) != 0 {
			t.Fatal("still known")
		}
	})
	t.Run("ids of any bytes and length are told apart", func(t *testing.T) {
		f := s.new(t)
		long := string(make([]byte, 255))
		for i, id := range []string{"a", "a ", "A", "a\x00", "\x00a", long, long[1:], "é", "e\u0301"} {
			if d := f.append(f.event(id, "d")); len(d) != 0 {
				t.Fatalf("id %d %q taken for another", i, id)
			}
			if d := f.append(f.event(id, "d")); len(d) != 1 {
				t.Fatalf("id %d %q not known again", i, id)
			}
		}
	})
}

// sweep lets a backend that forgets by work of its own do so.
func (f *fixture) sweep() {
	f.t.Helper()
	if s, ok := f.Store.(interface{ Sweep() error }); ok {
		if err := s.Sweep(); err != nil {
			f.t.Fatal(err)
		}
	}
}

// total returns the project's events of today.
func (f *fixture) total(project string) int64 {
	f.t.Helper()
	var n int64
	now := f.clock.Now()
	points, err := f.Series(f.t.Context(), project, hot.Day, hot.Total, "", now.Add(-48*time.Hour), now.Add(time.Hour))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, p := range points {
		n += p.Count
	}
	return n
}
