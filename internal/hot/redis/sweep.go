package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weir-analytics/weir/internal/redisconn"
)

const sweepEvery = time.Minute

func (s *Store) sweepLoop() {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-t.C:
			if err := s.Sweep(); err != nil && s.usable() == nil {
				s.opt.Logger.Error("hot tier: sweep failed, retrying in 1m", "error", err)
			}
		}
	}
}

// Sweep deletes the sets of ids that nobody asks any more: those of all
// generations but the current and the one before. Everything else in Redis has
// an expiry of its own; the sets are many and small, and one would cost more
// than what it guards. It runs by itself each minute; nodes may do the same
// work twice.
func (s *Store) Sweep() error {
	s.buckets.sweep(s.opt.Clock.Now())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for shard := range s.opt.Shards {
		if err := s.sweepShard(ctx, shard); err != nil {
			return fmt.Errorf("hot: sweep shard %d: %w", shard, err)
		}
	}
	return nil
}

// sweepShard deletes the generations that the append script has noted as old.
func (s *Store) sweepShard(ctx context.Context, shard int) error {
	b := s.client.B()
	fields, err := s.client.Do(ctx, b.Hgetall().Key(s.keys.shards[shard]).Build()).AsStrMap()
	if err != nil {
		return redisconn.Explain(err)
	}
	if fields["id"] != s.id {
		return errLost
	}
	for field, value := range fields {
		text, ok := strings.CutPrefix(field, "old:")
		if !ok {
			continue
		}
		generation, err1 := strconv.ParseInt(text, 10, 64)
		bits, err2 := strconv.Atoi(value)
		if err := errors.Join(err1, err2); err != nil || bits < 0 || bits > 32 {
			return fmt.Errorf("field %s = %q is corrupt", field, value)
		}
		if err := s.forget(ctx, shard, generation, bits); err != nil {
			return err
		}
		if err := s.client.Do(ctx, b.Hdel().Key(s.keys.shards[shard]).Field(field).Build()).Error(); err != nil {
			return redisconn.Explain(err)
		}
	}
	return nil
}

// forget deletes a generation's sets, some hundred at a time.
func (s *Store) forget(ctx context.Context, shard int, generation int64, bits int) error {
	const each = 256
	keys := make([]string, 0, each)
	begin := s.keys.ids(nil, shard, generation)
	for set, end := uint64(0), uint64(1)<<bits; set < end; {
		for keys = keys[:0]; len(keys) < each && set < end; set++ {
			keys = append(keys, string(idSet(slices.Clip(begin), set)))
		}
		if err := s.client.Do(ctx, s.client.B().Unlink().Key(keys...).Build()).Error(); err != nil {
			return redisconn.Explain(err)
		}
	}
	return nil
}
