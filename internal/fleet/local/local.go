// Package local is the fleet of one node, in memory. Login sessions are not here:
// those of a single node are in package meta, and outlive its process.
package local

import (
	"cmp"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Options tune a Store. Zero values are the defaults that their comments name.
type Options struct {
	Clock weir.Clock

	CacheBytes   int // of kept values and their keys; 64 MiB
	CacheEntries int // values kept at once; 10,000
	Buckets      int // of the limiter, at once; 50,000
}

// Store holds all that the embedded fleet has. Nothing of it needs closing, and
// only programming errors come from it: contexts are not looked at, but by
// Subscribe.
type Store struct {
	Cache   *Cache
	Limiter *Limiter
	Locks   *Locks
	Bus     *Bus
	Roster  *Roster
}

var (
	_ fleet.Cache   = (*Cache)(nil)
	_ fleet.Limiter = (*Limiter)(nil)
	_ fleet.Locks   = (*Locks)(nil)
	_ fleet.Bus     = (*Bus)(nil)
	_ fleet.Roster  = (*Roster)(nil)
)

// New makes an empty store.
func New(o Options) *Store {
	o.CacheBytes = cmp.Or(o.CacheBytes, 64<<20)
	o.CacheEntries = cmp.Or(o.CacheEntries, 10_000)
	o.Buckets = cmp.Or(o.Buckets, 50_000)
	return &Store{
		Cache:   newCache(o.Clock, o.CacheBytes, o.CacheEntries),
		Limiter: newLimiter(o.Clock, o.Buckets),
		Locks:   newLocks(o.Clock),
		Bus:     newBus(),
		Roster:  newRoster(o.Clock),
	}
}
