package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/fleet"
)

// cacheTimeout is the most that is waited for a kept value: finding out anew is the
// other way to get it.
const cacheTimeout = 250 * time.Millisecond

// Cache is a fleet.Cache. Its Redis may be one of its own, that evicts.
type Cache struct{ *conn }

func newCache(c *conn) *Cache {
	own := *c
	own.timeout = min(own.timeout, cacheTimeout)
	return &Cache{&own}
}

// Get is fleet.Cache's.
func (x *Cache) Get(ctx context.Context, key string) ([]byte, bool, error) {
	value, err := x.send(ctx, x.client.B().Get().Key(x.key(key)).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("fleet: cached %q: %w", key, err)
	}
	return value, true, nil
}

// Set is fleet.Cache's.
func (x *Cache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	err := fleet.CheckTTL(ttl)
	if err == nil {
		err = x.send(ctx, x.client.B().Set().Key(x.key(key)).Value(rueidis.BinaryString(value)).Px(ttl).Build()).Error()
	}
	if err != nil {
		return fmt.Errorf("fleet: cache %q: %w", key, err)
	}
	return nil
}

func (x *Cache) key(key string) string { return x.prefix + "cache:" + key }
