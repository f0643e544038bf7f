package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// Live implements hot.Presence.
func (s *Store) Live(ctx context.Context, project string, now time.Time) (int, error) {
	if err := s.usable(); err != nil {
		return 0, err
	}
	cmds := make([]rueidis.Completed, s.opt.Shards)
	for shard := range cmds {
		cmds[shard] = s.countLive(shard, project, now)
	}
	var sum int64
	for _, r := range s.askAll(ctx, cmds) {
		n, err := r.AsInt64()
		if err != nil {
			return 0, s.fault("read presence", err)
		}
		sum += n
	}
	return int(sum), nil
}
