package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/alexedwards/scs/v2"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/local"
	fleetredis "github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/outage"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// shared is what the nodes of one Weir share besides the events. Of a node that
// is alone, roster, bus and sessions are nil.
type shared struct {
	cache    fleet.Cache
	asking   fleet.Locks // of the nodes that share cache; nil of a cache that is this node's own
	limiter  fleet.Limiter
	locks    fleet.Locks
	sessions scs.Store
	roster   fleet.Roster
	bus      fleet.Bus
}

// alone says whether the hot tier is inside this process, so that there can be
// no other node.
func (c *serveCmd) alone() bool { return !redisconn.IsURL(c.Hot) }

func (c *serveCmd) checkHot() (err error) {
	if c.alone() {
		_, err = storeURL("hot", c.Hot, "pebble", "")
	} else if _, err = redisconn.Parse(c.Hot); err != nil {
		err = fmt.Errorf("--hot: %w", err)
	}
	if err != nil {
		return err
	}
	if c.Cache != "" {
		if _, err := redisconn.Parse(c.Cache); err != nil {
			return fmt.Errorf("--cache: %w", err)
		}
	}
	if c.alone() && c.Spill != "" {
		return errors.New("--spill is for a hot tier that can be away: --hot redis://…")
	}
	if c.alone() && c.HotAck != ackMaster {
		return errors.New("--hot-ack replica is for a hot tier with replicas: --hot redis+sentinel://… or redis+cluster://…")
	}
	return nil
}

// Values of --hot-ack.
const (
	ackMaster  = "master"
	ackReplica = "replica"
)

// openHot opens the hot tier, and what stands beside it.
func (s *server) openHot(ctx context.Context) error {
	local := local.New(local.Options{CacheBytes: int(s.cmd.parts.Kept)})
	s.answers = local.Cache
	s.shared = shared{cache: local.Cache, limiter: local.Limiter, locks: local.Locks}
	if s.cmd.alone() {
		log, err := s.cmd.openPebble(s.log, s.clock)
		if err != nil {
			return err
		}
		s.hot, s.pebble = plant(log), log
		return nil
	}
	return s.openRedis(ctx)
}

// maxMemTable is the memtable that holds most of the log until it is trimmed, in bytes;
// a larger one gains nothing.
const maxMemTable = 64 << 20

func (c *serveCmd) openPebble(log *slog.Logger, clock weir.Clock) (*pebble.Store, error) {
	dir, err := storeURL("hot", c.Hot, "pebble", filepath.Join(c.Data, "hot"))
	if err != nil {
		return nil, err
	}
	s, err := pebble.Open(dir, pebble.Options{
		Shards: c.Shards, Window: c.DedupWindow, MinFree: c.MinFree << 20, Clock: clock, Logger: log,
		CacheBytes: int(c.parts.HotCache), MemTableBytes: min(int(c.parts.HotTables/2), maxMemTable), CountsBytes: int(c.parts.Counts),
		PresenceBytes: int(c.parts.Presence), FilterBytes: int(c.parts.IDs), PagesBytes: int(c.parts.Pages),
	})
	if errors.Is(err, hot.ErrBusy) {
		return nil, fmt.Errorf("another weir is running on the data folder %s: stop it, or use another --data: %w", c.Data, err)
	}
	return s, err
}

// redisTry is the pause between two tries to open a log in a Redis that is away.
const redisTry = time.Second

func (s *server) openRedis(ctx context.Context) error {
	c := s.cmd
	u, err := redisconn.Parse(c.Hot)
	if err != nil {
		return fmt.Errorf("--hot: %w", err)
	}
	client, err := redisconn.Open(ctx, u, redisconn.Options{Wait: redisconn.Forever, Durable: true, Insecure: c.InsecureRedis, Logger: s.log})
	if err != nil {
		return fmt.Errorf("--hot: %w", err)
	}
	s.onClose(func() error { client.Close(); return nil })
	log, err := s.openLog(ctx, u.String(), func() (*redis.Store, error) {
		return redis.Open(ctx, client, u.Prefix, redis.Options{
			Shards: c.Shards, Window: c.DedupWindow, AckReplica: c.HotAck == ackReplica, Logger: s.log,
		})
	})
	if err != nil {
		return fmt.Errorf("--hot: %w", err)
	}
	s.bind = log.Bind
	s.hot = plant(log)
	f := fleetredis.New(client, fleetredis.Options{Prefix: u.Prefix + ":", Logger: s.log, SessionKey: func(ctx context.Context) ([]byte, error) {
		return s.meta.Secret(ctx, "sessions")
	}})
	s.shared.limiter, s.shared.locks, s.shared.sessions = f.Limiter, f.Locks, f.Sessions
	s.shared.roster, s.shared.bus = f.Roster, f.Bus
	return nil
}

// openLog opens the log in a Redis that may go away at any moment.
func (s *server) openLog(ctx context.Context, url string, open func() (*redis.Store, error)) (*redis.Store, error) {
	waiting := outage.New(s.log, nil, "waiting for Redis", "Redis is there")
	for {
		log, err := open()
		if err == nil || !redisconn.Away(err) {
			waiting.Up("url", url)
			return log, err
		}
		waiting.Down(err, "url", url)
		if err := waitFor(ctx, redisTry); err != nil {
			return nil, err
		}
	}
}

// cacheTimeout is the most that a question waits for the Redis of answers at a time.
const cacheTimeout = 250 * time.Millisecond

// awaitCache opens the Redis that keeps answers, which may lose and evict what it
// holds, and waits for it beside all else. A wrong configuration ends the start; but
// once this node serves without it, it goes on to.
func (s *server) awaitCache(ctx context.Context) error {
	err := s.openCache(ctx, 0)
	if err == nil || !redisconn.Away(err) {
		return err
	}
	if err = s.openCache(ctx, redisconn.Forever); err != nil && ctx.Err() == nil {
		s.log.Error("the Redis of --cache cannot be used; answers are not kept", "error", err)
	}
	return nil
}

func (s *server) openCache(ctx context.Context, wait time.Duration) error {
	u, err := redisconn.Parse(s.cmd.Cache)
	if err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	client, err := redisconn.Open(ctx, u, redisconn.Options{Wait: wait, Insecure: s.cmd.InsecureRedis, Logger: s.log})
	if err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	s.onClose(func() error { client.Close(); return nil })
	s.late.cache.set(fleetredis.New(client, fleetredis.Options{Prefix: u.Prefix + ":", Logger: s.log, Timeout: cacheTimeout}))
	return nil
}
