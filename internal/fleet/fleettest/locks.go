package fleettest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
)

func (s suite) testLocks(t *testing.T) {
	t.Run("a lock has one owner, until that one gives it up", func(t *testing.T) {
		a, b := s.two(t, nil)
		wantLock(t, a.Locks, "l", "a", long, true)
		wantLock(t, b.Locks, "l", "b", long, false)
		wantLock(t, a.Locks, "l", "a", long, true) // it is its own
		wantLock(t, b.Locks, "other", "b", long, true)
		unlock(t, a.Locks, "l", "a")
		wantLock(t, b.Locks, "l", "b", long, true)
		wantLock(t, a.Locks, "l", "a", long, false)
	})
	t.Run("nobody gives up another's lock", func(t *testing.T) {
		a, b := s.two(t, nil)
		wantLock(t, a.Locks, "l", "a", long, true)
		unlock(t, b.Locks, "l", "b")
		unlock(t, b.Locks, "l", "")
		unlock(t, b.Locks, "never taken", "b")
		wantLock(t, b.Locks, "l", "b", long, false)
	})
	t.Run("a lock goes when its time is over", func(t *testing.T) {
		a, b := s.two(t, nil)
		wantLock(t, a.Locks, "l", "a", short, true)
		eventually(t, "another gets the lock", func() bool { return lock(t, b.Locks, "l", "b", long) })
		wantLock(t, a.Locks, "l", "a", long, false)
		unlock(t, a.Locks, "l", "a") // too late: it is another's
		wantLock(t, a.Locks, "l", "a", long, false)
	})
	t.Run("who takes its own lock again has it for the new time", func(t *testing.T) {
		a, b := s.two(t, nil)
		wantLock(t, a.Locks, "l", "a", long, true)
		wantLock(t, a.Locks, "l", "a", short, true)
		eventually(t, "another gets the lock", func() bool { return lock(t, b.Locks, "l", "b", long) })

		wantLock(t, a.Locks, "m", "a", short, true)
		wantLock(t, a.Locks, "m", "a", long, true)
		wantLock(t, a.Locks, "passing", "a", short, true)
		eventually(t, "a while has passed", func() bool { return lock(t, b.Locks, "passing", "b", long) })
		wantLock(t, b.Locks, "m", "b", long, false)
	})
	t.Run("of many who race for a lock one gets it", func(t *testing.T) {
		a, b := s.two(t, nil)
		var won atomic.Int64
		together(20, func(i int) {
			ok, err := []Node{a, b}[i%2].Locks.Acquire(t.Context(), "l", fmt.Sprint("owner ", i), long)
			if err != nil {
				t.Error(err)
			}
			if ok {
				won.Add(1)
			}
		})
		if won.Load() != 1 {
			t.Fatalf("%d of 20 got the lock", won.Load())
		}
	})
	t.Run("nobody gets a lock for no time", func(t *testing.T) {
		a, _ := s.two(t, nil)
		for _, ttl := range []time.Duration{-long, 0, time.Microsecond} {
			if ok, err := a.Locks.Acquire(t.Context(), "l", "a", ttl); ok || err == nil {
				t.Errorf("ttl %v: %v, %v", ttl, ok, err)
			}
		}
		wantLock(t, a.Locks, "l", "b", long, true)
	})
}

func lock(t *testing.T, x fleet.Locks, name, owner string, ttl time.Duration) bool {
	t.Helper()
	ok, err := x.Acquire(t.Context(), name, owner, ttl)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}

func wantLock(t *testing.T, x fleet.Locks, name, owner string, ttl time.Duration, want bool) {
	t.Helper()
	if got := lock(t, x, name, owner, ttl); got != want {
		t.Fatalf("%s gets lock %s: %v, want %v", owner, name, got, want)
	}
}

func unlock(t *testing.T, x fleet.Locks, name, owner string) {
	t.Helper()
	if err := x.Release(t.Context(), name, owner); err != nil {
		t.Fatal(err)
	}
}
