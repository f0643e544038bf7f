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

// entryBytes is about what an entry costs beside its key and value.
const entryBytes = 200

// Cache is a fleet.Cache bounded by bytes and entries: it drops what was not used
// for the longest time. A value of more than a quarter of the bytes is not kept,
// since it would push most others out.
type Cache struct {
	clock    weir.Clock
	maxBytes int

	mu      sync.Mutex
	entries *simplelru.LRU[string, entry]
	bytes   int // of all entries
}

type entry struct {
	value []byte
	until time.Time
}

func newCache(clock weir.Clock, maxBytes, maxEntries int) *Cache {
	c := &Cache{clock: clock, maxBytes: maxBytes}
	// The constructor's only error is a size below 1.
	c.entries, _ = simplelru.NewLRU(maxEntries, func(key string, e entry) { c.bytes -= size(key, e.value) })
	return c
}

func size(key string, value []byte) int { return len(key) + len(value) + entryBytes }

// Bytes returns what the entries take, about.
func (c *Cache) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// Get is fleet.Cache's.
func (c *Cache) Get(_ context.Context, key string) ([]byte, bool, error) {
	now := c.clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries.Get(key)
	if !ok {
		return nil, false, nil
	}
	if !now.Before(e.until) {
		c.entries.Remove(key)
		return nil, false, nil
	}
	return e.value, true, nil
}

// Set is fleet.Cache's.
func (c *Cache) Set(_ context.Context, key string, value []byte, ttl time.Duration) error {
	if err := fleet.CheckTTL(ttl); err != nil {
		return fmt.Errorf("fleet: cache %q: %w", key, err)
	}
	until := c.clock.Now().Add(ttl)
	c.mu.Lock()
	defer c.mu.Unlock()
	// Not in place: the LRU calls back for an evicted entry, not for a replaced one.
	c.entries.Remove(key)
	n := size(key, value)
	if n > c.maxBytes/4 {
		return nil
	}
	for c.bytes+n > c.maxBytes {
		c.entries.RemoveOldest()
	}
	c.entries.Add(key, entry{value, until})
	c.bytes += n
	return nil
}
