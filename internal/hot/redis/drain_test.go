package redis_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// delivery is a cold tier of one shard: ids of events by the batch that they
// came with. The same batch may come again.
type delivery map[string][]string

// events returns how often each event stands in it.
func (d delivery) events() map[string]int {
	all := map[string]int{}
	for _, ids := range d {
		for _, id := range ids {
			all[id]++
		}
	}
	return all
}

// sum adds up how often each event stands in some of them.
func sum(of ...map[string]int) map[string]int {
	all := map[string]int{}
	for _, m := range of {
		for id := range maps.Keys(m) {
			all[id] += m[id]
		}
	}
	return all
}

// drainStep is one round of a drain: it takes the lease, does the intent that it
// finds or a new one of at most limit events, delivers them and commits.
func drainStep(ctx context.Context, s hot.Log, shard int, owner string, limit int, to delivery) error {
	l, err := s.Claim(ctx, shard, owner, 10*time.Second)
	if err != nil {
		return err
	}
	p, err := s.Progress(ctx, shard)
	if err != nil {
		return err
	}
	in := p.Intent
	if in == nil {
		head, err := s.Head(ctx, shard)
		if err != nil {
			return err
		}
		last := min(head, p.Committed+uint64(limit))
		if last == p.Committed {
			return s.Release(ctx, l)
		}
		in = &hot.Intent{First: p.Committed + 1, Last: last, Now: time.Now()}
	}
	if err := s.Intend(ctx, l, *in); err != nil { // one that was found, too: it may not have reached a replica
		return err
	}
	n := int(in.Last - in.First + 1)
	records, err := s.Read(ctx, shard, in.First-1, hot.Limit{Events: n})
	if err != nil {
		return err
	}
	if len(records) != n {
		return fmt.Errorf("intent %d-%d: the log has %d of its events", in.First, in.Last, len(records))
	}
	var ids []string
	for _, r := range records {
		ids = append(ids, r.Event.ID)
	}
	to[fmt.Sprintf("%d-%d/%d", in.First, in.Last, in.Now.UnixMicro())] = ids
	if err := s.Commit(ctx, l, *in, []hot.Change{{Key: "last", Value: fmt.Append(nil, in.Last)}}); err != nil {
		return err
	}
	return s.Release(ctx, l)
}

// drainOnce drains what a shard holds.
func drainOnce(t testing.TB, s hot.Log, shard int, owner string, to delivery) {
	t.Helper()
	if err := drainStep(t.Context(), s, shard, owner, 1<<20, to); err != nil {
		t.Fatal(err)
	}
}
