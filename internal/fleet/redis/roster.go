package redis

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Roster is a fleet.Roster: each group a sorted set that expires with its last name.
type Roster struct {
	*conn
	announce *rueidis.Lua
}

// announceScript takes ARGV: now, µs to live, name. It returns the names that are
// alive, and does the same when it is run twice.
const announceScript = `#!lua
local now, ttl = tonumber(ARGV[1]), tonumber(ARGV[2])
if now == 0 then
	local t = redis.call('TIME')
	now = tonumber(t[1]) * 1000000 + tonumber(t[2])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + ttl), ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.ceil((tonumber(last[2]) - now) / 1000)))
return redis.call('ZRANGE', KEYS[1], 0, -1)
`

// Announce is fleet.Roster's.
func (r *Roster) Announce(ctx context.Context, group, name string, ttl time.Duration) ([]string, error) {
	err := fleet.CheckTTL(ttl)
	var names []string
	if err == nil {
		names, err = r.run(ctx, r.announce, r.key(group), r.now(), decimal(ttl.Microseconds()), name).AsStrSlice()
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: announce %q in %q: %w", name, group, err)
	}
	slices.Sort(names)
	return names, nil
}

// Leave is fleet.Roster's.
func (r *Roster) Leave(ctx context.Context, group, name string) error {
	if err := r.send(ctx, r.client.B().Zrem().Key(r.key(group)).Member(name).Build().ToRetryable()).Error(); err != nil {
		return fmt.Errorf("fleet: take %q off %q: %w", name, group, err)
	}
	return nil
}

func (r *Roster) key(group string) string { return r.prefix + "roster:" + group }
