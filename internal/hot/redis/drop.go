package redis

import (
	"context"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/hot"
)

// DropProject implements hot.Eraser. The index of a grain is deleted after the buckets that it
// names, so that a call that failed finds the rest.
func (s *Store) DropProject(ctx context.Context, project string) error {
	if err := s.usable(); err != nil {
		return err
	}
	for shard := range s.opt.Shards {
		for _, crowd := range [...]string{project, hot.BotsOf(project)} {
			for _, g := range hot.Grains {
				if err := s.dropGrain(ctx, shard, project, crowd, g); err != nil {
					return s.fault("drop project", err)
				}
			}
			if err := s.unlink(ctx, s.keys.live(shard, crowd)); err != nil {
				return s.fault("drop project", err)
			}
		}
		keys := []string{s.keys.step(shard, project)}
		for _, g := range hot.Grains {
			keys = append(keys, s.keys.index(shard, project, g), s.keys.index(shard, hot.BotsOf(project), g))
		}
		if err := s.unlink(ctx, keys...); err != nil {
			return s.fault("drop project", err)
		}
	}
	s.buckets.forget(project)
	return nil
}

// dropGrain deletes the buckets of a crowd that the project's index names.
func (s *Store) dropGrain(ctx context.Context, shard int, project, crowd string, g hot.Grain) error {
	cmd := s.client.B().Zrange().Key(s.keys.index(shard, project, g)).Min("0").Max("-1").Build()
	starts, err := s.ask(ctx, []rueidis.Completed{cmd})[0].AsStrSlice()
	if err != nil {
		return err
	}
	for some := range slices.Chunk(starts, eraseBuckets) {
		var keys []string
		for _, text := range some {
			start, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return err
			}
			for _, kind := range [...]string{kindCounts, kindMembers, kindUniques} {
				keys = append(keys, s.keys.bucket(shard, kind, crowd, hot.Bucket{Grain: g, Start: start}))
			}
		}
		if err := s.unlink(ctx, keys...); err != nil {
			return err
		}
	}
	return nil
}

// unlink deletes keys of one shard.
func (s *Store) unlink(ctx context.Context, keys ...string) error {
	return s.ask(ctx, []rueidis.Completed{s.client.B().Unlink().Key(keys...).Build()})[0].Error()
}
