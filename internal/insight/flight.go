package insight

import (
	"context"
	"strconv"
	"sync"
	"time"
)

const (
	// flightTTL is the lease time of the lock. If the node that computes dies, the
	// others wait this long. A living node renews the lock three times in it.
	flightTTL = 3 * time.Second
	// flightWait is the longest that an asker waits for another node. A question may
	// take longer, but then computing it twice does no harm.
	flightWait = 10 * time.Second

	// A waiting asker looks for the answer every flightPoll at first, then less often.
	flightPoll    = 10 * time.Millisecond
	flightMaxPoll = 200 * time.Millisecond

	releaseWithin = time.Second
)

// computeOnceAcrossNodes calls compute on one of the nodes that share the cache. The
// others look for its answer, and try to get the lock in case it is gone. Without locks
// each node computes for itself: computing twice is not an error.
func (x *request) computeOnceAcrossNodes(ctx context.Context) (Answer, error) {
	c := &x.e.cache
	if c.locks == nil {
		return x.compute(ctx)
	}
	name := x.key() + ":" + x.freshness.String()
	owner := c.owner + ":" + strconv.FormatUint(c.requests.Add(1), 10)
	poll := flightPoll
	limit := time.NewTimer(flightWait)
	defer limit.Stop()
	for waited := false; ; waited = true {
		mine, err := c.locks.Acquire(ctx, name, owner, flightTTL)
		if err != nil {
			c.failed(ctx)
			return x.compute(ctx)
		}
		// The other node caches the answer before it releases the lock. So the lookup
		// must come after Acquire: a node that gets the lock does not miss the answer.
		if waited {
			if a := x.lookup(ctx); a != nil {
				if mine {
					x.release(ctx, name, owner)
				}
				c.joined.Add(1)
				return a, nil
			}
		}
		if mine {
			return x.computeLocked(ctx, name, owner)
		}
		pause := time.NewTimer(poll)
		select {
		case <-pause.C:
			poll = min(2*poll, flightMaxPoll)
		case <-limit.C:
			pause.Stop()
			return x.compute(ctx)
		case <-ctx.Done():
			pause.Stop()
			return nil, ctx.Err()
		}
	}
}

// computeLocked calls compute and renews the lock meanwhile.
func (x *request) computeLocked(ctx context.Context, name, owner string) (Answer, error) {
	held, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		again := time.NewTicker(flightTTL / 3)
		defer again.Stop()
		for {
			select {
			case <-again.C:
				if mine, err := x.e.cache.locks.Acquire(held, name, owner, flightTTL); err == nil && !mine {
					return // the lock is lost: another node computes too
				}
			case <-held.Done():
				return
			}
		}
	})
	defer func() {
		stop()
		wg.Wait() // otherwise the lock could be renewed after its release
		x.release(ctx, name, owner)
	}()
	return x.compute(ctx)
}

// release releases the lock, even if the asker is gone.
func (x *request) release(ctx context.Context, name, owner string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
	defer cancel()
	if err := x.e.cache.locks.Release(ctx, name, owner); err != nil {
		x.e.cache.failed(ctx) // the lock expires by itself
	}
}
