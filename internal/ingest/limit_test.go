package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/redistest"
)

// counted is a limiter that counts how often it is asked, and fails when told to.
type counted struct {
	fleet.Limiter
	asked atomic.Int64
	fail  atomic.Bool
}

func (c *counted) Take(ctx context.Context, key string, l fleet.Limit, n int) (time.Duration, int, error) {
	c.asked.Add(1)
	if c.fail.Load() {
		return 0, 0, errors.New("the store is away")
	}
	return c.Limiter.Take(ctx, key, l, n)
}

// river is four nodes over one limiter, under a clock that tests move.
type river struct {
	t      *testing.T
	mu     sync.Mutex
	now    time.Time
	shared *counted
	nodes  []*ingest.Limiter
	log    bytes.Buffer
	reg    *prometheus.Registry // of the first node
}

func (r *river) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *river) add(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

func newRiver(t *testing.T, open func(weir.Clock) fleet.Limiter) *river {
	t.Helper()
	r := &river{t: t, now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), reg: prometheus.NewRegistry()}
	r.shared = &counted{Limiter: open(r.clock)}
	for i := range 4 {
		c := ingest.LimiterConfig{Shared: r.shared, Clock: r.clock, Logger: slog.New(slog.NewTextHandler(&r.log, nil))}
		if i == 0 {
			c.Registry = r.reg
		}
		r.nodes = append(r.nodes, ingest.NewLimiter(c))
	}
	return r
}

func inProcess(clock weir.Clock) fleet.Limiter {
	return local.New(local.Options{Clock: clock}).Limiter
}

// take takes n at a node, and says whether they came through.
func (r *river) take(node int, rate weir.Rate, n int) bool {
	_, wait := r.nodes[node].Take(r.t.Context(), "k", rate, n)
	return wait == 0
}

// flow sends requests of n at times the rate to the nodes in turn, for d, and
// returns how many came through and how many did not.
func (r *river) flow(rate weir.Rate, n int, times float64, d time.Duration) (through, refused int) {
	const step = 500 * time.Microsecond
	perStep := times * float64(rate.N) * float64(step) / float64(rate.Per) / float64(n)
	due, node := 0.0, 0
	for range d / step {
		for due += perStep; due >= 1; due-- {
			node = (node + 1) % len(r.nodes)
			if r.take(node, rate, n) {
				through += n
			} else {
				refused += n
			}
		}
		r.add(step)
	}
	return through, refused
}

// within says whether a count is a wanted one to a fraction.
func within(got int, want, fraction float64) bool {
	return float64(got) >= want*(1-fraction) && float64(got) <= want*(1+fraction)
}

func backends(t *testing.T, test func(t *testing.T, open func(weir.Clock) fleet.Limiter)) {
	t.Run("in the process", func(t *testing.T) { test(t, inProcess) })
	t.Run("Redis", func(t *testing.T) {
		server := redistest.Start(t)
		client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, DisableCache: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(client.Close)
		fleets := 0
		test(t, func(clock weir.Clock) fleet.Limiter {
			fleets++
			return redis.New(client, redis.Options{Clock: clock, Prefix: fmt.Sprintf("w%d:", fleets)}).Limiter
		})
	})
}

func TestFourNodesAtFiveTimesTheLimitLetTheLimitThrough(t *testing.T) {
	backends(t, func(t *testing.T, open func(weir.Clock) fleet.Limiter) {
		for _, c := range []struct {
			rate string
			n    int // of one request
		}{
			{"1000/s", 1}, {"1000/s", 20}, {"7001/s", 3}, {"333333/s", 500}, {"60000/m", 1}, {"50/s", 1}, {"600/m", 1},
		} {
			t.Run(fmt.Sprintf("%s by %d", c.rate, c.n), func(t *testing.T) {
				rate, err := weir.ParseRate(c.rate)
				if err != nil {
					t.Fatal(err)
				}
				r := newRiver(t, open)
				perSecond := float64(rate.N) * float64(time.Second) / float64(rate.Per)
				// The bucket is full at first. What it holds comes through on top of the rate.
				first, refused := r.flow(rate, c.n, 5, 10*time.Second)
				if bound := float64(rate.N) + 10*perSecond; !within(first, min(bound, 50*perSecond), 0.01) {
					t.Errorf("%d in the first ten seconds, want %v", first, bound)
				}
				if rate.Per == time.Second && refused == 0 {
					t.Error("nothing was refused")
				}
				for c.rate == "60000/m" || c.rate == "600/m" { // until the bucket is empty
					if _, refused := r.flow(rate, c.n, 5, 10*time.Second); refused > 0 {
						break
					}
				}
				if next, _ := r.flow(rate, c.n, 5, 10*time.Second); !within(next, 10*perSecond, 0.01) {
					t.Errorf("%d in ten seconds after, want %v", next, 10*perSecond)
				}
			})
		}
	})
}

func TestWhoKeepsBelowTheLimitIsNeverRefused(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2)) // the same each time
	for _, text := range []string{"1000/s", "100/s", "600/m", "30/m", "100000/s"} {
		rate, err := weir.ParseRate(text)
		if err != nil {
			t.Fatal(err)
		}
		r := newRiver(t, inProcess)
		every := time.Duration(float64(rate.Per) / float64(rate.N) / 0.8)
		for i := range 20_000 {
			r.add(time.Duration(random.ExpFloat64() * float64(every)))
			if !r.take(random.IntN(4), rate, 1) {
				t.Fatalf("%s: request %d at four fifths of the rate was refused", text, i)
			}
		}
	}
}

func TestARateIsNeverExceeded(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, text := range []string{"1000/s", "100/s", "600/m", "5000/s"} {
		rate, err := weir.ParseRate(text)
		if err != nil {
			t.Fatal(err)
		}
		r := newRiver(t, inProcess)
		began, through := r.now, 0
		for range 50_000 {
			// Rushes and pauses, which let slices run out.
			if random.IntN(200) == 0 {
				r.add(time.Duration(random.Int64N(int64(rate.Per))))
			}
			r.add(time.Duration(random.ExpFloat64() * float64(rate.Per) / float64(rate.N) / 4))
			n := 1 + random.IntN(5)
			if r.take(random.IntN(4), rate, n) {
				through += n
			}
			bound := float64(rate.N) + float64(r.now.Sub(began))/float64(rate.Per)*float64(rate.N)
			// Beyond it are the slices of four nodes, and the rest of a request of each.
			if float64(through) > bound+0.04*float64(rate.N)+4*5 {
				t.Fatalf("%s: %d came through by %v, which is over %v", text, through, r.now.Sub(began), bound)
			}
		}
	}
}

func TestWhatIsLargerThanTheLimitPassesAndIsMadeUpFor(t *testing.T) {
	backends(t, func(t *testing.T, open func(weir.Clock) fleet.Limiter) {
		r := newRiver(t, open)
		rate := weir.Rate{N: 1000, Per: time.Second}
		if !r.take(0, rate, 20_000) {
			t.Fatal("a large request was refused by a full bucket")
		}
		_, wait := r.nodes[1].Take(t.Context(), "k", rate, 1)
		if want := 19 * time.Second; wait < want || wait > want+100*time.Millisecond {
			t.Fatalf("the next has to wait %v, want %v", wait, want)
		}
		r.add(wait)
		if !r.take(1, rate, 1) {
			t.Fatal("refused after the time that was said")
		}
		if r.take(0, rate, 20_000) {
			t.Fatal("another large one passed an empty bucket")
		}
		slow := weir.Rate{N: 1, Per: time.Hour}
		if _, wait := r.nodes[0].Take(t.Context(), "slow", slow, 50_000); wait != 0 {
			t.Fatal("what a slow rate cannot make up for in a year was refused for ever")
		}
	})
}

func TestMostRequestsAskNoOtherNode(t *testing.T) {
	r := newRiver(t, inProcess)
	through, _ := r.flow(weir.Rate{N: 10_000, Per: time.Second}, 1, 0.5, 10*time.Second)
	if asked := r.shared.asked.Load(); asked > int64(through/20) {
		t.Errorf("%d questions for %d requests below the limit", asked, through)
	}
	r.shared.asked.Store(0)
	_, refused := r.flow(weir.Rate{N: 10_000, Per: time.Second}, 1, 5, 10*time.Second)
	if asked := r.shared.asked.Load(); asked > 10*4*220 {
		t.Errorf("%d questions in ten seconds of refusing %d", asked, refused)
	}
}

func TestRateLimitReportsRemainingAndReset(t *testing.T) {
	r := newRiver(t, inProcess)
	rate := weir.Rate{N: 60, Per: time.Minute}
	s, wait := r.nodes[0].Take(t.Context(), "k", rate, 15)
	if s.Rate != rate || s.Remaining != 45 || s.Reset != 15*time.Second || wait != 0 {
		t.Fatalf("%+v, wait %v", s, wait)
	}
	r.add(10 * time.Second)
	if s, _ = r.nodes[0].Take(t.Context(), "k", rate, 55); s.Remaining != 0 || s.Reset != time.Minute {
		t.Fatalf("%+v", s)
	}
	s, wait = r.nodes[0].Take(t.Context(), "k", rate, 3)
	if s.Remaining != 0 || wait != 3*time.Second {
		t.Fatalf("%+v, wait %v", s, wait)
	}
	asked := r.shared.asked.Load()
	r.add(time.Second)
	if _, wait = r.nodes[0].Take(t.Context(), "k", rate, 3); wait != 2*time.Second || r.shared.asked.Load() != asked {
		t.Fatalf("wait %v, %d questions more", wait, r.shared.asked.Load()-asked)
	}
	if !r.take(0, rate, 1) {
		t.Fatal("what there is was refused to who needs less")
	}
}

func TestAChangedRateCountsAtOnce(t *testing.T) {
	r := newRiver(t, inProcess)
	if !r.take(0, weir.Rate{N: 10, Per: time.Hour}, 10) || r.take(0, weir.Rate{N: 10, Per: time.Hour}, 1) {
		t.Fatal("not ten an hour")
	}
	if r.add(time.Second); !r.take(0, weir.Rate{N: 1000, Per: time.Second}, 1) {
		t.Fatal("the old rate still counts")
	}
}

func TestReturnedEventsMayBeTakenAgain(t *testing.T) {
	r := newRiver(t, inProcess)
	rate := weir.Rate{N: 10, Per: time.Hour}
	r.take(0, rate, 10)
	r.nodes[0].Return("k", 10)
	r.nodes[0].Return("never taken", 10)
	if !r.take(0, rate, 10) {
		t.Fatal("refused")
	}
	if r.take(0, rate, 1) {
		t.Fatal("it came twice")
	}
}

func TestAClockThatWasAheadLeavesNoNodeAlone(t *testing.T) {
	r := newRiver(t, inProcess)
	rate := weir.Rate{N: 1000, Per: time.Minute}
	r.add(time.Hour)
	r.shared.fail.Store(true)
	r.take(0, rate, 1)
	r.shared.fail.Store(false)
	asked := r.shared.asked.Load()
	r.add(-time.Hour)
	for range 100 {
		r.add(time.Second)
		r.take(0, rate, 1)
	}
	if r.shared.asked.Load() == asked {
		t.Error("the nodes' limiter is back and not asked")
	}
}

func TestWhileTheSharedLimiterIsAwayEachNodeLimitsAlone(t *testing.T) {
	r := newRiver(t, inProcess)
	rate := weir.Rate{N: 100, Per: time.Minute}
	r.shared.fail.Store(true)
	through := 0
	for range 200 {
		if r.take(0, rate, 1) {
			through++
		}
	}
	if through != 100 {
		t.Fatalf("%d came through at one node, want 100", through)
	}
	if asked := r.shared.asked.Load(); asked != 1 {
		t.Fatalf("the limiter that is away was asked %d times", asked)
	}
	if !strings.Contains(r.log.String(), "the store is away") {
		t.Error("the failure is not in the log")
	}
	families, err := r.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "weir_limiter_failures_total" && f.GetMetric()[0].GetCounter().GetValue() != 1 {
			t.Errorf("failures: %v", f)
		}
	}
	r.shared.fail.Store(false)
	r.add(5 * time.Second)
	if !r.take(0, rate, 50) || r.shared.asked.Load() < 2 {
		t.Fatal("the nodes' limiter is back and not asked")
	}
}

func TestANodeThatIsAloneNeedsNoOther(t *testing.T) {
	x := ingest.NewLimiter(ingest.LimiterConfig{})
	rate := weir.Rate{N: 2, Per: time.Hour}
	for i, want := range []bool{true, true, false} {
		if _, wait := x.Take(t.Context(), "k", rate, 1); (wait == 0) != want {
			t.Fatalf("take %d: wait %v", i, wait)
		}
	}
	if _, wait := x.Take(t.Context(), "another", rate, 1); wait != 0 {
		t.Fatal("another key is refused")
	}
}

func BenchmarkLimiter(b *testing.B) {
	x := ingest.NewLimiter(ingest.LimiterConfig{})
	rate := weir.Rate{N: weir.MaxRate, Per: time.Second}
	b.ReportAllocs()
	for b.Loop() {
		x.Take(b.Context(), "k", rate, 1)
	}
}
