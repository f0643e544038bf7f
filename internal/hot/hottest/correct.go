package hottest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// anyEvent returns a random event of the last 40 days. Few times, names and devices occur, so that
// events share buckets.
func (f *fixture) anyEvent(random *rand.Rand, id string) weir.Event {
	e := f.event(id, []string{"", "d1", "d2", "d3", "d4", "d5", "d6", "d7"}[random.IntN(8)])
	ages := []time.Duration{0, time.Minute, 61 * time.Minute, 30 * time.Hour, 9 * 24 * time.Hour, 40 * 24 * time.Hour}
	e.Time = e.Time.Add(-ages[random.IntN(len(ages))])
	e.Name, e.Bot = fmt.Sprint("name", random.IntN(3)), random.IntN(4) == 0
	switch random.IntN(6) {
	case 0:
		e.ProfileID = "u"
	case 1:
		e.Roams, e.SessionID = true, "s"
	case 2, 3, 4:
		e.Name = weir.NameCall
		e.Call = &weir.Call{Method: "GET", Route: fmt.Sprint("/", random.IntN(4)), Status: []int{0, 200, 404, 503}[random.IntN(4)], Consumer: []string{"", "acme", "globex"}[random.IntN(3)]}
	}
	return e
}

// rows stands for the cold tier. These tests drain nothing, so the log still has every event, and rows returns what the cold
// tier would have after a barrier.
func (f *fixture) rows(deleted map[string]bool) (rows []weir.EventRow) {
	f.t.Helper()
	for shard := range f.Shards() {
		for _, r := range read(f.t, f.Store, shard, 0) {
			if !deleted[r.Event.ID] {
				r.Event.Roams = false // the cold tier does not store it
				rows = append(rows, weir.EventRow{Event: r.Event, Shard: shard, Seq: r.Seq})
			}
		}
	}
	return rows
}

// bucketsOf returns the buckets that the events counted in.
func bucketsOf(rows []weir.EventRow) (buckets []hot.Bucket) {
	for i := range rows {
		for _, b := range hot.Buckets(nil, rows[i].Time, time.UTC, rows[i].ReceivedAt) {
			if !slices.Contains(buckets, b) {
				buckets = append(buckets, b)
			}
		}
	}
	return buckets
}

// recountUniques makes the sketches of the buckets anew from what the log has.
func (f *fixture) recountUniques(buckets []hot.Bucket, deleted map[string]bool) {
	f.t.Helper()
	if err := f.ClearUniques(f.t.Context(), "p", buckets); err != nil {
		f.t.Fatal(err)
	}
	var unique []hot.Unique
	for _, r := range f.rows(deleted) {
		for _, b := range hot.Buckets(nil, r.Time, time.UTC, r.ReceivedAt) {
			if slices.Contains(buckets, b) {
				unique = append(unique, hot.Unique{Bucket: b, Device: r.DeviceID, Bot: r.Bot})
			}
		}
	}
	for some := range slices.Chunk(unique, 100) {
		for range 2 { // to add them again changes nothing
			if err := f.AddUniques(f.t.Context(), "p", some); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// numbers returns all counters of p and the uniques of people and bots, by bucket.
func (f *fixture) numbers(buckets []hot.Bucket) map[string]int64 {
	f.t.Helper()
	return f.numbersOf("p", buckets)
}

// numbersOf returns what numbers does, of any project.
func (f *fixture) numbersOf(project string, buckets []hot.Bucket) map[string]int64 {
	f.t.Helper()
	got := map[string]int64{}
	for _, b := range buckets {
		at := time.Unix(b.Start, 0)
		for _, d := range hot.Dimensions {
			members, err := f.Members(f.t.Context(), project, b.Grain, d, at, at.Add(time.Second), 0)
			if err != nil {
				f.t.Fatal(err)
			}
			var sum int64
			for _, m := range members {
				got[fmt.Sprintf("%c %d %c %s %v", b.Grain, b.Start, d, m.Name, m.Rest)] = m.Count
				sum += m.Count
			}
			found, err := f.Inquire(f.t.Context(), project, hot.Inquiry{Tables: []hot.Question{{Grain: b.Grain, Dimension: d, Starts: []time.Time{at}}}})
			if err != nil {
				f.t.Fatal(err)
			}
			if n := found.Tables[0].Sum(); n != sum {
				f.t.Fatalf("%c %d by %c: %d events, an inquiry says %d", b.Grain, b.Start, d, sum, n)
			}
		}
		for _, crowd := range [...]string{project, hot.BotsOf(project)} {
			n, err := f.Uniques(f.t.Context(), crowd, b.Grain, at, at.Add(time.Second))
			if err != nil {
				f.t.Fatal(err)
			}
			found, err := f.Inquire(f.t.Context(), crowd, hot.Inquiry{Devices: []hot.Bucket{b}})
			if err != nil || found.Devices[0] != n {
				f.t.Fatalf("%d unique devices, an inquiry says %v (%v)", n, found.Devices, err)
			}
			got[fmt.Sprintf("%c %d unique of %q", b.Grain, b.Start, crowd)] = n
		}
	}
	return got
}

func (s suite) testCorrect(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		t.Run(fmt.Sprintf("after a deletion all numbers are those of a store that never had the events, with crashes: %v", crashes), func(t *testing.T) {
			random := rand.New(rand.NewPCG(3, 4))
			f, never := s.new(t), s.new(t)
			var kept, gone []weir.Event
			deleted := map[string]bool{}
			for i := range 240 {
				e := f.anyEvent(random, fmt.Sprint(i))
				if random.IntN(3) == 0 {
					gone = append(gone, e)
					deleted[e.ID] = true
				} else {
					kept = append(kept, e)
				}
			}
			mixed := slices.Concat(kept, gone)
			random.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
			f.append(mixed...)
			never.append(kept...)
			rows := slices.DeleteFunc(f.rows(nil), func(r weir.EventRow) bool { return !deleted[r.ID] })
			if len(rows) != len(gone) {
				t.Fatalf("%d of %d events are in the log", len(rows), len(gone))
			}
			buckets := bucketsOf(f.rows(nil))
			f.checkInquiry(2) // pages are in memory

			// Without crashes others append meanwhile, from the same devices.
			var writer sync.WaitGroup
			var meanwhile []weir.Event
			if !crashes {
				for i := range 120 {
					meanwhile = append(meanwhile, f.anyEvent(random, fmt.Sprint("m", i)))
				}
				writer.Go(func() {
					for some := range slices.Chunk(meanwhile, 3) {
						if _, err := f.Append(context.Background(), items(some)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			number := uint64(0)
			for some := range slices.Chunk(rows, 13) {
				number++
				step := hot.Step{ID: "deletion", Number: number}
				amounts := hot.Amounts(some, time.UTC)
				if crashes {
					ctx, cancel := context.WithCancel(t.Context())
					go cancel()
					_ = f.Subtract(ctx, "p", step, amounts) // done or not
					if number%3 == 0 {
						f.reopen()
					}
				}
				for range 2 {
					if err := f.Subtract(t.Context(), "p", step, amounts); err != nil {
						t.Fatal(err)
					}
				}
			}
			if crashes {
				if err := f.ClearUniques(t.Context(), "p", bucketsOf(rows)); err != nil {
					t.Fatal(err)
				}
				f.reopen()
			}
			f.recountUniques(bucketsOf(rows), deleted)
			writer.Wait()
			never.append(meanwhile...)
			check := func() {
				t.Helper()
				if d := cmp.Diff(never.numbers(buckets), f.numbers(buckets)); d != "" {
					t.Fatalf("never there (-), deleted (+)\n%s", d)
				}
				f.checkInquiry(2)
			}
			check()
			f.reopen()
			check()

			if dups := f.append(gone...); len(dups) != len(gone) {
				t.Fatalf("%d of %d deleted events are taken again before their ids are dropped", len(gone)-len(dups), len(gone))
			}
			for range 2 {
				if err := f.DropIDs(t.Context(), rows); err != nil {
					t.Fatal(err)
				}
			}
			if dups := f.append(kept...); len(dups) != len(kept) {
				t.Fatalf("ids of %d other events were dropped", len(kept)-len(dups))
			}
			if dups := f.append(gone...); len(dups) != 0 {
				t.Fatalf("%d of %d deleted events are still known", len(dups), len(gone))
			}
			never.append(gone...)
			check()
			f.reopen()
			if dups := f.append(gone...); len(dups) != len(gone) {
				t.Fatalf("%d events were stored twice", len(gone)-len(dups))
			}
		})
	}
	t.Run("a device that comes again after its sketch was cleared counts again, on every node", func(t *testing.T) {
		f := s.new(t)
		nodes := []hot.Store{f.Store}
		if other, err := f.open(f.place, f.conf); err == nil {
			defer other.Close()
			nodes = append(nodes, other)
		} else if !errors.Is(err, hot.ErrBusy) {
			t.Fatal(err)
		}
		for i := range 6 {
			for n, node := range nodes {
				if _, err := node.Append(t.Context(), items([]weir.Event{f.event(fmt.Sprint(i, " ", n), "d")})); err != nil {
					t.Fatal(err)
				}
				f.checkInquiry(1)
				if got := f.numbers(bucketsOf(f.rows(nil))); got[fmt.Sprintf("d %d unique of %q", hot.Day.Start(f.clock.Now(), time.UTC).Unix(), "p")] != 1 {
					t.Fatalf("round %d, node %d: %v, want 1 device", i, n, got)
				}
				if err := f.ClearUniques(t.Context(), "p", bucketsOf(f.rows(nil))); err != nil {
					t.Fatal(err)
				}
				f.checkInquiry(1)
			}
		}
	})
	t.Run("ids of the generation before are dropped too", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.Window = time.Hour })
		f.append(f.event("1", "d"), f.event("2", "d"))
		f.clock.Add(time.Hour)
		f.append(f.event("3", "d"))
		if dups := f.append(f.event("1", "d")); len(dups) != 1 {
			t.Fatal("the id is forgotten already")
		}
		rows := slices.DeleteFunc(f.rows(nil), func(r weir.EventRow) bool { return r.ID != "1" })
		if err := f.DropIDs(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]int{1, 2}, f.append(f.event("1", "d"), f.event("2", "d"), f.event("3", "d"))); d != "" {
			t.Fatal(d)
		}
	})
	t.Run("counters do not fall below 0, and what a member lacks is of the rest", func(t *testing.T) {
		f := s.new(t, func(c *Config) { c.MaxMembers = 2 })
		now := f.clock.Now()
		for i, route := range []string{"/a", "/b", "/a", "/c", "/d", "/d"} {
			e := f.called(fmt.Sprint(i), route, 200, "", now)
			e.DeviceID = "d" // one shard
			f.append(e)
		}
		subtract := func(number uint64, route string, n int64) map[string]int64 {
			t.Helper()
			e := f.called("", route, 200, "", now)
			e.DeviceID = "d"
			amounts := hot.Amounts([]weir.EventRow{{Event: e, Shard: hot.ShardOf(&e, f.Shards())}}, time.UTC)
			for i := range amounts {
				amounts[i].N = n
			}
			if err := f.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: number}, amounts); err != nil {
				t.Fatal(err)
			}
			f.checkInquiry(1)
			got := map[string]int64{}
			for d, prefix := range map[hot.Dimension]string{hot.Route: "", hot.Total: "total", hot.Status: "status "} {
				members, err := f.Members(t.Context(), "p", hot.Day, d, now.AddDate(0, 0, -1), now, 0)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range members {
					got[prefix+m.Name] = m.Count
				}
			}
			return got
		}
		for i, step := range []struct {
			route string
			n     int64
			want  map[string]int64
		}{
			{"/a", 1, map[string]int64{"/a": 1, "/b": 1, "other": 3, "total": 5, "status 2xx": 5}},
			{"/d", 1, map[string]int64{"/a": 1, "/b": 1, "other": 2, "total": 4, "status 2xx": 4}},
			{"/b", 2, map[string]int64{"/a": 1, "other": 1, "total": 2, "status 2xx": 2}},
			{"/a", 9, map[string]int64{}},
		} {
			if d := cmp.Diff(step.want, subtract(uint64(i+1), step.route, step.n)); d != "" {
				t.Fatalf("after %d of %s: %s", step.n, step.route, d)
			}
		}
		if n := f.total("p"); n != 0 {
			t.Fatalf("%d events, want none", n)
		}
		f.append(f.event("again", "d"))
		if n := f.total("p"); n != 1 {
			t.Fatalf("%d events, want 1", n)
		}
		f.checkInquiry(1)
		f.reopen()
		f.checkInquiry(1)
	})
	t.Run("a bucket past its time does not come back", func(t *testing.T) {
		f := s.new(t)
		f.append(f.event("1", "d"))
		rows := f.rows(nil)
		f.clock.Add(400 * 24 * time.Hour)
		f.sweep()
		buckets := bucketsOf(rows)
		if err := f.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: 1}, hot.Amounts(rows, time.UTC)); err != nil {
			t.Fatal(err)
		}
		f.recountUniques(buckets, nil)
		for key, n := range f.numbers(buckets) {
			if n != 0 {
				t.Errorf("%s: %d", key, n)
			}
		}
	})
	t.Run("a call that is too large or has no name is refused", func(t *testing.T) {
		f := s.new(t)
		amount := hot.Amount{Bucket: hot.Bucket{Grain: hot.Day}, Fact: hot.Fact{Dimension: hot.Total}, N: 1}
		many := make([]hot.Amount, hot.MaxCorrection+1)
		for i := range many {
			many[i] = amount
		}
		negative, elsewhere := amount, amount
		negative.N, elsewhere.Shard = -1, -1
		for name, err := range map[string]error{
			"amounts":  f.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: 1}, many),
			"no id":    f.Subtract(t.Context(), "p", hot.Step{Number: 1}, many[:1]),
			"no step":  f.Subtract(t.Context(), "p", hot.Step{ID: "x"}, many[:1]),
			"negative": f.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: 1}, []hot.Amount{negative}),
			"shard":    f.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: 1}, []hot.Amount{elsewhere}),
			"buckets":  f.ClearUniques(t.Context(), "p", make([]hot.Bucket, hot.MaxCorrection+1)),
			"devices":  f.AddUniques(t.Context(), "p", make([]hot.Unique, hot.MaxCorrection+1)),
			"rows":     f.DropIDs(t.Context(), make([]weir.EventRow, hot.MaxCorrection+1)),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err := f.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: 1}, many[:1]); err == nil {
			t.Error("a closed store takes a correction")
		}
	})
}
