// Package redis is the fleet of several nodes, in Redis 7 or newer: standalone,
// behind Sentinel, or a Cluster, since each step touches one key. Every key expires
// by itself.
//
//	w:cache:KEY      string, the value
//	w:limit:KEY      string, when the bucket is full: µs since 1970
//	w:lock:NAME      string, the owner
//	w:roster:GROUP   sorted set of names, by when they expire: µs since 1970
//	w:bus:TOPIC      no key but a channel
package redis

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
)

// Options tune a Store. Zero values are the defaults that their comments name.
type Options struct {
	Prefix string // of every key and channel; "w:". Weirs that share a Redis have one each
	// Clock is for tests. Nil is Redis' own time, which is the same for all nodes.
	Clock weir.Clock

	Timeout time.Duration // of one call, tries after a lost connection among it; 2 s, and of the cache 250 ms at most
	Logger  *slog.Logger  // nil is slog.Default
}

// Store holds all that the fleet has in Redis.
type Store struct {
	Cache   *Cache
	Limiter *Limiter
	Locks   *Locks
	Bus     *Bus
	Roster  *Roster
}

var (
	_ fleet.Cache   = (*Cache)(nil)
	_ fleet.Limiter = (*Limiter)(nil)
	_ fleet.Locks   = (*Locks)(nil)
	_ fleet.Bus     = (*Bus)(nil)
	_ fleet.Roster  = (*Roster)(nil)
)

// New makes a store over a client, which stays the caller's to close. Nothing is
// asked of Redis yet.
func New(client rueidis.Client, o Options) *Store {
	if o.Prefix == "" {
		o.Prefix = "w:"
	}
	if o.Timeout <= 0 {
		o.Timeout = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	c := &conn{client: client, prefix: o.Prefix, clock: o.Clock, timeout: o.Timeout}
	return &Store{
		Cache:   newCache(c),
		Limiter: &Limiter{conn: c, take: rueidis.NewLuaScript(takeScript), giveBack: rueidis.NewLuaScript(returnScript)},
		Locks:   newLocks(c),
		Bus:     &Bus{conn: c, log: o.Logger},
		Roster:  &Roster{conn: c, announce: rueidis.NewLuaScriptRetryable(announceScript)},
	}
}

// conn is what all parts have in common.
type conn struct {
	client  rueidis.Client
	prefix  string
	clock   weir.Clock
	timeout time.Duration
}

// do asks Redis, and waits for the timeout at most.
//
// The context that call gets has no deadline that rueidis could see: when one
// passes, rueidis closes the connection, and what others have under way on it, such
// as appends to the log, fails too. Nor does rueidis look at a context while it
// connects, so a call that was given up goes on by itself until that has failed.
func (c *conn) do(ctx context.Context, call func(context.Context) rueidis.RedisResult) rueidis.RedisResult {
	if err := ctx.Err(); err != nil {
		return rueidis.NewErrorResult(err)
	}
	inner, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	answered := make(chan rueidis.RedisResult, 1)
	go func() { answered <- call(inner) }()
	limit := time.NewTimer(c.timeout)
	defer limit.Stop()
	select {
	case r := <-answered:
		return r
	case <-ctx.Done():
		return rueidis.NewErrorResult(ctx.Err())
	case <-limit.C:
		return rueidis.NewErrorResult(fmt.Errorf("no answer within %v: %w", c.timeout, context.DeadlineExceeded))
	}
}

// send asks Redis with one command.
func (c *conn) send(ctx context.Context, cmd rueidis.Completed) rueidis.RedisResult {
	return c.do(ctx, func(ctx context.Context) rueidis.RedisResult { return c.client.Do(ctx, cmd) })
}

// run runs a script on its one key.
func (c *conn) run(ctx context.Context, script *rueidis.Lua, key string, args ...string) rueidis.RedisResult {
	return c.do(ctx, func(ctx context.Context) rueidis.RedisResult {
		return script.Exec(ctx, c.client, []string{key}, args)
	})
}

// now returns the time for a script: µs since 1970, or 0 for Redis' own.
func (c *conn) now() string {
	if c.clock == nil {
		return "0"
	}
	return decimal(c.clock.Now().UnixMicro())
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
