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

// in returns the events with a timezone, as Append takes them.
func in(loc *time.Location, events []weir.Event) []hot.Item {
	its := items(events)
	for i := range its {
		its[i].Location = loc
	}
	return its
}

// whole are the grains whose buckets depend on the timezone.
var whole = []hot.Grain{hot.Hour, hot.Day}

// startsOf returns the buckets of the grains that the store has.
func (f *fixture) startsOf(grains []hot.Grain) (buckets []hot.Bucket) {
	f.t.Helper()
	for _, g := range grains {
		points, err := f.Series(f.t.Context(), "p", g, hot.Total, "", time.Unix(0, 0), f.clock.Now().Add(48*time.Hour))
		if err != nil {
			f.t.Fatal(err)
		}
		for _, p := range points {
			buckets = append(buckets, hot.Bucket{Grain: g, Start: p.Start.Unix()})
		}
	}
	return buckets
}

// refill counts the rows again in the buckets of their hours and days.
func (f *fixture) refill(id string, loc *time.Location, rows []weir.EventRow) error {
	kept := func(b hot.Bucket) bool { return slices.Contains(whole, b.Grain) }
	amounts := slices.DeleteFunc(hot.Amounts(rows, loc), func(a hot.Amount) bool { return !kept(a.Bucket) })
	number := uint64(0)
	for some := range slices.Chunk(amounts, 60) {
		number++
		for range 2 { // a step that is repeated counts once
			if err := f.Refill(f.t.Context(), "p", hot.Step{ID: id, Number: number}, some, nil); err != nil {
				return err
			}
		}
	}
	for some := range slices.Chunk(rows, 40) {
		number++
		var unique []hot.Unique
		for _, r := range some {
			for _, b := range hot.Buckets(nil, r.Time, loc, r.ReceivedAt) {
				if kept(b) {
					unique = append(unique, hot.Unique{Bucket: b, Device: r.DeviceID, Bot: r.Bot})
				}
			}
		}
		if err := f.Refill(f.t.Context(), "p", hot.Step{ID: id, Number: number}, nil, unique); err != nil {
			return err
		}
	}
	return nil
}

func (s suite) testRecount(t *testing.T) {
	for _, crashes := range []bool{false, true} {
		t.Run(fmt.Sprintf("after a recount all numbers are those of a store that had the timezone from the start, with crashes: %v", crashes), func(t *testing.T) {
			random := rand.New(rand.NewPCG(5, 6))
			loc := time.FixedZone("", 5*3600+45*60)
			f, always := s.new(t), s.new(t)
			var before, after []weir.Event
			for i := range 150 {
				before = append(before, f.anyEvent(random, fmt.Sprint(i)))
				after = append(after, f.anyEvent(random, fmt.Sprint("after ", i)))
			}
			if _, err := f.Append(t.Context(), in(time.UTC, before)); err != nil {
				t.Fatal(err)
			}
			if _, err := always.Append(t.Context(), in(loc, slices.Concat(before, after))); err != nil {
				t.Fatal(err)
			}
			f.checkInquiry(2) // pages are in memory
			var writer sync.WaitGroup
			begun := make(chan struct{})
			writer.Go(func() {
				for some := range slices.Chunk(after, 3) {
					if _, err := f.Append(context.Background(), in(loc, some)); err != nil {
						t.Error(err)
					}
					if some[0].ID == "after 3" {
						close(begun)
					}
				}
			})
			<-begun // some of the events are counted before the buckets are emptied
			if crashes {
				writer.Wait()
			}
			run := func(id string) error {
				// Those that are there, and those that events may begin meanwhile.
				buckets := f.startsOf(whole)
				for _, b := range always.startsOf(whole) {
					if !slices.Contains(buckets, b) {
						buckets = append(buckets, b)
					}
				}
				heads, err := f.Empty(t.Context(), "p", id, buckets)
				if err != nil {
					return err
				}
				return f.refill(id, loc, slices.DeleteFunc(f.rows(nil), func(r weir.EventRow) bool { return r.Seq > heads[r.Shard] }))
			}
			if crashes {
				for i := range 3 {
					if err := run(fmt.Sprint(i)); err != nil {
						t.Fatal(err)
					}
					f.reopen()
					if i == 1 {
						if _, err := f.Empty(t.Context(), "p", "x", f.startsOf(whole)); err != nil {
							t.Fatal(err)
						}
						if err := f.refill("1", loc, f.rows(nil)); !errors.Is(err, hot.ErrFenced) {
							t.Fatalf("an earlier recount goes on: %v", err)
						}
						f.reopen()
					}
				}
			} else if err := run("a"); err != nil {
				t.Fatal(err)
			}
			writer.Wait()
			for range 2 {
				buckets := always.startsOf(hot.Grains[:])
				if d := cmp.Diff(buckets, f.startsOf(hot.Grains[:])); d != "" {
					t.Fatalf("buckets: always in the timezone (-), recounted (+)\n%s", d)
				}
				if d := cmp.Diff(always.numbers(buckets), f.numbers(buckets)); d != "" {
					t.Fatalf("always in the timezone (-), recounted (+)\n%s", d)
				}
				f.reopen()
			}
			// What comes after it counts as ever.
			again := f.event("again", "d1")
			for _, x := range []*fixture{f, always} {
				if _, err := x.Append(t.Context(), in(loc, []weir.Event{again})); err != nil {
					t.Fatal(err)
				}
			}
			buckets := always.startsOf(hot.Grains[:])
			if d := cmp.Diff(always.numbers(buckets), f.numbers(buckets)); d != "" {
				t.Fatalf("always in the timezone (-), recounted (+)\n%s", d)
			}
		})
	}
	t.Run("buckets past their time are not filled, and calls that are too large are refused", func(t *testing.T) {
		f := s.new(t)
		f.append(f.event("1", "d"))
		rows := f.rows(nil)
		buckets := bucketsOf(rows)
		f.clock.Add(400 * 24 * time.Hour)
		f.sweep()
		if _, err := f.Empty(t.Context(), "p", "x", buckets); err != nil {
			t.Fatal(err)
		}
		if err := f.refill("x", time.UTC, rows); err != nil {
			t.Fatal(err)
		}
		for key, n := range f.numbers(buckets) {
			if n != 0 {
				t.Errorf("%s: %d", key, n)
			}
		}
		if _, err := f.Empty(t.Context(), "p", "", nil); err == nil {
			t.Error("an id is missing, no error")
		}
		if _, err := f.Empty(t.Context(), "p", "x", make([]hot.Bucket, hot.MaxEmptied+1)); err == nil {
			t.Error("too many buckets, no error")
		}
		if err := f.Refill(t.Context(), "p", hot.Step{ID: "x", Number: 1}, nil, make([]hot.Unique, hot.MaxCorrection+1)); err == nil {
			t.Error("too many devices, no error")
		}
		if err := f.Refill(t.Context(), "q", hot.Step{ID: "x", Number: 1}, nil, []hot.Unique{{Bucket: hot.Bucket{Grain: hot.Day, Start: f.clock.Now().Unix()}, Device: "d"}}); !errors.Is(err, hot.ErrFenced) {
			t.Errorf("a recount that was not begun: %v", err)
		}
	})
}
