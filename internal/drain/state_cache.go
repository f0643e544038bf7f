package drain

import (
	"hash/maphash"
	"sync/atomic"
)

// stateCache is a cache of the stored states that were used last, bounded in bytes. It
// has two generations. A state that is used moves into the young one. When the young
// one has half of the bytes, the old one is dropped and the young one becomes the old.
//
// A state stands in it as it is stored, under a hash of its key: 150 to 350 bytes
// for most visits, where the decoded form takes 700. It belongs to one goroutine
// but for bytes.
type stateCache struct {
	most       int64 // of a generation
	seeds      [2]maphash.Seed
	young, old generation
	bytes      atomic.Int64 // of both, for the metric
}

type generation struct {
	states map[stateKey]string
	bytes  int64
}

// stateKey is 128 bits of a hash with random seeds: nobody can make two keys meet.
type stateKey [2]uint64

// stateCost is what an entry takes beside its text: key, string header, and the
// map's spare room.
const stateCost = 64

func newStateCache(most int64) *stateCache {
	k := &stateCache{most: most / 2, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
	k.clear()
	return k
}

func (k *stateCache) clear() {
	k.young, k.old = generation{states: map[stateKey]string{}}, generation{}
	k.bytes.Store(0)
}

func (k *stateCache) key(key string) stateKey {
	return stateKey{maphash.String(k.seeds[0], key), maphash.String(k.seeds[1], key)}
}

func (k *stateCache) get(key string) (string, bool) {
	h := k.key(key)
	if s, ok := k.young.states[h]; ok {
		return s, true
	}
	s, ok := k.old.states[h]
	if ok {
		k.old.drop(h)
		k.put(h, s)
	}
	return s, ok
}

func (k *stateCache) set(key, state string) {
	h := k.key(key)
	k.young.drop(h)
	k.old.drop(h)
	k.put(h, state)
}

func (k *stateCache) drop(key string) {
	h := k.key(key)
	k.young.drop(h)
	k.old.drop(h)
	k.watch()
}

func (k *stateCache) put(h stateKey, state string) {
	cost := int64(len(state)) + stateCost
	if cost > k.most {
		k.watch()
		return
	}
	if k.young.bytes+cost > k.most {
		k.old, k.young = k.young, generation{states: map[stateKey]string{}}
	}
	k.young.states[h] = state
	k.young.bytes += cost
	k.watch()
}

func (k *stateCache) watch() { k.bytes.Store(k.young.bytes + k.old.bytes) }

func (g *generation) drop(h stateKey) {
	if s, ok := g.states[h]; ok {
		delete(g.states, h)
		g.bytes -= int64(len(s)) + stateCost
	}
}
