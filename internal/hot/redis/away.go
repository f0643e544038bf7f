package redis

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
)

// probeEvery is the pause between two probes of a Redis that is away.
const probeEvery = 250 * time.Millisecond

// awayState says whether Redis is known to be away. A read of an unavailable Redis takes
// as long as the client's retries, up to Options.Timeout. So only the reads that find the
// outage wait; those after them fail at once, until a probe of all shards succeeds.
type awayState struct {
	cause atomic.Pointer[error] // nil while Redis answers
	found chan struct{}         // wakes watchAway
}

func newAwayState() awayState { return awayState{found: make(chan struct{}, 1)} }

// askAll returns ask for commands that need every shard. While Redis is known to be away it
// sends nothing and returns the error of the read that found the outage.
func (s *Store) askAll(ctx context.Context, cmds []rueidis.Completed) []rueidis.RedisResult {
	if cause := s.away.cause.Load(); cause != nil {
		failed := make([]rueidis.RedisResult, len(cmds))
		for i := range failed {
			failed[i] = rueidis.NewErrorResult(*cause)
		}
		return failed
	}
	answers := s.ask(ctx, cmds)
	if err := firstAway(answers); err != nil && !gaveUp(ctx) {
		s.away.cause.Store(&err)
		select {
		case s.away.found <- struct{}{}:
		default:
		}
	}
	return answers
}

// gaveUp says whether the caller's time is over, which says nothing about Redis. The
// client may return before the context's own timer has run.
func gaveUp(ctx context.Context) bool {
	end, has := ctx.Deadline()
	return ctx.Err() != nil || has && !time.Now().Before(end)
}

func firstAway(answers []rueidis.RedisResult) error {
	for _, r := range answers {
		if err := r.Error(); redisconn.Away(err) {
			return err
		}
	}
	return nil
}

// watchAway probes a Redis that is away until it answers, again and again until the store
// closes.
func (s *Store) watchAway() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	t := time.NewTicker(probeEvery)
	defer t.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.away.found:
		}
		for s.away.cause.Load() != nil {
			select {
			case <-s.stop:
				return
			case <-t.C:
			}
			if s.probe(ctx) == nil {
				s.away.cause.Store(nil)
			}
		}
	}
}

// probe asks each shard whether it is there.
func (s *Store) probe(ctx context.Context) error {
	cmds := make([]rueidis.Completed, s.opt.Shards)
	for shard := range cmds {
		cmds[shard] = s.client.B().Exists().Key(s.keys.shards[shard]).Build()
	}
	for _, r := range s.ask(ctx, cmds) {
		if err := r.Error(); err != nil {
			return err
		}
	}
	return nil
}
