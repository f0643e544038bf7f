package pebble_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// BenchmarkAppendOutOfOrder appends events of the last 30 days, once in the
// order of their times and once at random, 100 at a time by 32 writers. One op is
// one event of each kind; the rates are in events a second of the process's CPU
// time, since those by the clock depend on what else the machine does.
func BenchmarkAppendOutOfOrder(b *testing.B) {
	ordered := appendOver(b, func(i, n int) time.Duration {
		return time.Duration(float64(30*24*time.Hour) * float64(n-i) / float64(n))
	})
	random := appendOver(b, func(int, int) time.Duration { return time.Duration(rand.Int64N(int64(30 * 24 * time.Hour))) })
	b.ReportMetric(ordered, "ordered/cpu-s")
	b.ReportMetric(random, "random/cpu-s")
	b.ReportMetric(random/ordered, "ratio")
}

// appendOver appends b.N events, the i-th of n as long ago as age says, and
// returns events a second.
func appendOver(b *testing.B, age func(i, n int) time.Duration) float64 {
	b.Helper()
	s, err := pebble.Open(b.TempDir(), pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const size, writers = 100, 32
	now, began := time.Now(), cpuTime(b)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			events, its := make([]weir.Event, size), make([]hot.Item, size)
			for first := w * size; first < b.N; first += writers * size {
				for i := range events {
					n := first + i
					e := &events[i]
					*e = weir.Event{
						ID: fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n), ProjectID: "p", Name: [...]string{"screen_view", "click", "signup"}[n%3],
						Time: now.Add(-age(n, b.N)), ReceivedAt: now, DeviceID: fmt.Sprint("device-", n*7919%50000),
						Path: "/pricing", Origin: "https://example.com", Browser: "Firefox", BrowserVersion: "130", OS: "Linux", Country: "DE",
						DeviceType: "desktop", Properties: []byte(`{"plan":"pro","button":"upgrade","position":3}`),
					}
					its[i] = hot.Item{Event: e, Location: time.UTC}
				}
				if _, err := s.Append(b.Context(), its); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.Logf("%.0f events a second by the clock", float64(b.N)/time.Since(now).Seconds())
	return float64(b.N) / (cpuTime(b) - began).Seconds()
}
