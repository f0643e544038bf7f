package redis_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestAKilledRedisLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t, "--appendfsync", "always")
	s := storeOn(t, server.URL(), redis.Options{Timeout: 2 * time.Second})
	c := startCrowd(t, s, "w", 4, 0)
	for range 5 {
		c.more(200)
		server.Kill()
		failed := c.failed()
		soon(t, "appends fail", func() bool { return c.failed() > failed })
		server.Restart()
	}
	c.more(200)
	c.end()
	exactlyOnce(t, s, nil, c)
}

func TestAnEmptiedRedisIsNotTakenForTheLog(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{})
	before := []hot.Item{item("1", "a"), item("2", "b"), item("3", "c"), item("4", "d"), item("5", "e")}
	if _, err := s.Append(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	lease, err := s.Claim(t.Context(), 0, "me", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Intend(t.Context(), lease, hot.Intent{First: 1}); err != nil {
		t.Fatal(err)
	}
	server.Do("FLUSHALL")

	lost := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "Redis has lost data of the hot tier") {
			t.Errorf("%s: %v, want it to say that data is lost", what, err)
		}
	}
	for range 2 { // and again, on the connection that has seen it
		_, err := s.Append(t.Context(), []hot.Item{item("6", "a")})
		lost("append", err)
		_, err = s.Append(t.Context(), before)
		lost("append of what was there", err)
		_, err = s.Head(t.Context(), 0)
		lost("head", err)
		_, err = s.Progress(t.Context(), 0)
		lost("progress", err)
		_, err = s.Read(t.Context(), 0, 0, hot.Limit{})
		lost("read", err)
		_, err = s.States(t.Context(), 0, []string{"k"})
		lost("states", err)
		_, _, err = s.ScanState(t.Context(), 0, "", 10)
		lost("scan of the state", err)
		_, err = s.Claim(t.Context(), 0, "me", time.Hour)
		lost("claim", err)
		lost("renew", s.Renew(t.Context(), lease, time.Hour))
		lost("release", s.Release(t.Context(), lease))
		lost("intend", s.Intend(t.Context(), lease, hot.Intent{First: 1}))
		lost("commit", s.Commit(t.Context(), lease, hot.Intent{First: 1}, []hot.Change{{Key: "k", Value: []byte("v")}}))
		lost("sweep", s.Sweep())
	}
	if keys := server.Do("KEYS", "*"); keys != "" {
		t.Errorf("into the empty Redis was written: %q", keys)
	}

	next := storeOn(t, server.URL(), redis.Options{})
	if next.ID() == s.ID() || next.ID() == "" {
		t.Errorf("the new log has the id %q, the lost one had %q", next.ID(), s.ID())
	}
	if known, err := next.Append(t.Context(), before); err != nil || len(known) != 0 {
		t.Errorf("%v, %v: a new log knows nothing", known, err)
	}
	// The old store does not write into the new log.
	_, err = s.Append(t.Context(), []hot.Item{item("7", "a")})
	lost("append beside the new log", err)
	_, err = s.Claim(t.Context(), 0, "me", time.Hour)
	lost("claim beside the new log", err)
	if got := contents(t, next); len(got) != len(before) || got["7"] != 0 {
		t.Errorf("the new log holds %v", got)
	}
}

func TestAClusterThatLostANodesDataIsRefused(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	// Enough shards that each node has some.
	s := storeOn(t, cluster.URL(), redis.Options{Shards: 16})
	if err := s.Store.Close(); err != nil {
		t.Fatal(err)
	}
	owners := map[*redistest.Server]int{}
	for shard := range 16 {
		owners[cluster.Owner(cluster.Slot(fmt.Sprintf("{w%d}", shard)))]++
	}
	log := cluster.Owner(cluster.Slot("w:log"))
	for _, node := range cluster.Nodes {
		if owners[node] == 0 {
			t.Fatalf("%s has no shard: %v", node.Addr, owners)
		}
		if node == log {
			continue
		}
		node.Do("FLUSHALL")
		for range 2 {
			_, err := openStore(cluster.URL(), redis.Options{})
			if err == nil || !strings.Contains(err.Error(), "Redis has lost data of the hot tier") || !strings.Contains(err.Error(), "under another prefix") {
				t.Fatalf("opened, though %s has lost %d of 16 shards: %v", node.Addr, owners[node], err)
			}
		}
	}
	// Only what the log is was lost, and the shards are there.
	log.Do("DEL", "w:log")
	if _, err := openStore(cluster.URL(), redis.Options{}); err == nil || !strings.Contains(err.Error(), "Redis has lost data of the hot tier") {
		t.Fatalf("opened: %v", err)
	}
	if s, err := openStore(cluster.URL()+"?prefix=new", redis.Options{}); err != nil {
		t.Errorf("another prefix: %v", err)
	} else {
		s.Close()
	}
}

func TestAFullRedisTakesCommitsWhichMakeRoom(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 2})
	c := startCrowd(t, s, "w", 4, 0)
	c.more(3000)
	server.Do("CONFIG", "SET", "maxmemory", "1")
	soon(t, "appends are refused", func() bool { return c.failed() > 8 })
	drained := map[string]int{}
	for shard := range s.Shards() {
		to := delivery{}
		drainOnce(t, s, shard, "me", to)
		drained = sum(drained, to.events())
	}
	_, err := s.Append(t.Context(), []hot.Item{item("full", "d")})
	if !errors.Is(err, hot.ErrFull) || !strings.Contains(err.Error(), "reached its maxmemory") {
		t.Fatalf("append: %v, want ErrFull", err)
	}
	// What the drain has freed is room. Redis sees it when the limit is above
	// what is in use now.
	info := server.Do("INFO", "memory")
	_, after, _ := strings.Cut(info, "used_memory:")
	used, _, _ := strings.Cut(after, "\r")
	server.Do("CONFIG", "SET", "maxmemory", used+"0")
	c.more(500)
	c.end()
	for _, err := range c.errs {
		if !errors.Is(err, hot.ErrFull) {
			t.Errorf("%v, want ErrFull", err)
		}
	}
	exactlyOnce(t, s, drained, c)
}

func TestScriptsAreLoadedAgainAfterRedisLostThem(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{})
	c := startCrowd(t, s, "w", 4, 0)
	drained := delivery{}
	for range 20 {
		c.more(50)
		server.Do("SCRIPT", "FLUSH")
		drainOnce(t, s, 0, "me", drained)
	}
	c.end()
	if n := c.failed(); n > 0 {
		t.Errorf("%d appends failed: %v", n, c.said())
	}
	exactlyOnce(t, s, drained.events(), c)
}

func TestARedisThatHangsFailsAppendsInTimeAndDoublesNothing(t *testing.T) {
	t.Parallel()
	const timeout = time.Second
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Timeout: timeout})
	c := startCrowd(t, s, "w", 4, 0)
	for range 2 {
		c.more(200)
		server.Pause()
		failed := c.failed()
		soon(t, "appends fail", func() bool { return c.failed() >= failed+6 })
		if _, err := s.Head(t.Context(), 0); err == nil {
			t.Error("a hanging Redis answers")
		}
		server.Resume()
	}
	c.more(200)
	c.end()
	t.Logf("an append took %v at most, with a timeout of %v", c.slowest, timeout)
	for _, e := range c.said() {
		if !strings.Contains(e, "does not answer in time") {
			t.Errorf("%s: does not say what is wrong", e)
		}
	}
	exactlyOnce(t, s, nil, c)
}
