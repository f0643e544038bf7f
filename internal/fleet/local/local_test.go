package local_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/fleettest"
	"github.com/weir-analytics/weir/internal/fleet/local"
)

func TestLocal(t *testing.T) {
	fleettest.Run(t, func(_ *testing.T, clock weir.Clock) func() fleettest.Node {
		s := local.New(local.Options{Clock: clock})
		return func() fleettest.Node {
			return fleettest.Node{Cache: s.Cache, Limiter: s.Limiter, Locks: s.Locks, Bus: s.Bus, Roster: s.Roster}
		}
	})
}

// kept says which of the keys 0 to n-1 the cache has.
func kept(t *testing.T, c fleet.Cache, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		_, ok, err := c.Get(t.Context(), fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			fmt.Fprint(&b, i)
		}
	}
	return b.String()
}

func TestCacheEvictsTheLeastRecentlyUsedEntry(t *testing.T) {
	set := func(c fleet.Cache, i, bytes int) {
		if err := c.Set(t.Context(), fmt.Sprint(i), make([]byte, bytes), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("beyond its entries", func(t *testing.T) {
		c := local.New(local.Options{CacheEntries: 3}).Cache
		for i := range 3 {
			set(c, i, 1)
		}
		if _, ok, _ := c.Get(t.Context(), "0"); !ok {
			t.Fatal("0 is gone already")
		}
		set(c, 3, 1)
		if got := kept(t, c, 4); got != "023" {
			t.Fatalf("kept %s, want 023", got)
		}
	})
	t.Run("beyond its bytes", func(t *testing.T) {
		c := local.New(local.Options{CacheBytes: 10_000}).Cache
		for i := range 9 {
			set(c, i, 2000) // with what an entry costs, four have room
		}
		if got := kept(t, c, 9); got != "5678" {
			t.Fatalf("kept %s, want 5678", got)
		}
		for range 100 { // in the same place
			set(c, 8, 2000)
		}
		if got := kept(t, c, 9); got != "5678" {
			t.Fatalf("kept %s after one was replaced, want 5678", got)
		}
		set(c, 8, 5000) // more than one value may have
		if got := kept(t, c, 9); got != "567" {
			t.Fatalf("kept %s, want 567", got)
		}
	})
}

func TestLimiterEvictsTheLeastRecentlyUsedBucket(t *testing.T) {
	x := local.New(local.Options{Buckets: 2}).Limiter
	take := func(key string) bool {
		wait, _, err := x.Take(t.Context(), key, fleet.Limit{Every: time.Hour, Burst: 1}, 1)
		if err != nil {
			t.Fatal(err)
		}
		return wait == 0
	}
	for _, step := range []struct {
		key   string
		taken bool
	}{{"a", true}, {"b", true}, {"a", false}, {"c", true}, {"a", false}, {"b", true}} {
		if got := take(step.key); got != step.taken {
			t.Fatalf("take of %s: %v, want %v", step.key, got, step.taken)
		}
	}
}

func TestManyLocksThatRanOutAreNoBurden(t *testing.T) {
	now := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	x := local.New(local.Options{Clock: func() time.Time { return now }}).Locks
	acquire := func(name, owner string, ttl time.Duration) bool {
		ok, err := x.Acquire(t.Context(), name, owner, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	acquire("held", "a", 1000*time.Hour)
	for i := range 10_000 {
		now = now.Add(time.Second)
		acquire(fmt.Sprint("report ", i), "a", time.Minute)
	}
	if acquire("held", "b", time.Hour) {
		t.Fatal("a lock that had not run out was swept away")
	}
	if n := x.Len(); n > 2000 {
		t.Fatalf("%d locks are remembered, of which some 60 have not run out", n)
	}
}

func TestASlowSubscriberLosesMessagesAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := local.New(local.Options{}).Bus
		ctx, cancel := context.WithCancel(t.Context())
		release, done := make(chan struct{}), make(chan error, 1)
		heard := 0
		go func() {
			done <- b.Subscribe(ctx, []string{"t"}, func(string, []byte) {
				<-release
				heard++
			})
		}()
		synctest.Wait()
		const sent = 1000
		for range sent {
			if err := b.Publish(t.Context(), "t", nil); err != nil {
				t.Fatal(err)
			}
		}
		close(release)
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if heard < 256 || heard == sent {
			t.Fatalf("%d of %d were heard", heard, sent)
		}
	})
}
