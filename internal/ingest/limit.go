package ingest

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"golang.org/x/time/rate"
)

const (
	// limiterWait is how long a request waits for the shared limiter. After a failure the
	// shared limiter is not asked for limiterAway.
	limiterWait = 250 * time.Millisecond
	limiterAway = 5 * time.Second

	maxLeases = 50_000 // keys in memory; about 10 MB

	// largest is the largest number that one Take may ask for, even if its bucket holds
	// less: the events of the largest request.
	largest = 50_000
)

// minWait is the shortest wait of a refused sender. It bounds how often the shared limiter
// is asked.
const minWait = 10 * time.Millisecond

// Limiter limits rates with token buckets that all nodes share. It takes tokens from a
// shared bucket in slices and spends them locally, so most requests need no round trip;
// see lease. It is safe for concurrent use.
type Limiter struct {
	shared fleet.Limiter
	own    fleet.Limiter // used while the shared one is unavailable: then each node allows the whole rate
	clock  weir.Clock
	log    *slog.Logger

	mu     sync.Mutex
	leases *simplelru.LRU[string, *lease]

	away     atomic.Int64 // µs since 1970 until which the shared one is left alone
	failed   rate.Sometimes
	failures prometheus.Counter
	asked    prometheus.Counter
}

// LimiterConfig is what a Limiter is made of.
type LimiterConfig struct {
	Shared   fleet.Limiter // of all nodes; nil: there is only this one
	Clock    weir.Clock
	Logger   *slog.Logger          // nil is slog.Default
	Registry prometheus.Registerer // optional
}

// NewLimiter makes a Limiter.
func NewLimiter(c LimiterConfig) *Limiter {
	x := &Limiter{
		shared: c.Shared, own: local.New(local.Options{Clock: c.Clock}).Limiter, clock: c.Clock, log: c.Logger,
		failed: rate.Sometimes{First: 1, Interval: time.Minute},
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_limiter_failures_total", Help: "Failures of the limiter that the nodes share; this node then counts alone for 5 s.",
		}),
		asked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "weir_limiter_takes_total", Help: "Slices of a rate that this node asked the limiter for.",
		}),
	}
	if x.shared == nil {
		x.shared = x.own
	}
	if x.log == nil {
		x.log = slog.Default()
	}
	// The constructor's only error is a size below 1.
	x.leases, _ = simplelru.NewLRU[string, *lease](maxLeases, nil)
	if c.Registry != nil {
		c.Registry.MustRegister(x.failures, x.asked)
	}
	return x
}

// Standing is the state of a sender's rate, as this node estimates it.
type Standing struct {
	Policy    string // what is limited: PolicyKey or PolicyIP
	Rate      weir.Rate
	Remaining int           // how many the sender may send now at once
	Reset     time.Duration // until Remaining is the whole rate again
}

// The policies.
const (
	PolicyKey = "key" // events by one write key
	PolicyIP  = "ip"  // requests from one address
)

// Take takes n tokens of a rate, or none: then wait is the time after which the sender should
// try again. The rate must be limited. If n is more than the bucket holds, it passes when
// the bucket is full, and the bucket then owes the difference.
func (x *Limiter) Take(ctx context.Context, key string, r weir.Rate, n int) (s Standing, wait time.Duration) {
	l := x.leaseOf(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	// Read the clock under the lock, so that takes have the order of their times.
	now := x.clock.Now()
	l.begin(key, r, now)
	if n > l.have {
		wait = x.fill(ctx, l, min(n, largest), now)
	}
	if wait == 0 {
		l.have = max(l.have-n, 0) // beyond largest, the rest is free
	}
	return l.standing(now), wait
}

// Return gives back tokens that were taken for something that did not happen. They are lost
// if the slice has expired meanwhile.
func (x *Limiter) Return(key string, n int) {
	x.mu.Lock()
	l, ok := x.leases.Peek(key)
	x.mu.Unlock()
	if !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.have = min(l.have+n, l.unit.events*l.unit.limit.Burst)
}

func (x *Limiter) leaseOf(key string) *lease {
	x.mu.Lock()
	defer x.mu.Unlock()
	l, ok := x.leases.Get(key)
	if !ok {
		l = &lease{}
		x.leases.Add(key, l)
	}
	return l
}

// fill takes a slice from the bucket, so that the lease has n. It returns 0, or the time
// after which n will be there.
func (x *Limiter) fill(ctx context.Context, l *lease, n int, now time.Time) time.Duration {
	need := min(l.unit.tokens(n-l.have), l.unit.limit.Burst+l.unit.limit.Debt)
	if wait := l.dryUntil.Sub(now); wait > 0 && need >= l.dryNeed {
		return wait
	}
	size := max(need, l.slice(now))
	wait, remaining := x.takeTokens(ctx, l.bucket, l.unit.limit, size)
	emptied := wait > 0 && size > need && remaining >= need
	if emptied {
		size = min(size, remaining)
		wait, remaining = x.takeTokens(ctx, l.bucket, l.unit.limit, size)
	}
	l.remaining, l.seen = remaining, now
	if wait > 0 {
		// The needed tokens are there earlier than those that were asked for.
		wait = max(wait-time.Duration(size-need)*l.unit.limit.Every, minWait)
		l.dryUntil, l.dryNeed = now.Add(wait), need
		return wait
	}
	l.fill(size, now)
	if emptied {
		l.dryUntil, l.dryNeed = now.Add(minWait), 1
	}
	return 0
}

// takeTokens asks the shared limiter, or this node's while the shared one is unavailable.
func (x *Limiter) takeTokens(ctx context.Context, key string, limit fleet.Limit, n int) (time.Duration, int) {
	now := x.clock.Now().UnixMicro()
	if left := x.away.Load() - now; left <= 0 || left > limiterAway.Microseconds() { // or the clock was set back
		x.asked.Inc()
		// Not the sender's context: if the sender leaves, others still need this slice.
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), limiterWait)
		wait, remaining, err := x.shared.Take(limited, key, limit, n)
		cancel()
		if err == nil {
			return wait, remaining
		}
		x.away.Store(now + limiterAway.Microseconds())
		x.failures.Inc()
		x.failed.Do(func() {
			x.log.WarnContext(ctx, "the shared limiter failed: for 5 s each node allows the whole rates by itself", "error", err)
		})
	}
	wait, remaining, err := x.own.Take(ctx, key, limit, n)
	if err != nil {
		x.log.ErrorContext(ctx, "the limiter of this node failed: the request passes", "error", err) // never happens
		return 0, 0
	}
	return wait, remaining
}
