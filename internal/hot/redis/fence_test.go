package redis_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// owners are two nodes' stores on one Redis, of one shard with ten events. The
// first has claimed it and noted an intent.
type owners struct {
	t      *testing.T
	server *redistest.Server
	a, b   *store
	now    time.Time // of both, and of Redis
	lease  hot.Lease // of a
	intent hot.Intent
}

func newOwners(t *testing.T) *owners {
	o := &owners{t: t, server: redistest.Start(t), now: time.Now()}
	opt := redis.Options{Shards: 1, Clock: func() time.Time { return o.now }}
	o.a, o.b = storeOn(t, o.server.URL(), opt), storeOn(t, o.server.URL(), opt)
	if o.a.ID() != o.b.ID() {
		t.Fatalf("two logs: %s and %s", o.a.ID(), o.b.ID())
	}
	var items []hot.Item
	for i := range 10 {
		items = append(items, item(strconv.Itoa(i), "d"))
	}
	if _, err := o.a.Append(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	o.lease = o.claim(o.a, "a")
	o.intent = hot.Intent{First: 1, Last: 5, Now: o.now.Truncate(time.Microsecond).UTC()}
	if err := o.a.Intend(t.Context(), o.lease, o.intent); err != nil {
		t.Fatal(err)
	}
	return o
}

func (o *owners) claim(s *store, owner string) hot.Lease {
	o.t.Helper()
	l, err := s.Claim(context.Background(), 0, owner, 10*time.Second)
	if err != nil {
		o.t.Fatal(err)
	}
	return l
}

// refuses checks that a store refuses everything under a lease, and that
// nothing has changed by it.
func (o *owners) refuses(s *store, l hot.Lease) {
	o.t.Helper()
	ctx := o.t.Context()
	before := o.server.Do("HGETALL", "{w0}") + o.server.Do("XLEN", "{w0}:log") + o.server.Do("HGETALL", "{w0}:state")
	other := hot.Intent{First: 1, Last: 7, Now: o.intent.Now}
	for what, err := range map[string]error{
		"renew":              s.Renew(ctx, l, time.Hour),
		"the intent again":   s.Intend(ctx, l, o.intent),
		"another intent":     s.Intend(ctx, l, other),
		"commit":             s.Commit(ctx, l, o.intent, []hot.Change{{Key: "k", Value: []byte("v")}}),
		"commit of no event": s.Commit(ctx, l, hot.Intent{First: 1}, []hot.Change{{Key: "k", Value: []byte("v")}}),
	} {
		if !errors.Is(err, hot.ErrFenced) {
			o.t.Errorf("%s under lease %+v: %v, want ErrFenced", what, l, err)
		}
	}
	if err := s.Release(ctx, l); err != nil {
		o.t.Errorf("release: %v", err)
	}
	after := o.server.Do("HGETALL", "{w0}") + o.server.Do("XLEN", "{w0}:log") + o.server.Do("HGETALL", "{w0}:state")
	if d := cmp.Diff(before, after); d != "" {
		o.t.Errorf("what was refused has changed the shard: %s", d)
	}
}

// finishes checks that a store finds the intent under its lease, and may do it.
func (o *owners) finishes(s *store, l hot.Lease) {
	o.t.Helper()
	ctx := o.t.Context()
	p, err := s.Progress(ctx, 0)
	if d := cmp.Diff(hot.Progress{Head: 10, Intent: &o.intent}, p); d != "" || err != nil {
		o.t.Fatal(d, err)
	}
	if err := s.Commit(ctx, l, o.intent, []hot.Change{{Key: "k", Value: []byte("b")}}); err != nil {
		o.t.Fatal(err)
	}
	p, err = s.Progress(ctx, 0)
	if d := cmp.Diff(hot.Progress{Head: 10, Committed: 5}, p); d != "" || err != nil {
		o.t.Fatal(d, err)
	}
	if got := contents(o.t, s); len(got) != 5 {
		o.t.Errorf("the log holds %d events, want 5", len(got))
	}
}

func TestAnOwnerThatSleptThroughItsLeaseIsRefused(t *testing.T) {
	o := newOwners(t)
	if _, err := o.b.Claim(t.Context(), 0, "b", time.Minute); !errors.Is(err, hot.ErrHeld) {
		t.Fatalf("%v, want ErrHeld", err)
	}
	o.now = o.now.Add(11 * time.Second)
	l := o.claim(o.b, "b")
	o.refuses(o.a, o.lease)
	o.finishes(o.b, l)
	o.refuses(o.a, o.lease)
	// And it may come back in its turn.
	o.now = o.now.Add(11 * time.Second)
	o.lease = o.claim(o.a, "a")
	o.refuses(o.b, l)
	if err := o.a.Renew(t.Context(), o.lease, time.Minute); err != nil {
		t.Error(err)
	}
}

// As long as nobody else has claimed the shard, a lease that has run out is
// good: nobody has done anything meanwhile.
func TestAnOwnerThatWokeUpFirstGoesOn(t *testing.T) {
	o := newOwners(t)
	o.now = o.now.Add(time.Hour)
	if err := o.a.Renew(t.Context(), o.lease, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := o.b.Claim(t.Context(), 0, "b", time.Minute); !errors.Is(err, hot.ErrHeld) {
		t.Errorf("%v, want ErrHeld", err)
	}
	o.finishes(o.a, o.lease)
}

// A failover may forget a claim that no replica has heard of. Then the next
// claim gets the epoch that was given already.
func TestOwnerIsRefusedWhenAFailoverLostItsClaim(t *testing.T) {
	o := newOwners(t)
	o.now = o.now.Add(11 * time.Second)
	forgotten := o.claim(o.b, "b")
	o.server.Do("HSET", "{w0}", "epoch", strconv.FormatUint(o.lease.Epoch, 10), "owner", "a", "until", "0")
	l := o.claim(o.a, "a")
	if l.Epoch != forgotten.Epoch {
		t.Fatalf("epochs %d and %d, want the same", l.Epoch, forgotten.Epoch)
	}
	o.refuses(o.b, forgotten)
	o.refuses(o.a, o.lease)
	o.finishes(o.a, l)
}

func TestTwoClaimsAtOnceMakeOneOwner(t *testing.T) {
	server := redistest.Start(t)
	const nodes = 8
	type claim struct {
		s *store
		l hot.Lease
		e error
	}
	claims := make(chan claim, nodes)
	for i := range nodes {
		s := storeOn(t, server.URL(), redis.Options{Shards: 1})
		go func() {
			l, err := s.Claim(context.Background(), 0, strconv.Itoa(i), time.Minute)
			claims <- claim{s, l, err}
		}()
	}
	owners := 0
	for range nodes {
		switch c := <-claims; {
		case c.e == nil:
			owners++
			if err := c.s.Renew(t.Context(), c.l, time.Minute); err != nil {
				t.Error(err)
			}
		case !errors.Is(c.e, hot.ErrHeld):
			t.Error(c.e)
		}
	}
	if owners != 1 {
		t.Errorf("%d owners", owners)
	}
}
