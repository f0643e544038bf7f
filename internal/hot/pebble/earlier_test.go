package pebble_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// The store in testdata was written by a version that kept each project's last
// events and each device's last screen view. It has ten screen views of the devices
// d0 to d9, /private/0 to /private/9; the last two are not drained.
func TestStoreOfAnEarlierVersionLosesItsRecentEventsAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/store-with-recent-events")); err != nil {
		t.Fatal(err)
	}
	written := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	now := written.Add(4 * time.Minute)
	o := pebble.Options{Clock: func() time.Time { return now }, MemTableBytes: 1 << 20}
	stands := func(s *pebble.Store, want map[string]int) {
		t.Helper()
		got, err := pebble.Values(s, "/private/")
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("where pages stand: %s (%v)", d, err)
		}
	}
	var s *pebble.Store
	for start := range 2 {
		s = openWith(t, dir, o)
		if n, err := s.Live(t.Context(), "p", now); n != 10 || err != nil {
			t.Errorf("start %d: %d live, want 10 (%v)", start, n, err)
		}
		asked, want := []hot.SeenQuery{{Device: "nobody"}}, []hot.SeenResult{hot.Unseen}
		for i := range 10 {
			asked, want = append(asked, hot.SeenQuery{Device: fmt.Sprint("d", i)}), append(want, hot.SeenDevice)
			asked, want = append(asked, hot.SeenQuery{Device: fmt.Sprint("d", i), ID: fmt.Sprint(i)}), append(want, hot.SeenEvent)
		}
		seen, err := s.Seen(t.Context(), "p", asked, now)
		if d := cmp.Diff(want, seen); d != "" || err != nil {
			t.Errorf("start %d: %s (%v)", start, d, err)
		}
		records, err := s.Read(t.Context(), 0, 8, hot.Limit{})
		if err != nil || len(records) != 2 || records[1].Seq != 10 || records[1].Event.Path != "/private/9" {
			t.Errorf("start %d: the log has %v (%v)", start, records, err)
		}
		stands(s, map[string]int{"l": 2, "v": 8}) // the log, and devices of half an hour
		if start == 0 {
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	appendAll(t, s, []weir.Event{{ID: "more", ProjectID: "p", Name: weir.NameScreenView, Path: "/private/0", Time: now, ReceivedAt: now, DeviceID: "d0"}})
	commitAll(t, s, 0)
	stands(s, map[string]int{"v": 7}) // d1 to d7: d0 was seen again
	now = now.Add(time.Hour)
	if err := s.Sweep(); err != nil {
		t.Fatal(err)
	}
	stands(s, map[string]int{})
}

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
