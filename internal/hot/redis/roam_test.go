package redis_test

import (
	"fmt"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// One request asks more shards for more ids than one round trip does.
func TestManyEventsThatRoamCountOnceOnManyShards(t *testing.T) {
	t.Parallel()
	s := storeOn(t, redistest.Start(t).URL(), redis.Options{Shards: 64})
	now := time.Now()
	const events = 500
	from := func(device string) (items []hot.Item) {
		for i := range events {
			items = append(items, hot.Item{Location: time.UTC, Event: &weir.Event{
				ID: fmt.Sprint("e", i), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: fmt.Sprint(device, i), Roams: true,
			}})
		}
		return items
	}
	for i, device := range []string{"home-", "office-", "train-"} {
		duplicates, err := s.Append(t.Context(), from(device))
		if err != nil {
			t.Fatal(err)
		}
		if want := min(i, 1) * events; len(duplicates) != want {
			t.Errorf("from %s: %d duplicates, want %d", device, len(duplicates), want)
		}
	}
}

// The request with the claim failed before it appended: its claim is for a shard that does not have the event.
func TestAnEventIsStoredOnceAlsoIfTheRequestWithItsClaimFailed(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 8})
	now := time.Now()
	for i := range 20 {
		e := &weir.Event{ID: fmt.Sprint("e", i), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("d", i), Roams: true}
		id := hot.DedupID(e)
		server.Do("SET", "w:roam:"+string(id[:]), "3", "PX", "60000")
		for again := range 3 {
			e.DeviceID = fmt.Sprint("d", i, again)
			known, err := s.Append(t.Context(), []hot.Item{{Event: e, Location: time.UTC}})
			if err != nil || len(known) != min(again, 1) {
				t.Fatalf("try %d: duplicates %v, %v", again, known, err)
			}
		}
	}
	if head, err := s.Head(t.Context(), 3); err != nil || head != 20 {
		t.Errorf("the shard of the claims has %d events, want 20 (%v)", head, err)
	}
}

// BenchmarkAppendRoaming is BenchmarkAppend for events that roam, on several shards.
func BenchmarkAppendRoaming(b *testing.B) {
	for _, size := range []int{1, 25} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			server := redistest.Start(b, "--appendonly", "yes", "--auto-aof-rewrite-percentage", "0")
			s, err := openStore(server.URL(), redis.Options{Shards: 8})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			items := mix(b.N)
			for i := range items {
				items[i].Event.Roams = true
			}
			began := cpu(b, server)
			b.ResetTimer()
			for i := 0; i < len(items); i += size {
				if _, err := s.Append(b.Context(), items[i:min(i+size, len(items))]); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			b.ReportMetric(float64((cpu(b, server)-began).Microseconds())/float64(b.N), "redis-us/op")
		})
	}
}
