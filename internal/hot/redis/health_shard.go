package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// shardsHealth looks at all shards, each by itself: one that is away does not
// take others with it.
func (s *Store) shardsHealth(ctx context.Context, now time.Time, notes *notes) []ShardHealth {
	all, errs := redisconn.Gather(ctx, s.opt.Shards, func(shard int) (ShardHealth, error) {
		return s.shardHealth(ctx, shard, now, notes)
	})
	for shard, err := range errs {
		if err != nil {
			all[shard] = ShardHealth{Shard: shard, Error: redisconn.Explain(err).Error()}
		}
	}
	return all
}

// shardHealth looks at a shard's hash and stream, then at the oldest event.
func (s *Store) shardHealth(ctx context.Context, shard int, now time.Time, notes *notes) (ShardHealth, error) {
	h := ShardHealth{Shard: shard, Up: true}
	b, stream := s.client.B(), s.keys.stream(shard)
	got := s.client.DoMulti(
		ctx,
		b.Hmget().Key(s.keys.shards[shard]).Field("id", "head", "committed", "owner", "until").Build(),
		b.Xlen().Key(stream).Build(),
		b.MemoryUsage().Key(stream).Build(),
	)
	if err := s.readShard(&h, got[0]); err != nil {
		return h, err
	}
	var err error
	if h.Chunks, err = got[1].AsInt64(); err != nil {
		return h, err
	}
	if h.LogBytes, err = got[2].AsInt64(); err != nil && !rueidis.IsRedisNil(err) { // nil is a log without its first event
		notes.leftOut("MEMORY USAGE", err)
	}
	if h.WaitingEvents > 0 {
		at, err := s.oldest(ctx, shard, h.Committed+1)
		if !notes.leftOut("the age of the oldest event", err) && !at.IsZero() {
			h.OldestSeconds = max(0, now.Sub(at).Seconds())
		}
	}
	return h, nil
}

func (s *Store) readShard(h *ShardHealth, r rueidis.RedisResult) error {
	f, err := r.AsStrSlice()
	if err != nil {
		return err
	}
	if f[0] != s.id {
		return errLost
	}
	head, err1 := strconv.ParseUint(f[1], 10, 64)
	committed, err2 := strconv.ParseUint(f[2], 10, 64)
	until, err3 := strconv.ParseInt(f[4], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("fields of shard %d: %w", h.Shard, err)
	}
	h.Head, h.Committed = head, committed
	if head > committed {
		h.WaitingEvents = head - committed
	}
	if h.LeaseOwner = f[3]; h.LeaseOwner != "" {
		expires := time.UnixMicro(until).UTC()
		h.LeaseExpires = &expires
	}
	return nil
}

// oldest returns when the first event from a seq on was received; zero when all are
// drained by now.
func (s *Store) oldest(ctx context.Context, shard int, from uint64) (time.Time, error) {
	get := s.client.B().Xrange().Key(s.keys.stream(shard)).Start(strconv.FormatUint(from, 10)).End("+").Count(1).Build()
	entries, err := s.client.Do(ctx, get).AsXRange()
	if rueidis.IsRedisNil(err) || err == nil && len(entries) == 0 {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, err
	}
	// A commit since may have trimmed the log behind it.
	first, _, err := chunkID(entries[0].ID)
	if err != nil {
		return time.Time{}, err
	}
	r := reading{next: max(from, first), left: hot.Limit{Events: 1}}
	if err := r.unpack(entries[0]); err != nil || len(r.out) == 0 {
		return time.Time{}, err
	}
	return r.out[0].Event.ReceivedAt, nil
}
