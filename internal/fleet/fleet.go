// Package fleet is what the nodes of one Weir share besides the events: cached answers,
// limits, locks, messages, and the list of nodes. Each has a small interface
// of its own, so that each may have another backend. Package fleettest tests a backend
// against all of them.
//
// All methods are safe for concurrent use. A context that ends may end a call with
// its error; whether the call took effect is then unknown. Keys, names and topics
// are any strings, and the kinds do not share them: a lock and a cached value may
// have the same name.
package fleet

import (
	"context"
	"fmt"
	"time"
)

// Cache stores values for a limited time. It may drop any of them earlier. Callers treat an
// error as a miss, so that no question fails because of the cache. The caller counts hits
// and misses.
type Cache interface {
	// Get returns the value that was set last, and whether there is one. The value
	// is shared: nobody changes it.
	Get(ctx context.Context, key string) (value []byte, ok bool, err error)
	// Set keeps a value for ttl, which is 1 ms or more. The caller does not change
	// the value afterwards. A value that has no room is dropped without an error.
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
}

// Limiter holds token buckets, one per key. A bucket that is not stored is full, so a bucket
// that is lost lets through more, never less.
type Limiter interface {
	// Take takes n tokens, or none. With wait 0 they are taken, and remaining is the number
	// left. Otherwise none is taken, remaining is the number in the bucket, and wait is the
	// time after which n will be there if no other caller takes any. n is 1 to
	// l.Burst + l.Debt; what Limit.Check refuses is an error. A key has one limit; if it
	// changes, what was taken counts on, in time, as far as the new bucket goes.
	Take(ctx context.Context, key string, l Limit, n int) (wait time.Duration, remaining int, err error)
	// Return gives back n tokens that were taken: the bucket holds no more than Burst. n and l are as in Take.
	Return(ctx context.Context, key string, l Limit, n int) error
	// Forget makes the bucket full.
	Forget(ctx context.Context, key string) error
}

// Limit is a token bucket: it holds at most Burst tokens and gets one more each
// Every, which counts in whole microseconds.
//
// With Debt, a full bucket gives up to that many tokens more than it holds, and then none until
// the debt is filled up. So a large request passes, and the average rate stays the same.
type Limit struct {
	Every time.Duration
	Burst int
	Debt  int
}

// MaxFill is the longest time that a bucket may take to fill, its debt included. So each backend
// can store its times exactly.
const MaxFill = 366 * 24 * time.Hour

// Check returns why n tokens can never be taken under the limit, even from a full bucket.
func (l Limit) Check(n int) error {
	switch {
	case l.Every < time.Microsecond || l.Burst < 1 || l.Debt < 0:
		return fmt.Errorf("a limit of %d with one more each %v: neither may be nothing", l.Burst, l.Every)
	case time.Duration(l.Burst) > MaxFill/l.Every || time.Duration(l.Debt) > MaxFill/l.Every-time.Duration(l.Burst):
		return fmt.Errorf("a limit of %d and %d more, with one more each %v, takes over a year to fill", l.Burst, l.Debt, l.Every)
	case n < 1 || n > l.Burst+l.Debt:
		return fmt.Errorf("%d tokens of a bucket for %d and %d more", n, l.Burst, l.Debt)
	}
	return nil
}

// Locks let one owner at a time do what must be done once, however many nodes there
// are. A lock alone does not fence: an owner that was held up for longer than ttl
// may go on beside its successor, and a store that fails over may lose a lock. So
// the work is idempotent, or its doing is recorded where its result is.
type Locks interface {
	// Acquire makes owner the lock's owner for ttl, which is 1 ms or more, unless
	// another is. Who owns it already owns it for ttl from now.
	Acquire(ctx context.Context, name, owner string, ttl time.Duration) (ok bool, err error)
	// Release gives up the lock if owner owns it, and does nothing if not.
	Release(ctx context.Context, name, owner string) error
}

// Bus carries messages between the nodes, at most once: a subscriber that is disconnected or
// too slow when a message is published misses it. So a message says that there is news, and
// a reader that must not miss the news also polls for it.
type Bus interface {
	// Publish sends a message to all who subscribe to the topic, those of the
	// sender's own process among them. The caller does not change the message
	// afterwards.
	Publish(ctx context.Context, topic string, message []byte) error
	// Subscribe calls fn with each message of the topics (at least one) until ctx is done, and returns ctx's error. It connects again by itself
	// when the connection is lost. Messages come in no certain order. fn is called
	// by one goroutine, must not block, and does not change the message, which it
	// may keep.
	Subscribe(ctx context.Context, topics []string, fn func(topic string, message []byte)) error
}

// Roster lists the members of a group that are alive, such as the nodes that share the shards.
type Roster interface {
	// Announce says that name is alive for ttl from now, 1 ms or more, and returns
	// all names of the group that are, sorted, name among them.
	Announce(ctx context.Context, group, name string, ttl time.Duration) (names []string, err error)
	// Leave takes name off the group.
	Leave(ctx context.Context, group, name string) error
}

// CheckTTL says why something cannot be kept for ttl.
func CheckTTL(ttl time.Duration) error {
	if ttl < time.Millisecond {
		return fmt.Errorf("a time to live of %v is below 1 ms", ttl)
	}
	return nil
}
