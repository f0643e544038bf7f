package meta

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
	weir "github.com/weir-analytics/weir"
)

const (
	cachedProjects = 4096 // found
	cachedMisses   = 4096 // not found; apart, so that made-up keys push out no real ones

	// keptFound bounds how long another process's revocation goes unseen; this
	// process's own is seen at once.
	keptFound = time.Minute
	keptMiss  = 5 * time.Second
)

// projectCache is a bounded read-through cache of projects by key or id: every
// ingest request asks. Names are not secrets ("key:" and a hash, "id:" and an id).
type projectCache struct {
	clock weir.Clock

	mu     sync.Mutex
	found  *lru.LRU[string, cached]
	missed *lru.LRU[string, time.Time] // until when
	// generation grows with each forget; a read that began before one does not
	// enter the cache after it.
	generation uint64
}

type cached struct {
	project *weir.Project
	until   time.Time
}

func newProjectCache(clock weir.Clock) *projectCache {
	// The constructor's only error is a size below 1.
	found, _ := lru.NewLRU[string, cached](cachedProjects, nil)
	missed, _ := lru.NewLRU[string, time.Time](cachedMisses, nil)
	return &projectCache{clock: clock, found: found, missed: missed}
}

// get is the project under a name, of the cache or of load. An ENOTFOUND error
// of load is remembered too.
func (c *projectCache) get(ctx context.Context, name string, load func(context.Context) (*weir.Project, error)) (*weir.Project, error) {
	now := c.clock.Now()
	c.mu.Lock()
	if e, ok := c.found.Get(name); ok && now.Before(e.until) {
		c.mu.Unlock()
		return e.project, nil
	}
	if until, ok := c.missed.Get(name); ok && now.Before(until) {
		c.mu.Unlock()
		return nil, weir.Errorf(weir.ENOTFOUND, "no such project")
	}
	generation := c.generation
	c.mu.Unlock()

	p, err := load(ctx)

	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return p, err
	}
	switch {
	case err == nil:
		c.found.Add(name, cached{p, now.Add(keptFound)})
		c.missed.Remove(name)
	case weir.ErrorCode(err) == weir.ENOTFOUND:
		c.missed.Add(name, now.Add(keptMiss))
		c.found.Remove(name)
	}
	return p, err
}

// forget drops all. Changes are rare, so none is worth tracking which names
// lead to it.
func (c *projectCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.found.Purge()
	c.missed.Purge()
}
