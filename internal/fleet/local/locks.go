package local

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Locks are fleet.Locks among the goroutines of one process.
type Locks struct {
	clock weir.Clock

	mu      sync.Mutex
	held    map[string]hold // by name
	sweepAt int             // so many, and those that ran out are swept away
}

type hold struct {
	owner string
	until time.Time
}

// leastSwept is how many locks are not worth a sweep.
const leastSwept = 1000

func newLocks(clock weir.Clock) *Locks {
	return &Locks{clock: clock, held: map[string]hold{}, sweepAt: leastSwept}
}

// Acquire is fleet.Locks'.
func (x *Locks) Acquire(_ context.Context, name, owner string, ttl time.Duration) (bool, error) {
	if err := fleet.CheckTTL(ttl); err != nil {
		return false, fmt.Errorf("fleet: lock %q: %w", name, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.clock.Now()
	if h, ok := x.held[name]; ok && h.owner != owner && now.Before(h.until) {
		return false, nil
	}
	x.held[name] = hold{owner, now.Add(ttl)}
	if len(x.held) >= x.sweepAt {
		maps.DeleteFunc(x.held, func(_ string, h hold) bool { return !now.Before(h.until) })
		x.sweepAt = max(leastSwept, 2*len(x.held))
	}
	return true, nil
}

// Release is fleet.Locks'.
func (x *Locks) Release(_ context.Context, name, owner string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.held[name].owner == owner {
		delete(x.held, name)
	}
	return nil
}
