package redis

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

//go:embed scripts/empty.lua
var emptyText string

var emptyScript = newScript(emptyText)

// Empty implements hot.Corrector: one step in each shard.
func (s *Store) Empty(ctx context.Context, project, id string, buckets []hot.Bucket) (heads []uint64, err error) {
	if err := hot.CheckEmpty(id, buckets); err != nil {
		return nil, err
	}
	heads = make([]uint64, s.opt.Shards)
	for shard := range heads {
		keys, args := []string{s.keys.shards[shard], s.keys.step(shard, project)}, []string{s.id, id, stepKept}
		for _, crowd := range [...]string{project, hot.BotsOf(project)} {
			for _, b := range buckets {
				keys = append(keys, s.keys.index(shard, crowd, b.Grain))
				for _, kind := range [...]string{kindCounts, kindMembers, kindUniques} {
					keys = append(keys, s.keys.bucket(shard, kind, crowd, b))
				}
				args = append(args, strconv.FormatInt(b.Start, 10))
			}
		}
		r, err := s.runIn(ctx, emptyScript, keys, args)
		if err != nil {
			return nil, s.fault("empty buckets", err)
		}
		text, err := r.ToString()
		if err == nil {
			heads[shard], err = strconv.ParseUint(text, 10, 64)
		}
		if err != nil {
			return nil, s.fault("empty buckets", err)
		}
	}
	return heads, nil
}

// Refill implements hot.Corrector: one step in each shard that gets anything.
func (s *Store) Refill(ctx context.Context, project string, step hot.Step, amounts []hot.Amount, unique []hot.Unique) error {
	if err := step.Check(amounts, unique); err != nil {
		return err
	}
	now := s.opt.Clock.Now()
	shards := map[int]map[bucketOf]*sums{}
	of := func(shard int, b hot.Bucket) *sums {
		k := bucketOf{project, b}
		if shards[shard] == nil {
			shards[shard] = map[bucketOf]*sums{}
		}
		if shards[shard][k] == nil {
			shards[shard][k] = newSums()
		}
		return shards[shard][k]
	}
	for _, a := range amounts {
		if a.Start < oldest(a.Grain, now) {
			continue
		}
		into := of(a.Shard%s.opt.Shards, a.Bucket)
		if slot := hot.FixedSlot(a.Dimension, a.Member); slot >= 0 {
			into.fixed[slot] += a.N
		} else {
			into.members[a.Fact] += a.N
		}
	}
	for _, u := range unique {
		if u.Start < oldest(u.Grain, now) || u.Device == "" {
			continue
		}
		into := of(hot.ShardOf(&weir.Event{ProjectID: project, DeviceID: u.Device}, s.opt.Shards), u.Bucket)
		if u.Bot {
			into.bots[u.Device] = struct{}{}
			into.botted++ // the crowd's total says only that the bucket is there
		} else {
			into.devices[u.Device] = struct{}{}
		}
	}
	for shard, buckets := range shards {
		if err := s.addTo(ctx, project, shard, step, buckets, now); err != nil {
			return err
		}
	}
	return nil
}

// addTo runs the append script without ids.
func (s *Store) addTo(ctx context.Context, project string, shard int, step hot.Step, buckets map[bucketOf]*sums, now time.Time) error {
	var k known
	for {
		g := newGroup()
		g.keys.text(s.keys.shards[shard])
		g.keys.text(s.keys.stream(shard))
		g.keys.text(s.keys.step(shard, project))
		g.args.text(step.ID)
		g.args.text(strconv.FormatUint(step.Number, 10))
		g.args.number(0) // projects
		g.addBuckets(s, shard, now, func(_ time.Time, fn func(bucketOf, *sums)) {
			for b, sum := range buckets {
				fn(b, sum)
			}
		})
		keys, args := g.call(s, k, 0, 0, now)
		r, err := s.runIn(ctx, appendScript, keys, args)
		var a answer
		if err == nil {
			a, err = readAnswer(r)
		}
		switch {
		case err != nil:
			return s.fault("add to counters", err)
		case a.word == "ok":
			return nil
		case a.word == "stale":
			k = a.known()
		default:
			return fmt.Errorf("hot: add to counters: %w", hot.ErrFenced)
		}
	}
}
