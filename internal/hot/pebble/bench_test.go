package pebble_test

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// BenchmarkAppend appends with 8 writers at once; one op is one event.
func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprint("batch=", size), func(b *testing.B) {
			s, err := pebble.Open(b.TempDir(), pebble.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			var id atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(4)
			b.RunParallel(func(pb *testing.PB) {
				events := make([]weir.Event, size)
				its := make([]hot.Item, 0, size)
				flush := func() {
					if _, err := s.Append(b.Context(), its); err != nil {
						b.Error(err)
					}
					its = its[:0]
				}
				for pb.Next() {
					n := id.Add(1)
					now := time.Now()
					e := &events[len(its)]
					*e = weir.Event{
						ID: fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", n), ProjectID: "p", Name: [...]string{"screen_view", "click", "signup"}[n%3],
						Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("device-", n/10%10000),
						Path: "/pricing", Origin: "https://example.com", Browser: "Firefox", BrowserVersion: "130", OS: "Linux", Country: "DE",
						DeviceType: "desktop", Properties: []byte(`{"plan":"pro","button":"upgrade","position":3}`),
					}
					its = append(its, hot.Item{Event: e, Location: time.UTC})
					if len(its) == size {
						flush()
					}
				}
				flush()
			})
		})
	}
}

// BenchmarkAppendCalls appends calls of 1,000 routes and 1,000 consumers, 100 at a
// time; one op is one call, cpu-us/op what the process spent on it.
func BenchmarkAppendCalls(b *testing.B) {
	s, err := pebble.Open(b.TempDir(), pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	const size = 100
	events, its := make([]weir.Event, size), make([]hot.Item, size)
	began := cpuTime(b)
	b.ReportAllocs()
	for n := 0; n < b.N; n += size {
		now := time.Now()
		for i := range events {
			k := n + i
			events[i] = weir.Event{
				ID: fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", k), ProjectID: "p", Name: weir.NameCall, Time: now, ReceivedAt: now,
				DeviceID: fmt.Sprint("device-", k*7919%50000),
				Call:     &weir.Call{Method: "GET", Route: fmt.Sprint("/route/", k*31%1000), Status: []int{200, 200, 200, 500}[k%4], Consumer: fmt.Sprint("c", k*17%1000)},
			}
			its[i] = hot.Item{Event: &events[i], Location: time.UTC}
		}
		if _, err := s.Append(b.Context(), its); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-began).Nanoseconds())/1000/float64(b.N), "cpu-us/op")
}

// cpuTime returns what this process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
