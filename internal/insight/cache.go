package insight

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	weir "github.com/weir-analytics/weir"
)

// cacheSize is how many answers are kept.
const cacheSize = 256

// cache keeps the last answers, for askers that accept one that is not of now.
type cache struct {
	mu           sync.Mutex
	answers      *simplelru.LRU[string, any]
	hits, misses atomic.Uint64
}

func newCache() *cache {
	answers, err := simplelru.NewLRU[string, any](cacheSize, nil)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return &cache{answers: answers}
}

// CacheStats is how many questions that accepted an older answer were given a
// kept one, and how many were not.
func (e *Engine) CacheStats() (hits, misses uint64) {
	return e.cache.hits.Load(), e.cache.misses.Load()
}

// remember answers with a kept answer to the same question if that is complete
// up to freshness ago, and else with ask's, which it keeps. A kept answer is
// shared: nobody changes one.
func remember[T any](e *Engine, p *weir.Project, q weir.Query, freshness time.Duration, meta func(*T) *Meta, ask func() (*T, error)) (*T, error) {
	began := e.clock.Now()
	name, err := json.Marshal([]any{p.ID, p.Timezone, q})
	if err != nil {
		return ask() // a time out of range; ask says so
	}
	if freshness > 0 {
		if a, ok := e.cache.get(string(name)).(*T); ok && began.Sub(meta(a).AsOf) <= freshness {
			e.cache.hits.Add(1)
			kept := *a
			m := meta(&kept)
			m.Cached, m.ElapsedMS = true, e.clock.Now().Sub(began).Milliseconds()
			return &kept, nil
		}
		e.cache.misses.Add(1)
	}
	a, err := ask()
	if err == nil {
		e.cache.put(string(name), a)
	}
	return a, err
}

func (c *cache) get(name string) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, _ := c.answers.Get(name)
	return a
}

func (c *cache) put(name string, a any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers.Add(name, a)
}
