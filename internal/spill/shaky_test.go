package spill_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
)

var errAway = errors.New("connection refused")

// fault is what is wrong with the shared hot tier.
type fault string

const (
	none    fault = ""
	refuses fault = "refuses"      // answers with an error
	full    fault = "is full"      // has no room
	hangs   fault = "hangs"        // answers nothing
	forgets fault = "loses answer" // applies, and the answer is lost
	half    fault = "half applies" // applies what goes to every other shard, then an error
	slow    fault = "is slow"      // applies after a while
	late    fault = "applies late" // answers nothing, and applies what it was sent at some time after
)

// shaky is the shared hot tier: a real store with faults on demand.
type shaky struct {
	hot.Store
	mu    sync.Mutex
	next  func() fault
	tried chan struct{} // a token, when an append or look-up was tried
	later sync.WaitGroup
}

// now sets what is wrong from now on.
func (s *shaky) now(f fault) { s.each(func() fault { return f }) }

func (s *shaky) each(next func() fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = next
}

func (s *shaky) fault() fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.tried <- struct{}{}:
	default:
	}
	return s.next()
}

func (s *shaky) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	switch s.fault() {
	case refuses:
		return nil, errAway
	case full:
		return nil, fmt.Errorf("out of memory: %w", hot.ErrFull)
	case hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case slow:
		select {
		case <-time.After(3 * time.Millisecond):
		case <-ctx.Done():
		}
		return s.Store.Append(ctx, items)
	case forgets:
		_, err := s.Store.Append(context.WithoutCancel(ctx), items)
		return nil, errors.Join(errAway, err)
	case half:
		var some []hot.Item
		for _, it := range items {
			if hot.ShardOf(it.Event, s.Shards())%2 == 0 {
				some = append(some, it)
			}
		}
		_, err := s.Store.Append(context.WithoutCancel(ctx), some)
		return nil, errors.Join(errAway, err)
	case late:
		copied := make([]hot.Item, len(items))
		for i, it := range items {
			e := *it.Event
			copied[i] = hot.Item{Event: &e, Location: it.Location}
		}
		<-ctx.Done()
		s.later.Go(func() { _, _ = s.Store.Append(context.Background(), copied) })
		return nil, ctx.Err()
	default:
		return s.Store.Append(ctx, items)
	}
}

func (s *shaky) Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error) {
	switch s.fault() {
	case none, full, half, forgets, slow:
		return s.Store.Seen(ctx, project, asked, now)
	case refuses:
		return nil, errAway
	default:
		<-ctx.Done()
		return nil, ctx.Err()
	}
}
