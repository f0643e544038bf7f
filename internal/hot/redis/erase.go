package redis

import (
	"context"
	_ "embed"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

//go:embed scripts/erase.lua
var eraseText string

var eraseScript = newScript(eraseText)

// How much is asked at once.
const (
	eraseBuckets = 256
	eraseNames   = 256
)

// Erase implements hot.Eraser. Each bucket is changed in a step of its own; those
// without the consumers are only asked.
func (s *Store) Erase(ctx context.Context, project string, devices, consumers []string) error {
	if err := s.usable(); err != nil {
		return err
	}
	of := make([][]string, s.opt.Shards)
	for _, d := range devices {
		shard := hot.ShardOf(&weir.Event{ProjectID: project, DeviceID: d}, s.opt.Shards)
		of[shard] = append(of[shard], d)
	}
	for shard := range of {
		for some := range slices.Chunk(of[shard], eraseNames) {
			for _, crowd := range [...]string{project, hot.BotsOf(project)} {
				cmd := s.client.B().Zrem().Key(s.keys.live(shard, crowd)).Member(some...).Build()
				if err := s.ask(ctx, []rueidis.Completed{cmd})[0].Error(); err != nil {
					return s.fault("erase devices", err)
				}
			}
		}
	}
	members := make([]string, len(consumers))
	for i, c := range consumers {
		members[i] = string(byte(hot.Consumer)) + c
	}
	for some := range slices.Chunk(members, eraseNames) {
		if err := s.eraseMembers(ctx, project, some); err != nil {
			return s.fault("erase consumers", err)
		}
	}
	s.buckets.forget(project)
	return nil
}

// eraseMembers takes them out of all buckets that the indexes name, those that are past
// their time and still there too.
func (s *Store) eraseMembers(ctx context.Context, project string, members []string) error {
	for shard := range s.opt.Shards {
		for _, g := range hot.Grains {
			cmd := s.client.B().Zrange().Key(s.keys.index(shard, project, g)).Min("0").Max("-1").Build()
			starts, err := s.ask(ctx, []rueidis.Completed{cmd})[0].AsStrSlice()
			if err != nil {
				return err
			}
			for some := range slices.Chunk(starts, eraseBuckets) {
				if err := s.eraseBuckets(ctx, project, shard, g, some, members); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *Store) eraseBuckets(ctx context.Context, project string, shard int, g hot.Grain, starts, members []string) error {
	buckets, cmds := make([]hot.Bucket, len(starts)), make([]rueidis.Completed, len(starts))
	for i, text := range starts {
		start, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		buckets[i] = hot.Bucket{Grain: g, Start: start}
		cmds[i] = s.client.B().Zmscore().Key(s.keys.bucket(shard, kindMembers, project, buckets[i])).Member(members...).Build()
	}
	for i, r := range s.ask(ctx, cmds) {
		slots, err := r.ToArray()
		if err != nil {
			return err
		}
		args := []string{s.id, strconv.FormatInt(rand.Int64(), 10)} //nolint:gosec // no secret; the sum may wrap around
		for n := range slots {
			if !slots[n].IsNil() {
				args = append(args, members[n])
			}
		}
		if len(args) == 2 {
			continue
		}
		b := buckets[i]
		keys := []string{s.keys.shards[shard], s.keys.bucket(shard, kindCounts, project, b), s.keys.bucket(shard, kindMembers, project, b)}
		if err := s.eraseIn(ctx, keys, args); err != nil {
			return err
		}
	}
	return nil
}

// eraseIn runs eraseScript on keys, within Options.Timeout.
func (s *Store) eraseIn(ctx context.Context, keys, args []string) error {
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	r, err := s.run(ctx, eraseScript, s.replica, keys, args)
	if err != nil {
		return err
	}
	return r.Error()
}
