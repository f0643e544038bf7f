package pebble_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// commitAll commits all that a shard holds.
func commitAll(tb testing.TB, s hot.Store, shard int) {
	tb.Helper()
	l, err := s.Claim(tb.Context(), shard, "me", time.Minute)
	if err != nil {
		tb.Fatal(err)
	}
	head, err := s.Head(tb.Context(), shard)
	if err != nil {
		tb.Fatal(err)
	}
	p, err := s.Progress(tb.Context(), shard)
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Commit(tb.Context(), l, hot.Intent{First: p.Committed + 1, Last: head, Now: time.Now()}, nil); err != nil {
		tb.Fatal(err)
	}
}

func TestLargeRecentEventsTakeNoMemory(t *testing.T) {
	s := openWith(t, t.TempDir(), pebble.Options{Shards: 1})
	var events []weir.Event
	for n := range 300 {
		now := time.Now()
		events = append(events, weir.Event{
			ID: fmt.Sprint(n), ProjectID: fmt.Sprint("p", n%3), Name: "x", Time: now, ReceivedAt: now, DeviceID: "d",
			Properties: []byte(`{"a":"` + strings.Repeat("x", 50_000) + `"}`),
		})
	}
	appendAll(t, s, events)
	for _, drained := range []bool{false, true} {
		if drained {
			commitAll(t, s, 0)
		}
		got, err := s.Recent(t.Context(), "p0", 1000)
		if err != nil || len(got) != 100 || got[0].ID != "297" || got[99].ID != "0" || len(got[0].Properties) < 50_000 {
			t.Fatalf("drained %v: %d events (%v)", drained, len(got), err)
		}
		if m := s.Memory(); m.Recents > 3*3500 {
			t.Errorf("drained %v: which events are recent takes %d bytes", drained, m.Recents)
		}
	}
}

func TestRecentEventsAreKeptForAWeekAfterTheLast(t *testing.T) {
	now, elapsed := time.Now(), time.Duration(0)
	s := openWith(t, t.TempDir(), pebble.Options{
		Shards: 1, Clock: func() time.Time { return now }, Elapsed: func() time.Duration { return elapsed },
	})
	appendAll(t, s, []weir.Event{{ID: "1", ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: "d"}})
	commitAll(t, s, 0)
	for day := range 9 {
		if err := s.Sweep(); err != nil {
			t.Fatal(err)
		}
		got, err := s.Recent(t.Context(), "p", 100)
		if want := day < 8; err != nil || len(got) == 1 != want && day != 7 {
			t.Errorf("after %d days: %d events (%v)", day, len(got), err)
		}
		now, elapsed = now.AddDate(0, 0, 1), elapsed+24*time.Hour
	}
	appendAll(t, s, []weir.Event{{ID: "2", ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: "d"}})
	commitAll(t, s, 0)
	if got, err := s.Recent(t.Context(), "p", 100); err != nil || len(got) != 1 || got[0].ID != "2" {
		t.Errorf("%d events after another came (%v)", len(got), err)
	}
}

// BenchmarkCommitBesideManyProjects commits one event while so many other
// projects have recent events.
func BenchmarkCommitBesideManyProjects(b *testing.B) {
	for _, projects := range []int{1, 10_000} {
		b.Run(fmt.Sprint("projects=", projects), func(b *testing.B) {
			s, err := pebble.Open(b.TempDir(), pebble.Options{Shards: 1})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			id := 0
			add := func(project string, n int) {
				its := make([]hot.Item, n)
				for i := range its {
					id++
					now := time.Now()
					its[i] = hot.Item{Location: time.UTC, Event: &weir.Event{
						ID: fmt.Sprint(id), ProjectID: project, Name: "x", Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("d", id%10),
					}}
				}
				if _, err := s.Append(b.Context(), its); err != nil {
					b.Fatal(err)
				}
			}
			for p := range projects {
				add(fmt.Sprint("p", p), 100)
			}
			commitAll(b, s, 0)
			b.ResetTimer()
			began := cpuTime(b)
			for range b.N {
				add("p0", 1)
				commitAll(b, s, 0)
			}
			b.ReportMetric(float64((cpuTime(b)-began).Microseconds())/float64(b.N), "cpu-us/op")
		})
	}
}
