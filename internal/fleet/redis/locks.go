package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Locks are fleet.Locks. Both scripts do the same when they are run twice, so they
// are run again after a lost connection.
type Locks struct {
	*conn
	acquire, release *rueidis.Lua
}

// acquireScript takes ARGV: owner, ms. It returns 1 for the owner and 0 for others.
const acquireScript = `#!lua
local owner = redis.call('GET', KEYS[1])
if owner and owner ~= ARGV[1] then
	return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`

// releaseScript takes ARGV: owner. It only ever frees memory.
const releaseScript = `#!lua flags=allow-oom
if redis.call('GET', KEYS[1]) == ARGV[1] then
	redis.call('DEL', KEYS[1])
end
return 0
`

func newLocks(c *conn) *Locks {
	return &Locks{c, rueidis.NewLuaScriptRetryable(acquireScript), rueidis.NewLuaScriptRetryable(releaseScript)}
}

// Acquire is fleet.Locks'.
func (x *Locks) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	if err := fleet.CheckTTL(ttl); err != nil {
		return false, fmt.Errorf("fleet: lock %q: %w", name, err)
	}
	ok, err := x.run(ctx, x.acquire, x.key(name), owner, decimal(ttl.Milliseconds())).AsBool()
	if err != nil {
		return false, fmt.Errorf("fleet: lock %q: %w", name, err)
	}
	return ok, nil
}

// Release is fleet.Locks'.
func (x *Locks) Release(ctx context.Context, name, owner string) error {
	if err := x.run(ctx, x.release, x.key(name), owner).Error(); err != nil {
		return fmt.Errorf("fleet: unlock %q: %w", name, err)
	}
	return nil
}

func (x *Locks) key(name string) string { return x.prefix + "lock:" + name }
