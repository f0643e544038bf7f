package pebble_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/hottest"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func TestStoreWithLittleMemoryKeepsAllPromises(t *testing.T) {
	hottest.Run(t, func(place string, c hottest.Config) (hot.Store, error) {
		return openStore(place, c, pebble.Options{
			CacheBytes: 1 << 20, MemTableBytes: 4 << 20, CountsBytes: 1, FilterBytes: 1, BucketCacheBytes: 60 << 10, PresenceBytes: 100 << 10,
		})
	}, func(t *testing.T) string { return t.TempDir() })
}

func TestIDsAreToldApartWhenTheirFiltersAreFull(t *testing.T) {
	const most = 150 << 10 // one segment of 65,536 ids
	s := openWith(t, t.TempDir(), pebble.Options{FilterBytes: most})
	events := func(from, to int) (its []hot.Item) {
		for n := from; n < to; n++ {
			now := time.Now()
			its = append(its, hot.Item{Location: time.UTC, Event: &weir.Event{ID: fmt.Sprint(n), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: "d"}})
		}
		return its
	}
	for from := 0; from < 120_000; from += 2000 {
		if duplicates, err := s.Append(t.Context(), events(from, from+2000)); err != nil || len(duplicates) > 0 {
			t.Fatalf("%d new ids are known (%v)", len(duplicates), err)
		}
	}
	for _, from := range []int{0, 60_000, 118_000} {
		if duplicates, err := s.Append(t.Context(), events(from, from+2000)); err != nil || len(duplicates) != 2000 {
			t.Errorf("%d of 2000 ids from %d are known (%v)", len(duplicates), from, err)
		}
	}
	if m := s.Memory(); m.Filters > most || m.Filters == 0 {
		t.Errorf("the filters take %d bytes, at most %d are wanted", m.Filters, most)
	}
}

// To know the ids of an earlier process a start reads all of them.
func TestAStartDoesNotLeaveTheBlockCacheFullOfIDs(t *testing.T) {
	place, o := t.TempDir(), pebble.Options{MemTableBytes: 4 << 20, CacheBytes: 32 << 20}
	s := openWith(t, place, o)
	for from := 0; from < 200_000; from += 10_000 {
		var its []hot.Item
		for n := range 10_000 {
			now := time.Now()
			its = append(its, hot.Item{Location: time.UTC, Event: &weir.Event{ID: fmt.Sprint(from + n), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: "d"}})
		}
		if _, err := s.Append(t.Context(), its); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openWith(t, place, o)
	for end := time.Now().Add(time.Minute); ; runtime.Gosched() {
		m := s.Memory()
		if m.Filters >= 200_000*3/2 && m.Blocks < 256<<10 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d bytes of blocks are kept, with filters of %d", m.Blocks, m.Filters)
		}
	}
}

func TestAStoreThatIdlesKeepsNoBlocks(t *testing.T) {
	place := t.TempDir()
	s := openWith(t, place, pebble.Options{})
	day := hot.Day.Start(time.Now(), time.UTC)
	var events []weir.Event
	for n := range 5000 {
		events = append(events, weir.Event{ID: fmt.Sprint(n), ProjectID: "p", Name: fmt.Sprint("name", n), Time: day, ReceivedAt: day, DeviceID: fmt.Sprint("d", n)})
	}
	appendAll(t, s, events)
	if err := s.Close(); err != nil { // the memtable is in files now
		t.Fatal(err)
	}
	s = openWith(t, place, pebble.Options{})
	read := func() {
		t.Helper()
		if _, err := s.Read(t.Context(), 0, 0, hot.Limit{Events: 5000, Bytes: 8 << 20}); err != nil {
			t.Fatal(err)
		}
	}
	read()
	before := s.Memory().Blocks
	if err := s.Trim(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := s.Memory().Blocks; before < 10<<10 || after > before/10 {
		t.Errorf("%d bytes of blocks, %d after a trim", before, after)
	}
	read()
}

func TestPagesOfManyProjectsStayWithinTheirBound(t *testing.T) {
	const most = 300 << 10
	s := openWith(t, t.TempDir(), pebble.Options{BucketCacheBytes: most})
	now := time.Now()
	day := hot.Day.Start(now, time.UTC)
	in := hot.Inquiry{
		Tables:  []hot.Question{{Grain: hot.Day, Dimension: hot.Name, Starts: []time.Time{day.AddDate(0, 0, -1), day}}},
		Devices: []hot.Bucket{{Grain: hot.Day, Start: day.Unix()}},
	}
	for round := range 3 {
		for p := range 40 {
			project := fmt.Sprint("p", p)
			var events []weir.Event
			for n := range 50 {
				events = append(events, weir.Event{ID: fmt.Sprint(round, n), ProjectID: project, Name: fmt.Sprint("name", n), Time: day, ReceivedAt: now, DeviceID: fmt.Sprint("d", n)})
			}
			appendAll(t, s, events)
			got, err := s.Inquire(t.Context(), project, in)
			if err != nil || got.Tables[0].Sum() != int64(50*(round+1)) || got.Devices[0] < 49 || got.Devices[0] > 51 {
				t.Fatalf("round %d, project %d: %d events of %v devices (%v)", round, p, got.Tables[0].Sum(), got.Devices, err)
			}
			if m := s.Memory(); m.BucketCache > most {
				t.Fatalf("pages take %d bytes, at most %d are wanted", m.BucketCache, most)
			}
		}
	}
	// One project's alone: what is added while the page is there is counted too.
	for n := range 20 {
		var events []weir.Event
		for i := range 100 {
			events = append(events, weir.Event{ID: fmt.Sprint("more", n, i), ProjectID: "p0", Name: fmt.Sprint("more", n, "-", i), Time: day.AddDate(0, 0, -n%2), ReceivedAt: now, DeviceID: "d"})
		}
		appendAll(t, s, events)
		if m := s.Memory(); m.BucketCache > most {
			t.Fatalf("pages take %d bytes, at most %d are wanted", m.BucketCache, most)
		}
	}
	// What does not fit at all is refused, not read.
	small := openWith(t, t.TempDir(), pebble.Options{BucketCacheBytes: 1000})
	var events []weir.Event
	for n := range 100 {
		events = append(events, weir.Event{ID: fmt.Sprint(n), ProjectID: "p", Name: fmt.Sprint("name", n), Time: day, ReceivedAt: now, DeviceID: "d"})
	}
	appendAll(t, small, events)
	if _, err := small.Inquire(t.Context(), "p", in); weir.ErrorCode(err) != weir.ETOOLARGE {
		t.Errorf("%v, want %s", err, weir.ETOOLARGE)
	}
}
