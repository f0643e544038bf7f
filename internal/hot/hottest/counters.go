package hottest

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

func (s suite) testCounters(t *testing.T) {
	day := func(f *fixture, d hot.Dimension) map[string]int64 {
		f.t.Helper()
		now := f.clock.Now()
		ms, err := f.Members(f.t.Context(), "p", hot.Day, d, now.Add(-48*time.Hour), now.Add(48*time.Hour), 0)
		if err != nil {
			f.t.Fatal(err)
		}
		got := map[string]int64{}
		for _, m := range ms {
			got[m.Name] += m.Count
		}
		return got
	}
	call := func(f *fixture, id, route string, status int, consumer string) weir.Event {
		e := f.event(id, "d"+id)
		e.Name, e.Call = weir.NameCall, &weir.Call{Method: "GET", Route: route, Status: status, Consumer: consumer}
		return e
	}
	t.Run("events count by name, calls by route, status and consumer", func(t *testing.T) {
		f := s.new(t)
		f.append(f.event("1", "a"), f.event("2", "b"),
			call(f, "3", "/a", 200, "acme"), call(f, "4", "/a", 503, ""), call(f, "5", "/b", 204, "acme"), call(f, "6", "", 0, ""),
			call(f, "7", "/b", 400, ""), call(f, "8", "", 404, ""), call(f, "9", "/c", 600, ""), call(f, "10", "/a", 599, ""))
		f.reopen()
		for d, want := range map[hot.Dimension]map[string]int64{
			hot.Total:    {"": 10},
			hot.Calls:    {"": 8},
			hot.Name:     {"signup": 2, "api_call": 8},
			hot.Route:    {"/a": 3, "/b": 2, "/c": 1},
			hot.Status:   {"2xx": 2, "4xx": 2, "5xx": 2, "0xx": 2},
			hot.Consumer: {"acme": 2},
			hot.Failed:   {"/a": 2, "/b": 1},
		} {
			if diff := cmp.Diff(want, day(f, d)); diff != "" {
				t.Errorf("%c: %s", d, diff)
			}
		}
	})
	t.Run("members come most counted first, then by name, up to a limit", func(t *testing.T) {
		f := s.new(t)
		f.append(call(f, "1", "/b", 200, ""), call(f, "2", "/a", 200, ""), call(f, "3", "/c", 200, ""), call(f, "4", "/c", 200, ""))
		now := f.clock.Now()
		got, err := f.Members(t.Context(), "p", hot.Minute, hot.Route, now.Add(-time.Hour), now, 2)
		if d := cmp.Diff([]hot.Member{{Name: "/c", Count: 2}, {Name: "/a", Count: 1}}, got); d != "" || err != nil {
			t.Fatal(d, err)
		}
	})
	t.Run("a series has a point per bucket that holds anything, in [from, to)", func(t *testing.T) {
		f := s.new(t)
		start := f.clock.Now().Truncate(time.Minute)
		for i := range 5 {
			if i != 2 {
				f.append(f.event(fmt.Sprint(i), "d"))
			}
			f.clock.Add(time.Minute)
		}
		got, err := f.Series(t.Context(), "p", hot.Minute, hot.Name, "signup", start.Add(time.Minute), start.Add(4*time.Minute))
		want := []hot.Point{{Start: start.Add(time.Minute), Count: 1}, {Start: start.Add(3 * time.Minute), Count: 1}}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Fatal(d, err)
		}
	})
	t.Run("an event counts at its own time, in buckets that are still kept", func(t *testing.T) {
		f := s.new(t)
		now := f.clock.Now()
		for i, age := range []time.Duration{0, 7 * 24 * time.Hour, 20 * 24 * time.Hour, 300 * 24 * time.Hour, 3000 * 24 * time.Hour} {
			e := f.event(fmt.Sprint(i), "d")
			e.Time = now.Add(-age)
			f.append(e)
		}
		for g, want := range map[hot.Grain]int{hot.Minute: 2, hot.Hour: 3, hot.Day: 4} {
			got, err := f.Series(t.Context(), "p", g, hot.Total, "", time.Unix(0, 0), now.Add(time.Hour))
			if err != nil || len(got) != want {
				t.Errorf("%c: %d points, want %d (%v)", g, len(got), want, err)
			}
			for i, p := range got {
				if g == hot.Minute && i == len(got)-1 && !p.Start.Equal(now.Truncate(time.Minute)) {
					t.Errorf("last minute is %v", p.Start)
				}
			}
		}
	})
	t.Run("days and hours begin in the project's timezone", func(t *testing.T) {
		f := s.new(t)
		kolkata, err := time.LoadLocation("Asia/Kolkata")
		if err != nil {
			t.Fatal(err)
		}
		e := f.event("1", "d")
		e.Time = time.Date(2026, 3, 13, 18, 45, 0, 0, time.UTC) // 14 March 00:15 there
		if _, err := f.Append(t.Context(), []hot.Item{{Event: &e, Location: kolkata}}); err != nil {
			t.Fatal(err)
		}
		for g, want := range map[hot.Grain]time.Time{
			hot.Day:  time.Date(2026, 3, 14, 0, 0, 0, 0, kolkata),
			hot.Hour: time.Date(2026, 3, 14, 0, 0, 0, 0, kolkata),
		} {
			got, err := f.Series(t.Context(), "p", g, hot.Total, "", e.Time.Add(-48*time.Hour), e.Time.Add(48*time.Hour))
			if err != nil || len(got) != 1 || !got[0].Start.Equal(want) {
				t.Errorf("%c: %v, want one point at %v (%v)", g, got, want, err)
			}
		}
	})
	t.Run("members beyond the cap count as other, and none is lost", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.MaxMembers = 5 })
		one := func(id, route string) { // all in one shard, which a cap may be of
			e := call(f, id, route, 200, "")
			e.DeviceID = "d"
			f.append(e)
		}
		for i := range 8 {
			one(fmt.Sprint("a", i), fmt.Sprint("/", i))
			if i == 3 {
				f.reopen()
			}
		}
		one("b", "/0")
		want := map[string]int64{"/0": 2, "/1": 1, "/2": 1, "/3": 1, "/4": 1, hot.Other: 3}
		if d := cmp.Diff(want, day(f, hot.Route)); d != "" {
			t.Fatal(d)
		}
	})
	t.Run("counters are kept for their time, and then go", func(t *testing.T) {
		f := s.new(t)
		f.append(f.event("1", "d"))
		began := f.clock.Now().Truncate(time.Minute)
		has := func(g hot.Grain) bool {
			got, err := f.Series(t.Context(), "p", g, hot.Total, "", began.Add(-48*time.Hour), began.Add(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			return len(got) > 0
		}
		for _, g := range hot.Grains {
			f.clock.Add(began.Add(g.Kept() - 48*time.Hour).Sub(f.clock.Now()))
			f.sweep()
			if !has(g) {
				t.Errorf("%c is gone too early", g)
			}
			f.clock.Add(5 * 24 * time.Hour)
			f.sweep()
			if has(g) {
				t.Errorf("%c is there too long", g)
			}
		}
	})
}

func (s suite) testUniques(t *testing.T) {
	uniques := func(f *fixture, g hot.Grain) int64 {
		now := f.clock.Now()
		n, err := f.Uniques(f.t.Context(), "p", g, now.Add(-48*time.Hour), now.Add(48*time.Hour))
		if err != nil {
			f.t.Fatal(err)
		}
		return n
	}
	t.Run("few devices are counted exactly, once each, over shards and restarts", func(t *testing.T) {
		f := s.new(t)
		for i := range 60 {
			f.append(f.event(fmt.Sprint(i), fmt.Sprint("d", i%20)))
			if i%25 == 0 {
				f.reopen()
			}
		}
		none := f.event("none", "")
		none.ProfileID = "x"
		f.append(none)
		for _, g := range hot.Grains {
			if n := uniques(f, g); n != 20 {
				t.Errorf("%c: %d, want 20", g, n)
			}
		}
	})
	t.Run("many devices are estimated within four standard errors", func(t *testing.T) {
		f := s.new(t)
		const n = 30_000
		events := make([]weir.Event, 0, 1000)
		for i := range n {
			events = append(events, f.event(fmt.Sprint(i), fmt.Sprint("device-", i)))
			if len(events) == cap(events) {
				f.append(events...)
				events = events[:0]
			}
		}
		if got := uniques(f, hot.Day); math.Abs(float64(got)-n) > 4*0.0081*n {
			t.Fatalf("%d, want %d ± 3.3 %%", got, n)
		}
	})
	t.Run("a range counts a device once over its buckets", func(t *testing.T) {
		f := s.new(t)
		f.append(f.event("1", "a"), f.event("2", "b"))
		f.clock.Add(time.Minute)
		f.append(f.event("3", "a"), f.event("4", "c"))
		if n := uniques(f, hot.Minute); n != 3 {
			t.Fatalf("%d, want 3", n)
		}
	})
}
