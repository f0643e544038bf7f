package main

import (
	"context"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/backend"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/live"
)

// Events are accepted before all stores are open: while ClickHouse is unavailable, and with
// --spill also while Redis is. So the parts that accept them are built first, and use the
// stores through the types below.

// late is a part that is set once it is open.
type late[T any] struct{ part atomic.Pointer[T] }

func (l *late[T]) set(part T) { l.part.Store(&part) }

// get returns the part, or errOpening until it is set.
func (l *late[T]) get() (part T, err error) {
	if p := l.part.Load(); p != nil {
		return *p, nil
	}
	return part, errOpening
}

var errOpening = weir.Errorf(weir.EUNAVAILABLE, "a store is not open yet")

// lateHot is the hot tier, once it is open.
type lateHot struct{ late[hot.Store] }

func (l *lateHot) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.Append(ctx, items)
}

func (l *lateHot) Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.Seen(ctx, project, asked, now)
}

func (l *lateHot) Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.Series(ctx, project, g, d, member, from, to)
}

// probe says whether the hot tier answers.
func (l *lateHot) probe(ctx context.Context) error {
	s, err := l.get()
	if err != nil {
		return err
	}
	_, err = s.Head(ctx, 0)
	return err
}

// lateFeed is the feed once there is one.
type lateFeed struct{ late[*live.Feed] }

func (l *lateFeed) Watched(project string) bool {
	f, err := l.get()
	return err == nil && f.Watched(project)
}

func (l *lateFeed) Received(project string, events []*weir.Event) {
	if f, err := l.get(); err == nil {
		f.Received(project, events)
	}
}

// lateLimiter is the limiter that all nodes share, once it is reached. Until then this node
// limits rates alone, as in an outage.
type lateLimiter struct{ late[fleet.Limiter] }

func (l *lateLimiter) Take(ctx context.Context, key string, of fleet.Limit, n int) (time.Duration, int, error) {
	f, err := l.get()
	if err != nil {
		return 0, 0, err
	}
	return f.Take(ctx, key, of, n)
}

func (l *lateLimiter) Return(ctx context.Context, key string, of fleet.Limit, n int) error {
	f, err := l.get()
	if err != nil {
		return err
	}
	return f.Return(ctx, key, of, n)
}

func (l *lateLimiter) Forget(ctx context.Context, key string) error {
	f, err := l.get()
	if err != nil {
		return err
	}
	return f.Forget(ctx, key)
}

// lateBrake is the brake once there is one.
type lateBrake struct{ late[*drain.Brake] }

func (l *lateBrake) Allow(events int) bool {
	b, err := l.get()
	return err != nil || b.Allow(events)
}

// lateCache is the Redis of --cache with its locks, once it is reached. Until then every
// answer is computed, as in an outage.
type lateCache struct{ late[*backend.CacheTier] }

func (l *lateCache) Get(ctx context.Context, key string) ([]byte, bool, error) {
	f, err := l.get()
	if err != nil {
		return nil, false, err
	}
	return f.Cache.Get(ctx, key)
}

func (l *lateCache) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	f, err := l.get()
	if err != nil {
		return err
	}
	return f.Cache.Set(ctx, key, value, ttl)
}

func (l *lateCache) Acquire(ctx context.Context, name, owner string, ttl time.Duration) (bool, error) {
	f, err := l.get()
	if err != nil {
		return false, err
	}
	return f.Locks.Acquire(ctx, name, owner, ttl)
}

func (l *lateCache) Release(ctx context.Context, name, owner string) error {
	f, err := l.get()
	if err != nil {
		return err
	}
	return f.Locks.Release(ctx, name, owner)
}
