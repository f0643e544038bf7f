package drain

import (
	"context"
	"fmt"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/visit"
)

// states are the open visits of a shard. They stand in the hot tier, and those
// used lately in memory too. They belong to the shard's goroutine.
type states struct {
	log   hot.Log
	shard int
	cache *stateCache
	opened
}

func newStates(log hot.Log, shard int, keep int64) *states {
	return &states{log: log, shard: shard, cache: newStateCache(keep)}
}

// clear empties the cache, at the start and after any failure.
func (s *states) clear() {
	s.cache.clear()
	s.opened = opened{}
}

// load reads the states of the devices, of those that have one.
func (s *states) load(ctx context.Context, keys []string) (visit.Open, error) {
	open := make(visit.Open, len(keys))
	take := func(key, stored string) error {
		st, err := visit.DecodeState(stored)
		if err != nil {
			return fmt.Errorf("state of %q: %w", key, err)
		}
		open[key] = st
		return nil
	}
	var missing []string
	for _, key := range keys {
		if stored, ok := s.cache.get(key); !ok {
			missing = append(missing, key)
		} else if err := take(key, stored); err != nil {
			return nil, err
		}
	}
	if len(missing) == 0 {
		return open, nil
	}
	values, err := s.log.States(ctx, s.shard, missing)
	if err != nil {
		return nil, err
	}
	for i, v := range values {
		if v == nil {
			continue
		}
		stored := string(v)
		if err := take(missing[i], stored); err != nil {
			return nil, err
		}
		s.cache.set(missing[i], stored)
	}
	return open, nil
}

// changes are what a fold of open does to the stored states.
func changes(r visit.Result) []hot.Change {
	all := make([]hot.Change, 0, len(r.Changed))
	for key, st := range r.Changed {
		c := hot.Change{Key: key}
		if len(st) > 0 {
			c.Value = st.Encode()
		}
		all = append(all, c)
	}
	return all
}

// committed applies the changes of a commit to the cache. open are the states before it.
func (s *states) committed(changes []hot.Change, open visit.Open) {
	for _, c := range changes {
		if c.Value == nil {
			s.cache.drop(c.Key)
			continue
		}
		s.cache.set(c.Key, string(c.Value))
		if _, before := open[c.Key]; !before {
			s.add(c)
		}
	}
}

// opened is how many bytes of open visits each project has in the shard, about:
// what the last pass over all of them found, and those that began since.
type opened struct {
	known map[string]int64
	pass  map[string]int64 // what the pass under way has found, nil without one
}

func (o *opened) begin() { o.pass = map[string]int64{} }
func (o *opened) end()   { o.known, o.pass = o.pass, nil }

// found counts an entry that the pass under way came by.
func (o *opened) found(c hot.Change) { o.pass[visit.Project(c.Key)] += size(c) }

// add counts an entry that is new.
func (o *opened) add(c hot.Change) {
	if o.known == nil {
		o.known = map[string]int64{}
	}
	o.known[visit.Project(c.Key)] += size(c)
	if o.pass != nil { // which may come by it once more: until the next pass it counts twice then
		o.found(c)
	}
}

func size(c hot.Change) int64 { return int64(len(c.Key) + len(c.Value)) }
