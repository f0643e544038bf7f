package main

import (
	"context"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/hot"
)

// Events are taken before all stores are open: while Redis is away with --spill,
// while ClickHouse is away in any case. So what takes them is built first, on parts
// that come later.

// errOpening is the answer of a part that is not there yet.
var errOpening = weir.Errorf(weir.EUNAVAILABLE, "the hot tier is not open yet")

// lateHot is the hot tier once it is open.
type lateHot struct{ store atomic.Pointer[hot.Store] }

func (l *lateHot) set(s hot.Store) { l.store.Store(&s) }

func (l *lateHot) get() (hot.Store, error) {
	if s := l.store.Load(); s != nil {
		return *s, nil
	}
	return nil, errOpening
}

func (l *lateHot) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	s, err := l.get()
	if err != nil {
		return nil, err
	}
	return s.Append(ctx, items)
}

func (l *lateHot) Seen(ctx context.Context, project string, asked []hot.Sighting, now time.Time) ([]hot.Sight, error) {
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
type lateFeed struct{ feed atomic.Pointer[feed] }

func (l *lateFeed) Watched(project string) bool {
	f := l.feed.Load()
	return f != nil && f.Watched(project)
}

func (l *lateFeed) Received(project string, events []*weir.Event) {
	if f := l.feed.Load(); f != nil {
		f.Received(project, events)
	}
}

// lateLimiter is the limiter of all nodes once it can be reached. Until then this
// node holds senders to their rates alone, as it does in an outage.
type lateLimiter struct{ limiter atomic.Pointer[fleet.Limiter] }

func (l *lateLimiter) set(to fleet.Limiter) { l.limiter.Store(&to) }

func (l *lateLimiter) Take(ctx context.Context, key string, of fleet.Limit, n int) (time.Duration, int, error) {
	if p := l.limiter.Load(); p != nil {
		return (*p).Take(ctx, key, of, n)
	}
	return 0, 0, errOpening
}

func (l *lateLimiter) Forget(ctx context.Context, key string) error {
	if p := l.limiter.Load(); p != nil {
		return (*p).Forget(ctx, key)
	}
	return errOpening
}

// lateBrake is the brake once there is one.
type lateBrake struct{ brake atomic.Pointer[drain.Brake] }

func (l *lateBrake) Take(events int) bool {
	b := l.brake.Load()
	return b == nil || b.Take(events)
}
