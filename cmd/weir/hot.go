package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
)

// shared is what the nodes share besides events. roster and bus are nil without
// other nodes.
type shared struct {
	cache      fleet.Cache
	cacheLocks fleet.Locks // of the nodes that share cache; nil of a cache that is this node's own
	limiter    fleet.Limiter
	locks      fleet.Locks
	roster     fleet.Roster
	bus        fleet.Bus
}

// Values of --hot-ack.
const ackReplica = "replica"

// openHot opens the hot tier, and what the nodes share in it.
func (s *server) openHot(ctx context.Context) (err error) {
	c := s.cmd
	local := local.New(local.Options{CacheBytes: int(c.parts.Kept)})
	s.answers = local.Cache
	s.shared = shared{cache: local.Cache, limiter: local.Limiter, locks: local.Locks}
	s.tier, err = c.hot.Open(ctx, backend.HotOptions{
		Shards: c.Shards, Window: c.DedupWindow, MinFree: c.MinFree << 20, Memory: c.parts, Clock: s.clock, Logger: s.log,
		Insecure: c.InsecureRedis, AckReplica: c.HotAck == ackReplica,
	})
	if errors.Is(err, hot.ErrBusy) {
		return fmt.Errorf("another weir is running on the data folder %s: stop it, or use another --data: %w", c.Data, err)
	}
	if err != nil {
		return fmt.Errorf("--hot: %w", err)
	}
	s.onClose(s.tier.Close)
	s.hot = plant(s.tier.Store)
	if s.tier.Trim != nil {
		s.trimStores = append(s.trimStores, s.tier.Trim)
	}
	if f := s.tier.Fleet; f != nil {
		s.shared.limiter, s.shared.locks = f.Limiter, f.Locks
		s.shared.roster, s.shared.bus = f.Roster, f.Bus
	}
	return nil
}

// awaitCache opens the Redis of --cache, and waits for it while the node serves without it.
// A wrong configuration that is found at once ends the start. One that is found after a wait
// is logged.
func (s *server) awaitCache(ctx context.Context) error {
	err := s.openCache(ctx, 0)
	if err == nil || !errors.Is(err, backend.ErrUnavailable) {
		return err
	}
	if err = s.openCache(ctx, backend.Forever); err != nil && ctx.Err() == nil {
		s.log.Error("the Redis of --cache cannot be used; answers are not cached", "error", err)
	}
	return nil
}

func (s *server) openCache(ctx context.Context, wait time.Duration) error {
	t, err := s.cmd.cache.Open(ctx, wait, s.cmd.InsecureRedis, s.log)
	if err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	s.onClose(t.Close)
	s.late.cache.set(t)
	return nil
}
