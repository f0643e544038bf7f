package redis_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// bytesPerID is what a million ids may cost each.
const bytesPerID = 32

// usedBy returns the memory that the keys of a server take: what is free without
// them.
func usedBy(t testing.TB, server *redistest.Server) int64 {
	t.Helper()
	used := func() int64 { return redisconn.ParseInfo(server.Do("INFO", "memory")).Int("used_memory") }
	before := used()
	server.Do("FLUSHALL", "SYNC")
	return before - used()
}

// remembered returns the memory of n ids that came after a quiet day, when Redis
// expected few: that of all keys but the sets of ids is not in it.
func remembered(t testing.TB, shards, n int) int64 {
	t.Helper()
	server := redistest.Start(t, "--appendonly", "no")
	now := time.Now()
	s := storeOn(t, server.URL(), redis.Options{Shards: shards, Clock: func() time.Time { return now }})
	feed(t, s, -100, 0)
	now = now.Add(24 * time.Hour) // after a quiet day
	const each = 100_000
	for from := 0; from < n; from += each {
		if known := feed(t, s, from, min(from+each, n)); known > 0 {
			t.Fatalf("%d new ids are known", known)
		}
		for shard := range shards { // the log need not grow
			drainOnce(t, s, shard, "me", delivery{})
		}
	}
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	var others []string
	for cursor := uint64(0); ; {
		page, err := s.client.Do(t.Context(), s.client.B().Scan().Cursor(cursor).Count(10_000).Build()).AsScanEntry()
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range page.Elements {
			if !idSet.MatchString(key) {
				others = append(others, key)
			}
		}
		if cursor = page.Cursor; cursor == 0 {
			break
		}
	}
	if err := s.client.Do(t.Context(), s.client.B().Del().Key(others...).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	return usedBy(t, server)
}

// rememberedAsKeys returns the memory of n ids that are remembered in the simple
// way, a key with an expiry each.
func rememberedAsKeys(t testing.TB, n int) int64 {
	t.Helper()
	server := redistest.Start(t, "--appendonly", "no")
	s := storeOn(t, server.URL()+"?prefix=unused", redis.Options{})
	server.Do("FLUSHALL", "SYNC")
	const each = 10_000
	for from := 0; from < n; from += each {
		var cmds []rueidis.Completed
		for _, it := range tiny(from, min(from+each, n)) {
			key := fmt.Sprintf("{w%d}:%x", hot.ShardOf(it.Event, 4), hot.DedupID(it.Event))
			cmds = append(cmds, s.client.B().Set().Key(key).Value("1").Nx().PxMilliseconds(24*60*60*1000).Build())
		}
		for _, r := range s.client.DoMulti(t.Context(), cmds...) {
			if err := r.Error(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return usedBy(t, server)
}

func TestAMillionIdsTakeTheMemoryThatIsPromised(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	per := float64(remembered(t, 1, n)) / n
	t.Logf("%.1f bytes an id", per)
	if per > bytesPerID || per < 8 { // 8 are the id itself
		t.Errorf("%.1f bytes an id, want at most %d", per, bytesPerID)
	}
	naive := float64(rememberedAsKeys(t, n/10)) / (n / 10)
	t.Logf("a key each: %.1f bytes an id", naive)
	if naive < 2*bytesPerID {
		t.Errorf("a key each takes %.1f bytes an id: the sets are not worth it", naive)
	}
}

// BenchmarkDedupMemory measures the bytes that ids take, and those that a key
// for each would take. Run it with -benchtime 1x. Ten millions are only tried
// with WEIR_BENCH_LARGE.
func BenchmarkDedupMemory(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000, 10_000_000} {
		b.Run(fmt.Sprint("ids=", n), func(b *testing.B) {
			if n > 1_000_000 && os.Getenv("WEIR_BENCH_LARGE") == "" {
				b.Skip("WEIR_BENCH_LARGE is not set")
			}
			for range b.N {
				b.ReportMetric(float64(remembered(b, 4, n))/float64(n), "B/id")
				b.ReportMetric(float64(rememberedAsKeys(b, n))/float64(n), "naive-B/id")
			}
		})
	}
}
