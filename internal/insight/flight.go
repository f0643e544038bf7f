package insight

import (
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	// flightTTL is how long a node that is gone in the middle of finding out holds
	// the others up; one that is not takes its lock again, three times within that.
	flightTTL = 3 * time.Second
	// flightWait is how long an asker waits for other nodes at most, however well
	// they are. A question may take longer, but then two are no great loss.
	flightWait = 10 * time.Second

	// An asker that waits looks this often, less and less.
	flightPoll    = 10 * time.Millisecond
	flightMaxPoll = 200 * time.Millisecond

	releaseWithin = time.Second
)

// askAcross is askAndKeep by one of the nodes that share the answers, for all of
// them. Who waits for another node looks for its answer and tries to take its
// place. Without the locks each asks for itself: to ask twice is no fault.
func (x *asking[T]) askAcross(ctx context.Context) (*T, error) {
	c := &x.e.cache
	if c.locks == nil {
		return x.askAndKeep(ctx)
	}
	name := x.key() + ":" + x.freshness.String()
	owner := c.owner + ":" + strconv.FormatUint(c.flown.Add(1), 10)
	poll := flightPoll
	limit := time.NewTimer(flightWait)
	defer limit.Stop()
	for waited := false; ; waited = true {
		mine, err := c.locks.Acquire(ctx, name, owner, flightTTL)
		if err != nil {
			c.failed(ctx)
			return x.askAndKeep(ctx)
		}
		// An answer is kept before its lock is given up, so it is looked for after
		// the lock was tried: who gets the lock does not miss the answer.
		if waited {
			if a := x.kept(ctx); a != nil {
				if mine {
					x.release(ctx, name, owner)
				}
				c.joined.Add(1)
				return a, nil
			}
		}
		if mine {
			return x.askHolding(ctx, name, owner)
		}
		pause := time.NewTimer(poll)
		select {
		case <-pause.C:
			poll = min(2*poll, flightMaxPoll)
		case <-limit.C:
			pause.Stop()
			return x.askAndKeep(ctx)
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// askHolding is askAndKeep while the lock is held.
func (x *asking[T]) askHolding(ctx context.Context, name, owner string) (*T, error) {
	held, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		again := time.NewTicker(flightTTL / 3)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				if mine, err := x.e.cache.locks.Acquire(held, name, owner, flightTTL); err == nil && !mine {
					return // it was lost: another asks beside this one
				}
			case <-held.Done():
				return
			}
		}
	})
	defer func() {
		stop()
		wg.Wait() // or the lock could be taken again after it is given up
		x.release(ctx, name, owner)
	}()
	return x.askAndKeep(ctx)
}

// release gives the lock up, also for an asker that has left.
func (x *asking[T]) release(ctx context.Context, name, owner string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	if err := x.e.cache.locks.Release(ctx, name, owner); err != nil {
		x.e.cache.failed(ctx) // it goes by itself
	}
}
