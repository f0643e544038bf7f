package redis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// Series implements hot.Counters.
func (s *Store) Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error) {
	b := s.client.B()
	sums := map[int64]int64{}
	err := s.eachBucket(ctx, project, g, from, to, func(shard int, bucket hot.Bucket) rueidis.Completed {
		return b.Hget().Key(s.keys.bucket(shard, kindOf(d), project, bucket)).Field(field(d, member)).Build()
	}, func(bucket hot.Bucket, r rueidis.RedisResult) error {
		n, err := r.AsInt64()
		if rueidis.IsRedisNil(err) {
			return nil
		}
		sums[bucket.Start] += n
		return err
	})
	if err != nil {
		return nil, err
	}
	points := make([]hot.Point, 0, len(sums))
	for start, n := range sums {
		points = append(points, hot.Point{Start: time.Unix(start, 0).UTC(), Count: n})
	}
	slices.SortFunc(points, func(a, b hot.Point) int { return a.Start.Compare(b.Start) })
	return points, nil
}

// Members implements hot.Counters.
func (s *Store) Members(ctx context.Context, project string, g hot.Grain, d hot.Dimension, from, to time.Time, limit int) ([]hot.Member, error) {
	b := s.client.B()
	sums := map[string]int64{}
	err := s.eachBucket(ctx, project, g, from, to, func(shard int, bucket hot.Bucket) rueidis.Completed {
		return b.Hgetall().Key(s.keys.bucket(shard, kindOf(d), project, bucket)).Build()
	}, func(_ hot.Bucket, r rueidis.RedisResult) error {
		counts, err := r.AsIntMap()
		for f, n := range counts {
			if member, ok := memberOf(d, f); ok {
				sums[member] += n
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return hot.Ranked(sums, limit), nil
}

// Uniques implements hot.Counters. A device lives in one shard, so that those
// of the shards add up.
func (s *Store) Uniques(ctx context.Context, project string, g hot.Grain, from, to time.Time) (int64, error) {
	b := s.client.B()
	starts, err := s.starts(ctx, project, g, from, to)
	if err != nil {
		return 0, err
	}
	var cmds []rueidis.Completed
	for shard, ss := range starts {
		var keys []string
		for _, start := range ss {
			keys = append(keys, s.keys.bucket(shard, kindUniques, project, hot.Bucket{Grain: g, Start: start}))
		}
		if len(keys) > 0 {
			cmds = append(cmds, b.Pfcount().Key(keys...).Build())
		}
	}
	var sum int64
	for _, r := range s.ask(ctx, cmds) {
		n, err := r.AsInt64()
		if err != nil {
			return 0, s.fault("read uniques", err)
		}
		sum += n
	}
	return sum, nil
}

// memberOf is the member that a field counts, if it is one of the dimension.
func memberOf(d hot.Dimension, field string) (string, bool) {
	if kindOf(d) != kindTotals {
		return field, true
	}
	return strings.CutPrefix(field, string(byte(d)))
}

// ask sends all commands at once.
func (s *Store) ask(ctx context.Context, cmds []rueidis.Completed) []rueidis.RedisResult {
	if len(cmds) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	return s.client.DoMulti(ctx, cmds...)
}

// eachBucket asks a command of each bucket in [from, to) and of each shard, all
// at once, and calls fn with the answers.
func (s *Store) eachBucket(ctx context.Context, project string, g hot.Grain, from, to time.Time,
	command func(shard int, b hot.Bucket) rueidis.Completed, fn func(hot.Bucket, rueidis.RedisResult) error,
) error {
	starts, err := s.starts(ctx, project, g, from, to)
	if err != nil {
		return err
	}
	var cmds []rueidis.Completed
	var buckets []hot.Bucket
	for shard, ss := range starts {
		for _, start := range ss {
			b := hot.Bucket{Grain: g, Start: start}
			buckets = append(buckets, b)
			cmds = append(cmds, command(shard, b))
		}
	}
	for i, r := range s.ask(ctx, cmds) {
		if err := fn(buckets[i], r); err != nil {
			return s.fault("read counters", err)
		}
	}
	return nil
}

// starts are those of the buckets in [from, to) that hold anything, by shard.
// What is past its time is not there, even if Redis has not deleted it yet.
func (s *Store) starts(ctx context.Context, project string, g hot.Grain, from, to time.Time) ([][]int64, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	least := max(from.Unix(), s.opt.Clock.Now().Add(-g.Kept()-bucketSlack).Unix())
	cmds := make([]rueidis.Completed, s.opt.Shards)
	for shard := range cmds {
		cmds[shard] = s.client.B().Zrange().Key(s.keys.index(shard, project, g)).
			Min(strconv.FormatInt(least, 10)).Max("(" + strconv.FormatInt(to.Unix(), 10)).Byscore().Build()
	}
	starts := make([][]int64, s.opt.Shards)
	for shard, r := range s.ask(ctx, cmds) {
		texts, err := r.AsStrSlice()
		if err != nil {
			return nil, s.fault("read counters", err)
		}
		for _, t := range texts {
			n, err := strconv.ParseInt(t, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("hot: bucket %q of shard %d: %w", t, shard, err)
			}
			starts[shard] = append(starts[shard], n)
		}
	}
	return starts, nil
}
