package redis_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/weir-analytics/weir/bench"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// cpu returns the time that the server's main thread has worked.
func cpu(b *testing.B, s *redistest.Server) time.Duration {
	info := redisconn.ParseInfo(s.Do("INFO", "cpu"))
	return time.Duration((info.Float("used_cpu_user_main_thread") + info.Float("used_cpu_sys_main_thread")) * float64(time.Second))
}

// BenchmarkAppend appends events of a site's mix from one writer; one op is one
// event. redis-us/op is the CPU that the server's main thread used for it.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 25, 100, 400} {
		for _, aof := range []string{"yes", "no"} {
			b.Run(fmt.Sprintf("batch=%d/aof=%s", size, aof), func(b *testing.B) {
				server := redistest.Start(b, "--appendonly", aof, "--auto-aof-rewrite-percentage", "0")
				s, err := openStore(server.URL(), redis.Options{Shards: 1})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				items := mix(b.N)
				began := cpu(b, server)
				b.ReportAllocs()
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
}

// mix returns n events of now, as a busy site sends them: 256 visits at a time.
func mix(n int) []hot.Item {
	items := make([]hot.Item, 0, n)
	now := time.Now().UTC()
	for e := range bench.Mix(1, bench.Plan{Project: "p", From: now.Add(-time.Hour), To: now, Events: n}) {
		e.ID = "0192f0c1-0000-7000-8000-" + fmt.Sprintf("%012d", len(items))
		e.Time, e.ReceivedAt = now, now
		e.DeviceID = "d_" + strconv.FormatUint(uint64(len(items)/2048*256+len(items)%256)*0x9e3779b97f4a7c15, 16)
		items = append(items, hot.Item{Event: &e, Location: time.UTC})
	}
	return items
}
