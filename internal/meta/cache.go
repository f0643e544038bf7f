package meta

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	weir "github.com/weir-analytics/weir"
)

const (
	cachedFound  = 4096
	cachedMisses = 4096 // apart, so that made-up keys push out no real ones

	// keptFound bounds how long another process's revocation goes unseen; this
	// process's own is seen at once.
	keptFound = time.Minute
	keptMiss  = 5 * time.Second
)

// cache is a bounded read-through cache of what nearly every request asks for:
// projects by key or id, tokens. Names are not secrets but hashes and ids. What
// it returns is shared by all who ask.
type cache[V any] struct {
	clock weir.Clock

	mu     sync.Mutex
	found  *lru.LRU[string, found[V]]
	missed *lru.LRU[string, miss]
	// generation grows with each forget; a read that began before one does not
	// enter the cache after it.
	generation uint64
}

type found[V any] struct {
	value V
	until time.Time
}

type miss struct {
	err   error // ENOTFOUND
	until time.Time
}

func newCache[V any](clock weir.Clock) *cache[V] {
	// The constructor's only error is a size below 1.
	hits, _ := lru.NewLRU[string, found[V]](cachedFound, nil)
	misses, _ := lru.NewLRU[string, miss](cachedMisses, nil)
	return &cache[V]{clock: clock, found: hits, missed: misses}
}

// get returns what has a name, of the cache or of load. An ENOTFOUND error of load is
// remembered too.
func (c *cache[V]) get(ctx context.Context, name string, load func(context.Context) (V, error)) (V, error) {
	return c.getUntil(ctx, name, func(ctx context.Context) (V, time.Time, error) {
		v, err := load(ctx)
		return v, time.Time{}, err
	})
}

// getUntil is get for a value that is remembered at most until the time that load returns, if
// that is not zero.
func (c *cache[V]) getUntil(ctx context.Context, name string, load func(context.Context) (V, time.Time, error)) (V, error) {
	now := c.clock.Now()
	c.mu.Lock()
	if e, ok := c.found.Get(name); ok && now.Before(e.until) {
		c.mu.Unlock()
		return e.value, nil
	}
	if m, ok := c.missed.Get(name); ok && now.Before(m.until) {
		c.mu.Unlock()
		var none V
		return none, m.err
	}
	generation := c.generation
	c.mu.Unlock()

	v, ends, err := load(ctx)
	until := now.Add(keptFound)
	if !ends.IsZero() && ends.Before(until) {
		until = ends
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return v, err
	}
	switch {
	case err == nil:
		c.found.Add(name, found[V]{v, until})
		c.missed.Remove(name)
	case weir.ErrorCode(err) == weir.ENOTFOUND:
		c.missed.Add(name, miss{err, now.Add(keptMiss)})
		c.found.Remove(name)
	}
	return v, err
}

// refresh returns what load returns, and remembers it. If load fails with another error than
// ENOTFOUND, it returns what is remembered instead.
func (c *cache[V]) refresh(name string, load func() (V, error)) (V, error) {
	now := c.clock.Now()
	v, err := load()
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err == nil:
		c.found.Add(name, found[V]{v, now.Add(keptFound)})
	case weir.ErrorCode(err) == weir.ENOTFOUND:
		c.found.Remove(name)
	default:
		if e, ok := c.found.Get(name); ok && now.Before(e.until) {
			return e.value, nil
		}
	}
	return v, err
}

// forget empties the cache. Changes are rare, so it is not worth tracking which names
// lead to it.
func (c *cache[V]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.found.Purge()
	c.missed.Purge()
}

// Forget empties the caches of projects and tokens: another process has changed something.
func (s *Store) Forget() {
	s.projects.forget()
	s.tokens.forget()
}
