package enrich

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// ways is how many entries share a set: a key can be kept in any of them.
const ways = 4

// cache remembers what fill makes of a string. It holds a bounded number of
// entries in sets of a few ways, found by hash; a full set drops an entry
// that was not read since the set was last swept (second chance). Reading
// takes no lock and, for an entry in use, writes nothing that other cores
// read, so it does not slow down as cores are added. It is safe for concurrent
// use.
type cache[V any] struct {
	fill func(string) V
	seed maphash.Seed
	sets [][ways]atomic.Pointer[entry[V]] // a power of two of them; nil: remember nothing
}

type entry[V any] struct {
	key  string
	val  V
	used atomic.Bool
}

// newCache makes a cache of at least size entries, rounded up to a power of
// two; none if size is below 1. fill's argument outlives the call.
func newCache[V any](size int, fill func(string) V) *cache[V] {
	c := &cache[V]{fill: fill, seed: maphash.MakeSeed()}
	if size > 0 {
		n := 1
		for n*ways < size {
			n *= 2
		}
		c.sets = make([][ways]atomic.Pointer[entry[V]], n)
	}
	return c
}

// get returns what fill makes of key, remembered or made now. The cache keeps its
// own copy of the key, so that a small key does not hold on to a large buffer.
func (c *cache[V]) get(key string) *V {
	if c.sets == nil {
		v := c.fill(strings.Clone(key))
		return &v
	}
	hash := maphash.String(c.seed, key)
	set := &c.sets[hash&uint64(len(c.sets)-1)]
	for i := range set {
		if e := set[i].Load(); e != nil && e.key == key {
			if !e.used.Load() {
				e.used.Store(true)
			}
			return &e.val
		}
	}
	key = strings.Clone(key)
	e := &entry[V]{key: key, val: c.fill(key)}
	c.put(set, e, int(hash>>62))
	return &e.val
}

// put places e in its set: in a free way, else in place of an entry not used
// of late, else in the way named by victim. Two goroutines that miss the same
// key at once may both put it; that costs a way until one copy goes unused.
func (c *cache[V]) put(set *[ways]atomic.Pointer[entry[V]], e *entry[V], victim int) {
	for i := range set {
		if set[i].CompareAndSwap(nil, e) {
			return
		}
	}
	for i := range set {
		if old := set[i].Load(); !old.used.Load() {
			set[i].Store(e)
			return
		}
	}
	for i := range set {
		set[i].Load().used.Store(false)
	}
	set[victim].Store(e)
}
