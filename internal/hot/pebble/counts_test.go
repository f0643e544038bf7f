package pebble_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	cockroach "github.com/cockroachdb/pebble/v2"
	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// appendAll appends the events in requests of up to 100.
func appendAll(t *testing.T, s hot.Store, events []weir.Event) {
	t.Helper()
	for len(events) > 0 {
		n := min(100, len(events))
		its := make([]hot.Item, n)
		for i := range its {
			its[i] = hot.Item{Event: &events[i], Location: time.UTC}
		}
		if _, err := s.Append(t.Context(), its); err != nil {
			t.Fatal(err)
		}
		events = events[n:]
	}
}

func openWith(t *testing.T, dir string, o pebble.Options) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestCountersOfEventsOutOfOrderAreRightWhenTheirCacheHoldsFewBuckets(t *testing.T) {
	for name, test := range map[string]struct{ members, most int }{
		"few members": {5, 300}, "more members than the cap": {60, 20}, "more members than are read at once": {400, 300},
	} {
		t.Run(name, func(t *testing.T) {
			const most = 30 << 10
			s := openWith(t, t.TempDir(), pebble.Options{CountsBytes: most, MaxMembers: test.most})
			random := rand.New(rand.NewPCG(1, 2))
			now := time.Now()
			var events []weir.Event
			want := map[time.Time]map[string]int64{}
			for i := range 6000 {
				e := weir.Event{
					ID: fmt.Sprint(i), ProjectID: "p", Name: fmt.Sprint("n", random.IntN(test.members)), DeviceID: fmt.Sprint("d", i%50),
					Time: now.Add(-time.Duration(random.IntN(24*60)) * time.Minute), ReceivedAt: now,
				}
				if i < 2*test.most { // first the names of both days that are not beyond the cap
					e.Name, e.Time = fmt.Sprint("n", i%min(test.members, test.most)), now.Add(-time.Duration(i/test.most)*24*time.Hour)
				}
				events = append(events, e)
				day := hot.Day.Start(e.Time, time.UTC)
				if want[day] == nil {
					want[day] = map[string]int64{}
				}
				if _, known := want[day][e.Name]; !known && len(want[day]) >= test.most {
					e.Name = "rest"
				}
				want[day][e.Name]++
			}
			appendAll(t, s, events[:2*test.most])
			appendAll(t, s, events[2*test.most:])
			for day, want := range want {
				members, err := s.Members(t.Context(), "p", hot.Day, hot.Name, day, day.Add(time.Second), 0)
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]int64{}
				for _, m := range members {
					if m.Rest {
						m.Name = "rest"
					}
					got[m.Name] = m.Count
				}
				delete(got, "rest")
				delete(want, "rest")
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("%v: %s", day, d)
				}
			}
			if m := s.Memory(); m.Counts > most+200*2000 { // what one batch touches comes on top
				t.Errorf("the cache of counters holds %d bytes, at most %d are wanted", m.Counts, most)
			}
		})
	}
}

func TestDevicesOfEventsOutOfOrderCountOnceEach(t *testing.T) {
	dir := t.TempDir()
	s := openWith(t, dir, pebble.Options{})
	now := time.Now()
	var events []weir.Event
	for i := range 20_000 { // 400 devices on 30 days, each of them twice or so in an hour
		events = append(events, weir.Event{
			ID: fmt.Sprint(i), ProjectID: "p", Name: "x", DeviceID: fmt.Sprint("d", i%400),
			Time: now.Add(-time.Duration(i*7919%(30*24)) * time.Hour), ReceivedAt: now,
		})
	}
	appendAll(t, s, events)
	before, err := s.Uniques(t.Context(), "p", hot.Day, now.AddDate(0, 0, -40), now)
	if err != nil || before < 390 || before > 410 {
		t.Fatalf("%d devices, want 400 within 2.5 %% (%v)", before, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := openWith(t, dir, pebble.Options{}).Uniques(t.Context(), "p", hot.Day, now.AddDate(0, 0, -40), now)
	if err != nil || after != before {
		t.Fatalf("%d devices after a restart, %d before (%v)", after, before, err)
	}
}

func TestStoreOfFormat1IsTakenOver(t *testing.T) {
	dir := t.TempDir()
	db, err := cockroach.Open(dir, &cockroach.Options{FormatMajorVersion: cockroach.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	day := hot.Day.Start(time.Now(), time.UTC)
	e := weir.Event{ID: "1", ProjectID: "p", Name: "x", DeviceID: "d", Time: time.Now(), ReceivedAt: time.Now()}
	h := hot.Hash("p", "d")
	register := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64([]byte("up\x00d"), uint64(day.Unix())), uint16(h>>50))
	for key, value := range map[string][]byte{
		"m":              append([]byte{1, 4}, "0123456789abcdef"...),
		string(register): {60}, // greater than that of any device
	} {
		if err := db.Set([]byte(key), value, cockroach.Sync); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := openWith(t, dir, pebble.Options{})
	if s.ID() != "0123456789abcdef" {
		t.Fatalf("id %q", s.ID())
	}
	appendAll(t, s, []weir.Event{e})
	if n, err := s.Uniques(t.Context(), "p", hot.Day, day, day.Add(time.Second)); n != 1 || err != nil {
		t.Fatalf("%d devices, want 1 (%v)", n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// A version that reads up to 1 must refuse it now.
	if db, err = cockroach.Open(dir, &cockroach.Options{FormatMajorVersion: cockroach.FormatNewest, ReadOnly: true}); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for key, want := range map[string]byte{"m": 2, string(register): 60} {
		value, closer, err := db.Get([]byte(key))
		if err != nil || value[0] != want {
			t.Errorf("%q is %v, want %d first (%v)", key, value, want, err)
		}
		closer.Close()
	}
}
