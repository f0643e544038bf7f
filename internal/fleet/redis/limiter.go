package redis

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Limiter is a fleet.Limiter. A bucket is the time at which it will be full, as in
// the embedded one, and that is when its key expires.
type Limiter struct {
	*conn
	take, giveBack *rueidis.Lua
}

// takeScript takes ARGV: now, µs per token, tokens that the bucket holds, tokens to
// take, tokens that it may owe. It returns the wait in µs and what remains. All numbers are whole and below
// 2^53, so Lua's are exact.
const takeScript = `#!lua
local now, every, burst, n, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
if now == 0 then
	local t = redis.call('TIME')
	now = tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local room = every * burst
local known = tonumber(redis.call('GET', KEYS[1]) or 0)
local full = math.min(math.max(known, now), now + room + every * debt)
local over = full + every * math.min(n, burst) - (now + room)
if over <= 0 then
	full = full + every * n
	over = 0
end
if full ~= known then
	redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', math.ceil((full - now) / 1000)))
end
return {over, math.floor(math.max(now + room - full, 0) / every)}
`

// Take is fleet.Limiter's. When the connection is lost it is not tried again: the
// tokens may have been taken.
func (x *Limiter) Take(ctx context.Context, key string, l fleet.Limit, n int) (wait time.Duration, remaining int, err error) {
	if err := l.Check(n); err != nil {
		return 0, 0, fmt.Errorf("fleet: take of %q: %w", key, err)
	}
	r, err := x.run(ctx, x.take, x.key(key), x.now(), decimal(l.Every.Microseconds()), strconv.Itoa(l.Burst), strconv.Itoa(n), strconv.Itoa(l.Debt)).AsIntSlice()
	if err == nil && len(r) != 2 {
		err = fmt.Errorf("a reply of %d numbers", len(r))
	}
	if err != nil {
		return 0, 0, fmt.Errorf("fleet: take of %q: %w", key, err)
	}
	return time.Duration(r[0]) * time.Microsecond, int(r[1]), nil
}

// returnScript takes ARGV: now, µs of the tokens that are given back.
const returnScript = `#!lua
local now, back = tonumber(ARGV[1]), tonumber(ARGV[2])
if now == 0 then
	local t = redis.call('TIME')
	now = tonumber(t[1]) * 1000000 + tonumber(t[2])
end
local full = tonumber(redis.call('GET', KEYS[1]) or 0) - back
if full <= now then
	redis.call('DEL', KEYS[1])
else
	redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', math.ceil((full - now) / 1000)))
end
return 0
`

// Return is fleet.Limiter's. When the connection is lost it is not tried again, as in Take.
func (x *Limiter) Return(ctx context.Context, key string, l fleet.Limit, n int) error {
	err := l.Check(n)
	if err == nil {
		err = x.run(ctx, x.giveBack, x.key(key), x.now(), decimal(l.Every.Microseconds()*int64(n))).Error()
	}
	if err != nil {
		return fmt.Errorf("fleet: return to %q: %w", key, err)
	}
	return nil
}

// Forget is fleet.Limiter's.
func (x *Limiter) Forget(ctx context.Context, key string) error {
	if err := x.send(ctx, x.client.B().Del().Key(x.key(key)).Build().ToRetryable()).Error(); err != nil {
		return fmt.Errorf("fleet: forget takes of %q: %w", key, err)
	}
	return nil
}

func (x *Limiter) key(key string) string { return x.prefix + "limit:" + key }
