package hottest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testErase(t *testing.T) {
	// counted is each dimension's members by grain, over all that is kept.
	counted := func(f *fixture, g hot.Grain, d hot.Dimension) map[string]int64 {
		f.t.Helper()
		now := f.clock.Now()
		ms, err := f.Members(f.t.Context(), "p", g, d, now.AddDate(-1, 0, 0), now.Add(time.Hour), 0)
		if err != nil {
			f.t.Fatal(err)
		}
		got := map[string]int64{}
		for _, m := range ms {
			got[m.Name] += m.Count
		}
		return got
	}
	erase := func(f *fixture, devices, consumers []string) {
		f.t.Helper()
		if err := f.Erase(f.t.Context(), "p", devices, consumers); err != nil {
			f.t.Fatal(err)
		}
	}
	t.Run("devices that are erased are not live any more, until they come again", func(t *testing.T) {
		f := s.new(t)
		var devices []string
		for i := range 280 { // more than a step
			devices = append(devices, fmt.Sprint("d", i))
		}
		var events []weir.Event
		for i, d := range append(devices, "other") {
			events = append(events, f.event(fmt.Sprint(i), d))
		}
		elsewhere := f.event("elsewhere", "d1")
		elsewhere.ProjectID = "q"
		f.append(append(events, elsewhere)...)
		for shard := range f.Shards() {
			drain(t, f, shard, f.clock.Now())
		}
		check := func(project string, want int) {
			t.Helper()
			if n, err := f.Live(t.Context(), project, f.clock.Now()); err != nil || n != want {
				t.Fatalf("%d of %s are live, want %d (%v)", n, project, want, err)
			}
		}
		check("p", 281)
		erase(f, append(devices, "unknown"), nil)
		for range 2 {
			check("p", 1)
			check("q", 1)
			f.sees("p", []hot.SeenQuery{{Device: "d1"}, {Device: "other"}}, []hot.SeenResult{hot.Unseen, hot.SeenDevice})
			f.checkInquiry(1)
			f.reopen()
		}
		f.clock.Add(2 * time.Second)
		f.append(f.event("again", "d1"))
		check("p", 2)
		f.reopen()
		check("p", 2)
	})
	t.Run("consumers that are erased are in no bucket, and all else counts as before", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.MaxMembers = 3 })
		now := f.clock.Now()
		var events []weir.Event
		n := 0
		add := func(at time.Time, consumer string) {
			n++
			e := f.called(fmt.Sprint(n), "/u1", 200, consumer, at)
			e.DeviceID = "d"
			events = append(events, e)
		}
		for i := range 400 { // more buckets than a step
			at := now.Add(-time.Duration(i) * time.Minute)
			add(at, "u1")
			add(at, "acme")
			if i%2 == 0 {
				add(at, "u2")
			}
		}
		for i := range 20 {
			at := now.AddDate(0, 0, -1-i)
			add(at, "u1")
			add(at, "globex")
		}
		elsewhere := f.called("elsewhere", "/", 200, "u1", now)
		elsewhere.ProjectID = "q"
		f.append(append(events, elsewhere)...)
		events = nil
		add(now, "beyond the cap")
		f.append(events...)
		f.checkInquiry(3)
		all := func() map[string]map[string]int64 {
			got := map[string]map[string]int64{}
			for _, g := range hot.Grains {
				for _, d := range hot.Dimensions {
					got[fmt.Sprintf("%c by %c", g, d)] = counted(f, g, d)
				}
			}
			return got
		}
		want := all()
		for _, g := range hot.Grains {
			by := fmt.Sprintf("%c by %c", g, hot.Consumer)
			if want[by]["u1"] == 0 || want[by]["u2"] == 0 {
				t.Fatalf("%s: %v", by, want[by])
			}
			delete(want[by], "u1")
			delete(want[by], "u2")
		}
		erase(f, nil, []string{"u1", "unknown", "u2"})
		for range 2 {
			if d := cmp.Diff(want, all()); d != "" {
				t.Fatalf("(-want +got)\n%s", d)
			}
			if points, err := f.Series(t.Context(), "p", hot.Minute, hot.Consumer, "u1", now.AddDate(-1, 0, 0), now.Add(time.Hour)); len(points) > 0 || err != nil {
				t.Fatal(points, err)
			}
			f.checkInquiry(3)
			f.reopen()
			erase(f, nil, []string{"u1", "u2"}) // again: nothing changes
		}
		if ms, err := f.Members(t.Context(), "q", hot.Day, hot.Consumer, now.AddDate(0, 0, -1), now, 0); err != nil || len(ms) != 1 || ms[0].Name != "u1" {
			t.Fatal(ms, err)
		}
		f.append(f.called("again", "/u1", 200, "acme", now), f.called("and again", "/u1", 200, "acme", now))
		f.checkInquiry(3)
		for _, g := range hot.Grains {
			by := fmt.Sprintf("%c by %c", g, hot.Consumer)
			want[by]["acme"] += 2
			if d := cmp.Diff(want[by], counted(f, g, hot.Consumer)); d != "" {
				t.Fatalf("%s (-want +got)\n%s", by, d)
			}
		}
	})
	t.Run("a consumer that comes again after it was erased counts anew", func(t *testing.T) {
		f := s.new(t)
		now := f.clock.Now()
		for i := range 3 {
			f.append(f.called(fmt.Sprint(i), "/", 200, "u1", now), f.called(fmt.Sprint("a", i), "/", 200, "acme", now))
			f.checkInquiry(1)
			if got := counted(f, hot.Hour, hot.Consumer); got["u1"] != 1 || got["acme"] != int64(i+1) {
				t.Fatal(got)
			}
			erase(f, []string{"d0"}, []string{"u1"})
			f.checkInquiry(1)
			if got := counted(f, hot.Hour, hot.Consumer); got["u1"] != 0 || got["acme"] != int64(i+1) {
				t.Fatal(got)
			}
		}
	})
	t.Run("events that are appended during an erasure count once", func(t *testing.T) {
		f := s.new(t)
		now := f.clock.Now()
		for i := range 300 {
			f.append(f.called(fmt.Sprint("u", i), "/", 200, "u1", now.Add(-time.Duration(i)*time.Minute)))
		}
		const writers, each = 3, 40
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					f.append(f.called(fmt.Sprint(w, " ", i), "/", 200, fmt.Sprint("c", i%7), now.Add(-time.Duration(i)*time.Minute)))
				}
			})
		}
		for range 3 {
			erase(f, []string{"du1"}, []string{"u1"})
			f.inquire(hot.Inquiry{Tables: []hot.Question{{Grain: hot.Day, Dimension: hot.Consumer, Starts: []time.Time{hot.Day.Start(now, time.UTC)}}}})
		}
		wg.Wait()
		for range 2 {
			for _, g := range hot.Grains {
				var calls, total int64
				for name, n := range counted(f, g, hot.Consumer) {
					if calls += n; name == "u1" {
						t.Errorf("%c: %d calls of u1", g, n)
					}
				}
				for _, n := range counted(f, g, hot.Total) {
					total += n
				}
				if calls != writers*each || total != writers*each+300 {
					t.Errorf("%c: %d calls by consumer, %d events, want %d and 300 more", g, calls, total, writers*each)
				}
			}
			f.checkInquiry(3)
			f.reopen()
		}
	})
}
