package redis

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Seen implements hot.Presence, in one round trip, and one more when a shard has
// begun a generation of ids since the last time.
func (s *Store) Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	for {
		seen, stale, err := s.look(ctx, project, asked, now)
		if err != nil {
			return nil, s.fault("read presence", err)
		}
		if !stale {
			return seen, nil
		}
	}
}

// look asks with the generations that the store last saw of the shards. If a shard has begun
// another, stale is true and the store has the new one.
func (s *Store) look(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) (seen []hot.SeenResult, stale bool, err error) {
	seen = make([]hot.SeenResult, len(asked))
	var (
		cmds   []rueidis.Completed
		answer []func(rueidis.RedisResult) error // of each command
	)
	do := func(c rueidis.Completed, f func(rueidis.RedisResult) error) {
		cmds, answer = append(cmds, c), append(answer, f)
	}
	b, gens := s.client.B(), map[int]generation{}
	for i, a := range asked {
		e := weir.Event{ProjectID: project, DeviceID: a.Device, ID: a.ID}
		shard := hot.ShardOf(&e, s.opt.Shards)
		for _, crowd := range [...]string{project, hot.BotsOf(project)} {
			do(b.Zscore().Key(s.keys.live(shard, crowd)).Member(a.Device).Build(), func(r rueidis.RedisResult) error {
				last, err := r.AsFloat64()
				if rueidis.IsRedisNil(err) {
					return nil
				}
				if now.Sub(time.UnixMilli(int64(last))) < hot.DeviceKept {
					seen[i] = max(seen[i], hot.SeenDevice)
				}
				return err
			})
		}
		if a.ID == "" {
			continue
		}
		gen, ok := gens[shard]
		if !ok {
			if p := s.believed[shard].Load(); p != nil {
				gen = *p
			}
			gens[shard] = gen
			do(b.Hmget().Key(s.keys.shards[shard]).Field("gen", "bits", "before").Build(), func(r rueidis.RedisResult) error {
				is, err := readGeneration(r)
				if is != gen {
					stale = true
					s.believed[shard].Store(&is)
				}
				return err
			})
		}
		id := hot.DedupID(&e)
		in := func(number int64, bits int) {
			if bits == 0 {
				return
			}
			set, member := idPlace(id, bits)
			key := string(idSet(s.keys.ids(nil, shard, number), set))
			do(b.Sismember().Key(key).Member(strconv.FormatInt(member, 10)).Build(), func(r rueidis.RedisResult) error {
				is, err := r.AsBool()
				if is {
					seen[i] = hot.SeenEvent
				}
				return err
			})
		}
		in(gen.number, gen.bits)
		in(gen.number-1, gen.before)
	}
	for i, r := range s.ask(ctx, cmds) {
		if err := answer[i](r); err != nil {
			return nil, false, err
		}
	}
	return seen, stale, nil
}

// readGeneration reads the shard's fields gen, bits and before. A shard that is gone
// has none, and no ids.
func readGeneration(r rueidis.RedisResult) (g generation, err error) {
	fields, err := r.ToArray()
	if err != nil {
		return g, err
	}
	var n [3]int64
	for i := range min(len(n), len(fields)) {
		if n[i], err = fields[i].AsInt64(); err != nil && !rueidis.IsRedisNil(err) {
			return g, err
		}
	}
	return generation{n[0], int(n[1]), int(n[2])}, nil
}
