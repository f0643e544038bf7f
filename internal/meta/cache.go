package meta

import (
	"context"
	"errors"
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

	// askAgain is how long an old value is returned while the store is unavailable, before
	// the store is asked again, and askFor is how long that may take.
	askAgain = 5 * time.Second
	askFor   = 3 * time.Second
)

// cache is a bounded read-through cache of what nearly every request asks for:
// projects by key or id, tokens. Names are not secrets but hashes and ids. What
// it returns is shared by all who ask.
type cache[V any] struct {
	clock weir.Clock
	// stale is for how long a value counts that the store can not confirm, since it is
	// unavailable. 0: no longer than any.
	stale time.Duration

	mu     sync.Mutex
	found  *lru.LRU[string, found[V]]
	missed *lru.LRU[string, miss]
	// generation grows with each forget; a read that began before one does not
	// enter the cache after it.
	generation uint64
}

type found[V any] struct {
	value V
	until time.Time // then the store is asked
	read  time.Time
	// changed says that something changed since: the value is returned only if the store is
	// unavailable.
	changed bool
}

type miss struct {
	err   error // ENOTFOUND
	until time.Time
}

func newCache[V any](clock weir.Clock, stale time.Duration) *cache[V] {
	// The constructor's only error is a size below 1.
	hits, _ := lru.NewLRU[string, found[V]](cachedFound, nil)
	misses, _ := lru.NewLRU[string, miss](cachedMisses, nil)
	return &cache[V]{clock: clock, stale: stale, found: hits, missed: misses}
}

// get returns what has a name, of the cache or of load. An ENOTFOUND error of load is
// remembered too. While the store is unavailable it returns an old value.
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
	old, ok := c.found.Get(name)
	if ok && now.Before(old.until) {
		c.mu.Unlock()
		return old.value, nil
	}
	usable := ok && now.Before(old.read.Add(c.stale))
	if m, ok := c.missed.Get(name); ok && now.Before(m.until) {
		c.mu.Unlock()
		var none V
		return none, m.err
	}
	generation := c.generation
	if usable && !old.changed { // others go on with the old value meanwhile
		c.found.Add(name, found[V]{old.value, now.Add(askAgain), old.read, false})
	}
	c.mu.Unlock()

	v, ends, err := c.load(ctx, usable, load)
	until := now.Add(keptFound)
	if !ends.IsZero() && ends.Before(until) {
		until = ends
	}

	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return v, err
	}
	if usable && unavailable(err) {
		c.found.Add(name, found[V]{old.value, now.Add(askAgain), old.read, old.changed})
		return old.value, nil
	}
	switch {
	case err == nil:
		c.found.Add(name, found[V]{v, until, now, false})
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
		c.found.Add(name, found[V]{v, now.Add(keptFound), now, false})
	case weir.ErrorCode(err) == weir.ENOTFOUND:
		c.found.Remove(name)
	default:
		if e, ok := c.found.Get(name); ok && now.Before(e.until) {
			return e.value, nil
		}
	}
	return v, err
}

// load loads a value; soon is for one that the caller can do without.
func (c *cache[V]) load(ctx context.Context, soon bool, load func(context.Context) (V, time.Time, error)) (V, time.Time, error) {
	if soon {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, askFor)
		defer cancel()
	}
	return load(ctx)
}

// unavailable returns whether an error is one of the store, or of the time that it took.
func unavailable(err error) bool {
	return err != nil && (Unavailable(err) || errors.Is(err, context.DeadlineExceeded))
}

// forget empties the cache: the store is asked again for all. Changes are rare, so it is not
// worth tracking which names lead to them. Old values stay for as long as the store is
// unavailable.
func (c *cache[V]) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.missed.Purge()
	if c.stale == 0 {
		c.found.Purge()
		return
	}
	for _, name := range c.found.Keys() { // the oldest first, so that their order stays
		if e, ok := c.found.Peek(name); ok {
			c.found.Add(name, found[V]{value: e.value, read: e.read, changed: true})
		}
	}
}

// Forget empties the caches of projects, tokens, shared links and settings: another process has changed something.
func (s *Store) Forget() {
	s.projects.forget()
	s.tokens.forget()
	s.shares.forget()
	s.signIn.forget()
}
