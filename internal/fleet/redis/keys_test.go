package redis_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// useAll leaves something of each kind in Redis.
func useAll(t *testing.T, s *redis.Store) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Cache.Set(t.Context(), "k", []byte("v"), time.Minute))
	wait, _, err := s.Limiter.Take(t.Context(), "k", fleet.Limit{Every: 10 * time.Second, Burst: 6}, 3)
	if wait != 0 {
		t.Fatalf("wait %v", wait)
	}
	must(err)
	_, err = s.Locks.Acquire(t.Context(), "l", "o", time.Minute)
	must(err)
	_, err = s.Roster.Announce(t.Context(), "g", "a", time.Minute)
	must(err)
	_, err = s.Roster.Announce(t.Context(), "g", "b", time.Second)
	must(err)
	must(s.Bus.Publish(t.Context(), "t", []byte("m")))
}

func TestEveryKeyHasThePrefixAndExpires(t *testing.T) {
	for _, prefix := range []string{"", "mine:"} {
		server := redistest.Start(t)
		useAll(t, redis.New(client(t, server.Addr), redis.Options{Prefix: prefix}))
		keys := strings.Split(server.Do("KEYS", "*"), "\n")
		if len(keys) != 4 {
			t.Fatalf("keys = %q, want four", keys)
		}
		if prefix == "" {
			prefix = "w:"
		}
		var kinds []string
		for _, key := range keys {
			rest, ok := strings.CutPrefix(key, prefix)
			if !ok {
				t.Errorf("key %q has not the prefix %q", key, prefix)
			}
			kind, _, _ := strings.Cut(rest, ":")
			kinds = append(kinds, kind)
			ms, err := strconv.Atoi(server.Do("PTTL", key))
			if err != nil {
				t.Fatal(err)
			}
			longest := 60_000
			if kind == "limit" {
				longest = 30_000 // then it is full
			}
			if ms <= longest-20_000 || ms > longest {
				t.Errorf("key %q expires in %d ms, want some %d", key, ms, longest)
			}
		}
		slices.Sort(kinds)
		if got := strings.Join(kinds, " "); got != "cache limit lock roster" {
			t.Errorf("kinds = %s", got)
		}
	}
}

func TestARosterWithoutAnnouncementsIsNoKey(t *testing.T) {
	server := redistest.Start(t)
	s := redis.New(client(t, server.Addr), redis.Options{})
	if _, err := s.Roster.Announce(t.Context(), "g", "a", time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := s.Roster.Leave(t.Context(), "g", "a"); err != nil {
		t.Fatal(err)
	}
	if n := server.Do("DBSIZE"); n != "0" {
		t.Fatalf("%s keys", n)
	}
}

func TestScriptsThatRedisForgotAreSentAgain(t *testing.T) {
	server := redistest.Start(t)
	s := redis.New(client(t, server.Addr), redis.Options{})
	for range 2 {
		useAll(t, s)
		server.Do("SCRIPT", "FLUSH")
	}
	if err := s.Locks.Release(t.Context(), "l", "o"); err != nil {
		t.Fatal(err)
	}
}

func TestFullRedisStillReleasesLocksAndLimits(t *testing.T) {
	server := redistest.Start(t)
	s := redis.New(client(t, server.Addr), redis.Options{})
	useAll(t, s)
	server.Do("CONFIG", "SET", "maxmemory", "1")
	if _, err := s.Locks.Acquire(t.Context(), "m", "o", time.Minute); err == nil {
		t.Fatal("there was room for a lock")
	}
	for name, err := range map[string]error{
		"unlock": s.Locks.Release(t.Context(), "l", "o"),
		"forget": s.Limiter.Forget(t.Context(), "k"),
		"leave":  s.Roster.Leave(t.Context(), "g", "a"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := server.Do("EXISTS", "w:lock:l"); n != "0" {
		t.Error("the lock is still there")
	}
}
