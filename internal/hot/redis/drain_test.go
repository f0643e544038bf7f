package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

// drainStep is one round of a drain: it takes the lease, does the intent that
// it finds or a new one of at most limit events, notes the events as delivered
// and commits. What it notes twice was read twice after a commit.
func drainStep(ctx context.Context, s hot.Log, shard int, owner string, limit int, delivered map[string]int) error {
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
		if err := s.Intend(ctx, l, *in); err != nil {
			return err
		}
	}
	n := int(in.Last - in.First + 1)
	records, err := s.Read(ctx, shard, in.First-1, n)
	if err != nil {
		return err
	}
	if len(records) != n {
		return fmt.Errorf("intent %d-%d: the log has %d of its events", in.First, in.Last, len(records))
	}
	if err := s.Commit(ctx, l, *in, []hot.Change{{Key: "last", Value: fmt.Append(nil, in.Last)}}); err != nil {
		return err
	}
	for _, r := range records {
		delivered[r.Event.ID]++
	}
	return s.Release(ctx, l)
}
