package bench_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
	"github.com/weir-analytics/weir/internal/stats"
)

// What the statistics are measured with.
const (
	statsRoutes    = 1000
	statsConsumers = 1000
	statsDevices   = 50_000
	statsLoad      = 5000 // events a second meanwhile
	statsDays      = 8    // over which a tenth of the stored events is spread; the others are of the last six hours
	statsLoaders   = 4    // that store them at once
)

// statsEvents returns how many events the counters have counted before: 1 million, or
// WEIR_BENCH_EVENTS.
func statsEvents(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("WEIR_BENCH_EVENTS"))
	if os.Getenv("WEIR_BENCH_EVENTS") == "" {
		return 1_000_000
	}
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkStats asks for overview and trends while events come in at 5,000 a
// second and are drained from the log. One op is one answer, at most a hundred a
// second; it reports the median and the 99th percentile of their times, and as
// least-p99-ms that of the smallest question that the store knows, asked in turn
// with them: what a busy machine adds to any answer. Use -benchtime 2000x.
func BenchmarkStats(b *testing.B) {
	for name, open := range map[string]func(*testing.B) (s hot.Store, loaded func()){"pebble": openPebble, "redis": openRedis} {
		if only := os.Getenv("WEIR_BENCH_HOT"); only != "" && only != name {
			continue
		}
		b.Run(name, func(b *testing.B) {
			store, loaded := open(b)
			n := statsEvents(b)
			began := time.Now()
			load(b, store, n)
			source := newCallSource(statsLoaders)
			source.n = n
			for i := 0; i < statsDevices; i += 1000 { // all live
				items := source.items(1000, func(int) time.Time { return time.Now() })
				for j, it := range items {
					it.Event.DeviceID = source.devices[i+j]
				}
				mustAppend(b, store, items)
			}
			drainAll(b, store)
			loaded()
			b.Logf("%d events counted in %v", n+statsDevices, time.Since(began).Round(time.Second))
			s, project := stats.New(store, nil), &weir.Project{ID: "p", Timezone: "Asia/Kolkata"}
			if err := project.Resolve(); err != nil {
				b.Fatal(err)
			}
			ask := map[string]func() error{
				"overview": func() error { _, err := s.Overview(b.Context(), project); return err },
			}
			for _, rng := range []string{"minute", "hour", "day"} {
				ask["trend/"+rng] = func() error {
					_, err := s.Trend(b.Context(), project, stats.TrendQuery{Range: rng})
					return err
				}
				for _, by := range []string{"api", "status", "consumer"} {
					ask["trend/"+rng+"/"+by] = func() error {
						_, err := s.Trend(b.Context(), project, stats.TrendQuery{Range: rng, By: by})
						return err
					}
				}
			}
			for _, name := range slices.Sorted(maps.Keys(ask)) {
				b.Run(name, func(b *testing.B) { measure(b, store, source, ask[name]) })
			}
		})
	}
}

// load appends n events from several goroutines, in large batches, and drains
// them from the log meanwhile.
func load(b *testing.B, store hot.Store, n int) {
	const batch = 10_000
	now := time.Now().UTC()
	var next, stored atomic.Int64
	var loaders, drain sync.WaitGroup
	ended := make(chan struct{})
	drain.Go(func() {
		each := time.NewTicker(time.Second)
		defer each.Stop()
		for {
			select {
			case <-ended:
				return
			case <-each.C:
				drainAll(b, store)
			}
		}
	})
	for loader := range statsLoaders {
		loaders.Go(func() {
			source := newCallSource(uint64(loader))
			for {
				from := int(next.Add(batch)) - batch
				if from >= n {
					return
				}
				source.n = from
				items := source.items(min(batch, n-from), func(i int) time.Time { return spread(now, from+i, n) })
				if _, err := store.Append(b.Context(), items); err != nil {
					b.Error(err)
					return
				}
				if done := stored.Add(int64(len(items))); done%1_000_000 == 0 {
					b.Logf("%d events after %v", done, time.Since(now).Round(time.Second))
				}
			}
		})
	}
	loaders.Wait()
	close(ended)
	drain.Wait()
	if b.Failed() {
		b.FailNow()
	}
}

// spread returns the time of the i-th of n events, in the order of time.
func spread(now time.Time, i, n int) time.Time {
	at := float64(i) / float64(n)
	if at < 0.1 {
		return now.Add(-6*time.Hour + time.Duration((at*10-1)*float64(statsDays*24*time.Hour-6*time.Hour)))
	}
	return now.Add(time.Duration((at - 1) / 0.9 * float64(6*time.Hour)))
}

// measure asks b.N times under load.
func measure(b *testing.B, store hot.Store, source *callSource, ask func() error) {
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan int)
	go func() {
		n := 0
		defer func() { ended <- n }()
		each := time.NewTicker(10 * time.Millisecond)
		defer each.Stop()
		for began := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-each.C:
			}
			due := int(time.Since(began).Seconds() * statsLoad)
			for ; n < due; n += 50 {
				if _, err := store.Append(context.WithoutCancel(ctx), source.items(50, func(int) time.Time { return time.Now() })); err != nil {
					b.Error(err)
					return
				}
			}
			if n%statsLoad < 50 {
				drainAll(b, store)
			}
		}
	}()
	for range 10 {
		if err := ask(); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	took, least := make([]time.Duration, 0, b.N), make([]time.Duration, 0, b.N)
	for range b.N {
		<-pace.C
		at := time.Now()
		if err := ask(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(at))
		<-pace.C
		at = time.Now()
		if _, err := store.Head(b.Context(), 0); err != nil {
			b.Fatal(err)
		}
		least = append(least, time.Since(at))
	}
	elapsed := time.Since(began)
	cancel()
	n := <-ended
	slices.Sort(took)
	slices.Sort(least)
	us := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(us(took[len(took)/2]), "p50-ms")
	b.ReportMetric(us(took[len(took)*99/100]), "p99-ms")
	b.ReportMetric(us(took[len(took)-1]), "max-ms")
	b.ReportMetric(us(least[len(least)*99/100]), "least-p99-ms")
	b.ReportMetric(float64(n)/elapsed.Seconds(), "events/s")
}

// callSource makes calls of all routes, consumers and devices alike, one in ten of
// them failed. That is the worst case: nothing is rare.
type callSource struct {
	random                     *rand.Rand
	n                          int
	routes, consumers, devices []string
}

func newCallSource(seed uint64) *callSource {
	names := func(n int, format string) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf(format, i))
		}
		return all
	}
	return &callSource{
		random: rand.New(rand.NewPCG(seed, 2)),
		routes: names(statsRoutes, "/api/v1/resource-%d/{id}"), consumers: names(statsConsumers, "customer-%d"), devices: names(statsDevices, "device-%d"),
	}
}

func (c *callSource) items(n int, at func(i int) time.Time) []hot.Item {
	events, items := make([]weir.Event, n), make([]hot.Item, n)
	loc := kolkata
	for i := range events {
		c.n++
		t := at(i)
		status := 200
		if c.random.IntN(10) == 0 {
			status = 500
		}
		events[i] = weir.Event{
			ID: fmt.Sprintf("0192f0c1-0000-7000-8000-%012d", c.n), ProjectID: "p", Name: weir.NameCall, Time: t, ReceivedAt: t,
			DeviceID: c.devices[c.random.IntN(statsDevices)],
			Call: &weir.Call{
				Method: "GET", Route: c.routes[c.random.IntN(statsRoutes)], Status: status, LatencyMS: weir.Known(12),
				Consumer: c.consumers[c.random.IntN(statsConsumers)],
			},
		}
		items[i] = hot.Item{Event: &events[i], Location: loc}
	}
	return items
}

var kolkata = func() *time.Location {
	loc, err := time.LoadLocation("Asia/Kolkata")
	if err != nil {
		panic(err)
	}
	return loc
}()

func mustAppend(b *testing.B, s hot.Store, items []hot.Item) {
	b.Helper()
	if _, err := s.Append(b.Context(), items); err != nil {
		b.Fatal(err)
	}
}

// drainAll commits what the log holds, as a drain does that has a fast cold tier.
func drainAll(b *testing.B, s hot.Store) {
	ctx := context.WithoutCancel(b.Context())
	for shard := range s.Shards() {
		err := func() error {
			l, err := s.Claim(ctx, shard, "bench", time.Minute)
			if err != nil {
				return err
			}
			p, err := s.Progress(ctx, shard)
			if err != nil {
				return err
			}
			head, err := s.Head(ctx, shard)
			if err != nil {
				return err
			}
			in := hot.Intent{First: p.Committed + 1, Last: head, Now: time.Now()}
			if err := s.Intend(ctx, l, in); err != nil {
				return err
			}
			return s.Commit(ctx, l, in, nil)
		}()
		if err != nil {
			b.Error(err)
		}
	}
}

func openPebble(b *testing.B) (hot.Store, func()) {
	s, err := pebble.Open(b.TempDir(), pebble.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s, func() {}
}

// openRedis begins without an append-only file, for what is stored beforehand; once
// it is loaded, Redis has one.
func openRedis(b *testing.B) (hot.Store, func()) {
	server := redistest.Start(b, "--save", "", "--appendonly", "no")
	u, err := redisconn.Parse(server.URL())
	if err != nil {
		b.Fatal(err)
	}
	client, err := redisconn.Open(b.Context(), u, redisconn.Options{Durable: true})
	if err != nil {
		b.Fatal(err)
	}
	s, err := redis.Open(b.Context(), client, u.Prefix, redis.Options{Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close(); client.Close() })
	return s, func() {
		server.Do("CONFIG", "SET", "appendonly", "yes")
		rewritten := func() bool {
			info := server.Do("INFO", "persistence")
			return strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0")
		}
		for !rewritten() {
			<-time.After(100 * time.Millisecond)
		}
	}
}
