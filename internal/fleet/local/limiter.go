package local

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Limiter is a fleet.Limiter that holds a bounded number of buckets: it drops
// that which was not used for the longest time.
//
// A bucket is the time at which it will be full; what it lacks is the time until
// then. So a bucket is one number, and a bucket whose time has come can be
// dropped.
type Limiter struct {
	clock weir.Clock

	mu   sync.Mutex
	full *simplelru.LRU[string, int64] // µs since 1970
}

func newLimiter(clock weir.Clock, buckets int) *Limiter {
	// The constructor's only error is a size below 1.
	full, _ := simplelru.NewLRU[string, int64](buckets, nil)
	return &Limiter{clock: clock, full: full}
}

// Take is fleet.Limiter's.
func (x *Limiter) Take(_ context.Context, key string, l fleet.Limit, n int) (wait time.Duration, remaining int, err error) {
	if err := l.Check(n); err != nil {
		return 0, 0, fmt.Errorf("fleet: take of %q: %w", key, err)
	}
	every := l.Every.Microseconds()
	room := every * int64(l.Burst)
	x.mu.Lock()
	defer x.mu.Unlock()
	// The clock is read under the lock, so that takes have the order of their times.
	now := x.clock.Now().UnixMicro()
	known, _ := x.full.Get(key)
	// A clock set back, or a limit made smaller, leaves a bucket empty, and owing all that it may, at worst.
	full := min(max(known, now), now+room+every*int64(l.Debt))
	over := full + every*int64(min(n, l.Burst)) - (now + room)
	if over <= 0 {
		full += every * int64(n)
	}
	if full != known {
		x.full.Add(key, full)
	}
	remaining = int(max(now+room-full, 0) / every)
	return time.Duration(max(over, 0)) * time.Microsecond, remaining, nil
}

// Return is fleet.Limiter's.
func (x *Limiter) Return(_ context.Context, key string, l fleet.Limit, n int) error {
	if err := l.Check(n); err != nil {
		return fmt.Errorf("fleet: return to %q: %w", key, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if full, ok := x.full.Get(key); ok {
		x.full.Add(key, full-l.Every.Microseconds()*int64(n))
	}
	return nil
}

// Forget is fleet.Limiter's.
func (x *Limiter) Forget(_ context.Context, key string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.full.Remove(key)
	return nil
}
