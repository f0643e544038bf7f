package local

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Roster is a fleet.Roster of one process. Groups are few, and the program's own.
type Roster struct {
	clock weir.Clock

	mu     sync.Mutex
	groups map[string]map[string]time.Time // until when a name of a group is alive
}

func newRoster(clock weir.Clock) *Roster {
	return &Roster{clock: clock, groups: map[string]map[string]time.Time{}}
}

// Announce is fleet.Roster's.
func (r *Roster) Announce(_ context.Context, group, name string, ttl time.Duration) ([]string, error) {
	if err := fleet.CheckTTL(ttl); err != nil {
		return nil, fmt.Errorf("fleet: announce %q in %q: %w", name, group, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock.Now()
	g := r.groups[group]
	if g == nil {
		g = map[string]time.Time{}
		r.groups[group] = g
	}
	maps.DeleteFunc(g, func(_ string, until time.Time) bool { return !now.Before(until) })
	g[name] = now.Add(ttl)
	return slices.Sorted(maps.Keys(g)), nil
}

// Leave is fleet.Roster's.
func (r *Roster) Leave(_ context.Context, group, name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := r.groups[group]
	delete(g, name)
	if len(g) == 0 {
		delete(r.groups, group)
	}
	return nil
}
