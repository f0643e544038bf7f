package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// homes returns the shards of items that do not go to the shard of their device, by index in items. They roam: their
// ids may come with any device, so an id may be known in another shard, or be on its way there.
//
// Each id is claimed for the shard of its device, and looked for in all shards, in one round trip. Of requests at
// the same time with one id, one has the claim. The others send the event to its shard, whose script finds
// the duplicate. If the first one failed, the event is stored there, away from the other events of its device.
//
// A claim lasts longer than a request with all its calls, so what was stored before it is found by looking.
func (s *Store) homes(ctx context.Context, items []hot.Item) (homes map[int]int, err error) {
	if s.opt.Shards == 1 {
		return nil, nil
	}
	var roaming []int
	for i, it := range items {
		if it.Event.Roams {
			roaming = append(roaming, i)
		}
	}
	homes = map[int]int{}
	for some := range slices.Chunk(roaming, max(1, mostLooks/s.opt.Shards)) {
		if err := s.findHomes(ctx, items, some, homes); err != nil {
			return nil, s.fault("look for ids in other shards", err)
		}
	}
	return homes, nil
}

// mostLooks bounds how often one round trip looks for an id in a shard. A look is a command or two, of
// some 400 bytes each. A request may have 50,000 events, and there may be 1,024 shards.
const mostLooks = 4096

// findHomes adds the homes of some of the items, by their indexes.
func (s *Store) findHomes(ctx context.Context, items []hot.Item, some []int, homes map[int]int) (err error) {
	claimed := map[int]int{} // of the others' claims, the shards
	own := func(i int) int { return hot.ShardOf(items[i].Event, s.opt.Shards) }
	for stale := true; stale; {
		q := s.search()
		for _, i := range some {
			delete(homes, i) // what a stale answer said
			id := hot.DedupID(items[i].Event)
			q.claim(id, own(i), func(shard int) { claimed[i] = shard })
			for shard := range s.opt.Shards {
				if shard != own(i) {
					q.id(shard, id, func() { homes[i] = shard })
				}
			}
		}
		if stale, err = q.run(ctx); err != nil {
			return err
		}
	}
	// Where another has the claim, the id may also be known in the own shard, since long ago.
	maps.DeleteFunc(claimed, func(i, _ int) bool { _, known := homes[i]; return known })
	for stale := len(claimed) > 0; stale; {
		q := s.search()
		for i, shard := range claimed {
			homes[i] = shard
			q.id(own(i), hot.DedupID(items[i].Event), func() { homes[i] = own(i) })
		}
		if stale, err = q.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// claimFor is how long a claim lasts, in timeouts of a call. A request has three calls at most that wait one after
// the other: two looks, and the append.
const claimFor = 4

// claim claims an id for a shard, and calls held if there is a claim for another one.
func (q *search) claim(id [16]byte, shard int, held func(shard int)) {
	s := q.s
	claim := s.client.B().Set().Key(s.keys.claim(id)).Value(strconv.Itoa(shard)).Nx().Get().Px(claimFor * s.opt.Timeout).Build()
	q.do(claim, func(r rueidis.RedisResult) error {
		is, err := r.AsInt64()
		if rueidis.IsRedisNil(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("claim an id: %w", err)
		}
		// One of a log with more shards that was here before says nothing.
		if int(is) != shard && is < int64(s.opt.Shards) {
			held(int(is))
		}
		return nil
	})
}
