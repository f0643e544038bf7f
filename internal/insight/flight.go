package insight

import (
	"context"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
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
	poll := flightPoll
	limit := time.NewTimer(flightWait)
	defer limit.Stop()
	for waited := false; ; waited = true {
		release, mine, err := fleet.Hold(ctx, c.locks, name, flightTTL)
		if err != nil {
			c.failed(ctx)
			return x.compute(ctx)
		}
		if mine {
			defer release() // once: with the lock, this round is the last
		}
		// The other node caches the answer before it releases the lock. So the lookup
		// must come after Hold: a node that gets the lock does not miss the answer.
		if waited {
			if a := x.lookup(ctx); a != nil {
				c.joined.Add(1)
				return a, nil
			}
		}
		if mine {
			return x.compute(ctx)
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
