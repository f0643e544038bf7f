package redis_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// kept are the events that a shard's list of the recent ones holds.
func kept(t testing.TB, s *store, key string) []weir.Event {
	t.Helper()
	chunks, err := s.client.Do(t.Context(), s.client.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
	if err != nil {
		t.Fatal(err)
	}
	events, err := redis.Newest(chunks, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// Whatever the requests look like, a project's recent events take a bounded part
// of a shard, and the newest of them are there.
func TestRecentEventsAreBoundedByEventsAndBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		each, bytes int // events of a request; bytes of an event's properties
		requests    int
		least       int // recent events
	}{
		{"single events", 1, 10, 150, 100},
		{"requests of 40", 40, 10, 20, 100},
		{"requests of 100", 100, 10, 120, 100},
		{"requests of 1000", 1000, 10, 3, 100},
		{"single events of 20 KB", 1, 20_000, 120, 6},
		{"requests of 50 events of 20 KB", 50, 20_000, 5, 6},
		{"events of 1 MB", 3, 1_000_000, 3, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--appendonly", "no")
			s := storeOn(t, server.URL(), redis.Options{Shards: 1})
			n := 0
			for range c.requests {
				var items []hot.Item
				for range c.each {
					n++
					it := item(strconv.Itoa(n), "d")
					it.Event.Properties = noise(c.bytes)
					items = append(items, it)
				}
				if _, err := s.Append(t.Context(), items); err != nil {
					t.Fatal(err)
				}
			}
			const key, most = "{w0}:recent:p", 256 << 10
			if events := kept(t, s, key); len(events) >= 2*hot.RecentMax {
				t.Errorf("%d events are kept", len(events))
			}
			if used := usage(t, server, key); used > max(most, c.bytes)*9/8 {
				t.Errorf("they take %d bytes", used)
			}
			if ttl := server.Do("TTL", key); strings.HasPrefix(ttl, "-") {
				t.Error("they are kept for ever")
			}
			for _, limit := range []int{1, 5, hot.RecentMax, 1000} {
				got, err := s.Recent(t.Context(), "p", limit)
				if err != nil || len(got) < min(limit, c.least) || len(got) > min(limit, hot.RecentMax) {
					t.Fatalf("%d of %d recent events (%v)", len(got), limit, err)
				}
				for i, e := range got {
					if want := strconv.Itoa(n - i); e.ID != want {
						t.Fatalf("the recent event %d is %s, want %s", i, e.ID, want)
					}
				}
			}
		})
	}
}

// noise is a JSON object that does not compress.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = "abcdefghijklmnopqrstuvwxyz012345"[rand.IntN(32)]
	}
	return fmt.Appendf(nil, `{"x":"%s"}`, b)
}

// An earlier build kept 100 chunks of 100 events, for ever.
func TestRecentEventsOfAnEarlierBuildAreReadAndGiveWay(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 1})
	const key = "{w0}:recent:p"
	n := 0
	next := func() hot.Item {
		n++
		return item(strconv.Itoa(n), "d")
	}
	for range 100 {
		var records []byte
		for range 100 {
			records = redis.AppendRecord(records, next().Event)
		}
		if err := s.client.Do(t.Context(), s.client.B().Lpush().Key(key).Element(string(redis.AppendChunk(nil, records))).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	check := func() {
		t.Helper()
		got, err := s.Recent(t.Context(), "p", hot.RecentMax)
		if err != nil || len(got) != hot.RecentMax || got[0].ID != strconv.Itoa(n) || got[99].ID != strconv.Itoa(n-99) {
			t.Fatalf("%d recent events: %v (%v)", len(got), got[0].ID, err)
		}
	}
	check()
	for range 100 {
		if _, err := s.Append(t.Context(), []hot.Item{next()}); err != nil {
			t.Fatal(err)
		}
		check()
	}
	if events := kept(t, s, key); len(events) != hot.RecentMax {
		t.Errorf("%d events are kept", len(events))
	}
	if ttl := server.Do("TTL", key); strings.HasPrefix(ttl, "-") {
		t.Error("they are kept for ever")
	}
}

// BenchmarkRecentMemory measures what the recent events of many projects take,
// each with some requests of a site's mix. Run it with -benchtime 1x.
func BenchmarkRecentMemory(b *testing.B) {
	for _, c := range []struct{ projects, requests, each int }{{10, 100, 100}, {10_000, 3, 100}} {
		b.Run(fmt.Sprintf("projects=%d/requests=%dx%d", c.projects, c.requests, c.each), func(b *testing.B) {
			for range b.N {
				server := redistest.Start(b, "--appendonly", "no")
				s := storeOn(b, server.URL(), redis.Options{Shards: 1})
				events := mix(c.each)
				for r := range c.requests {
					for p := range c.projects {
						for i, it := range events {
							it.Event.ProjectID, it.Event.ID = fmt.Sprint("p", p), fmt.Sprint(p, "-", r, "-", i)
							it.Event.Time = time.Now()
						}
						if _, err := s.Append(b.Context(), events); err != nil {
							b.Fatal(err)
						}
					}
					server.Do("DEL", "{w0}:log")
				}
				sum := 0
				for p := range c.projects {
					n, err := strconv.Atoi(server.Do("MEMORY", "USAGE", fmt.Sprint("{w0}:recent:p", p), "SAMPLES", "0"))
					if err != nil {
						b.Fatal(err)
					}
					sum += n
				}
				b.ReportMetric(float64(sum)/float64(c.projects), "B/project")
			}
		})
	}
}
