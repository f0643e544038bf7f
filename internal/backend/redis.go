package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
	fleetredis "github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/outage"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// redisHot returns a hot tier in Redis, which nodes share.
func redisHot(url, _ string) (Hot, error) {
	u, err := redisconn.Parse(url)
	if err != nil {
		return Hot{}, err
	}
	return Hot{
		Shared: true, Replicas: true,
		Renew: "give another prefix (redis://…?prefix=NAME), which loses the counters and what was not delivered",
		open:  func(ctx context.Context, o HotOptions) (*HotTier, error) { return openRedis(ctx, u, o) },
	}, nil
}

func openRedis(ctx context.Context, u redisconn.URL, o HotOptions) (*HotTier, error) {
	client, err := redisconn.Open(ctx, u, redisconn.Options{Wait: redisconn.Forever, Durable: true, Insecure: o.Insecure, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	log, err := openLog(ctx, o.Logger, u.String(), func() (*redis.Store, error) {
		return redis.Open(ctx, client, u.Prefix, redis.Options{Shards: o.Shards, Window: o.Window, AckReplica: o.AckReplica, Logger: o.Logger})
	})
	if err != nil {
		client.Close()
		return nil, err
	}
	health := &redisHealth{url: u.String(), ask: log.Health}
	f := fleetredis.New(client, fleetredis.Options{Prefix: u.Prefix + ":", Logger: o.Logger})
	return &HotTier{
		Store:     log,
		Fleet:     &Fleet{Limiter: f.Limiter, Locks: f.Locks, Roster: f.Roster, Bus: f.Bus, Bind: log.Bind},
		Status:    health.status,
		Collector: newRedisMetrics(health),
		Close:     func() error { client.Close(); return nil },
	}, nil
}

// redisTry is the pause between two tries to open a log in a Redis that is unavailable.
const redisTry = time.Second

// openLog opens the log in a Redis that may become unavailable at any moment.
func openLog(ctx context.Context, logger *slog.Logger, url string, open func() (*redis.Store, error)) (*redis.Store, error) {
	waiting := outage.New(logger, nil, "waiting for Redis", "Redis is there")
	for {
		log, err := open()
		if err == nil || !redisconn.Away(err) {
			waiting.Up("url", url)
			return log, err
		}
		waiting.Down(err, "url", url)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(redisTry):
		}
	}
}

// Cache is a server that keeps answers for several nodes and may evict them. Not open yet.
type Cache struct{ url redisconn.URL }

// CacheTier is an open one. The caller calls Close.
type CacheTier struct {
	Cache fleet.Cache
	Locks fleet.Locks // of the nodes that share the cache
	Close func() error
}

// ErrUnavailable is the error of a server that does not answer. It may answer later,
// so a configuration that it comes from may be right.
var ErrUnavailable = errors.New("the server is unavailable")

// ParseCache reads the URL of a cache.
func ParseCache(url string) (Cache, error) {
	u, err := redisconn.Parse(url)
	return Cache{u}, err
}

// cacheTimeout is the most that a question waits for the cache at a time.
const cacheTimeout = 250 * time.Millisecond

// Open waits up to wait for a server that is unavailable. Errors: ErrUnavailable, and
// those of a wrong configuration.
func (c Cache) Open(ctx context.Context, wait time.Duration, insecure bool, log *slog.Logger) (*CacheTier, error) {
	client, err := redisconn.Open(ctx, c.url, redisconn.Options{Wait: wait, Insecure: insecure, Logger: log})
	if err != nil {
		if redisconn.Away(err) {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return nil, err
	}
	f := fleetredis.New(client, fleetredis.Options{Prefix: c.url.Prefix + ":", Logger: log, Timeout: cacheTimeout})
	return &CacheTier{Cache: f.Cache, Locks: f.Locks, Close: func() error { client.Close(); return nil }}, nil
}
