package redis_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestAFailoverLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	g := redistest.StartSentinel(t)
	s := storeOn(t, g.URL(), redis.Options{AckReplica: true, Timeout: 2 * time.Second})
	c := startCrowd(t, s, "w", 4, time.Millisecond)
	d := startDrains(t, s, "me")
	for range 3 {
		c.more(300)
		d.more(t, 1)
		failed := c.failed()
		old := g.KillMaster()
		g.WaitFailover(old)
		c.more(100)
		if c.failed() == failed {
			t.Error("no append failed: the master was not killed under one")
		}
		old.Restart()
		g.WaitOK() // it follows, and has thrown away what it had alone
		c.more(100)
	}
	d.more(t, 2)
	c.end()
	exactlyOnce(t, s, d.end(), c)
	t.Logf("nothing was taken for %v at most", c.gap)
	for _, e := range c.said() {
		if !strings.Contains(e, "Redis") && !strings.Contains(e, "replica") {
			t.Errorf("%s: does not say what is wrong", e)
		}
	}
}

// An operator has the sentinels move the master, while all are well: the old one
// goes on taking writes until it is told.
func TestAFailoverOnPurposeLosesNothingThatWasAcknowledged(t *testing.T) {
	t.Parallel()
	g := redistest.StartSentinel(t)
	s := storeOn(t, g.URL(), redis.Options{AckReplica: true, Timeout: 2 * time.Second})
	c := startCrowd(t, s, "w", 4, time.Millisecond)
	d := startDrains(t, s, "me")
	for range 3 {
		c.more(300)
		d.more(t, 1)
		g.Failover()
		g.WaitOK()
		c.more(100)
	}
	d.more(t, 2)
	c.end()
	exactlyOnce(t, s, d.end(), c)
}

// Two sentinels decide that a master which hangs is down. When it goes on, it
// takes itself for the master until it is told.
func TestAMasterThatHangsAndComesBackDoublesNothing(t *testing.T) {
	t.Parallel()
	g := redistest.StartSentinel(t)
	s := storeOn(t, g.URL(), redis.Options{AckReplica: true, Timeout: 2 * time.Second})
	c := startCrowd(t, s, "w", 4, time.Millisecond)
	c.more(300)
	old := g.Master()
	old.Pause()
	g.WaitFailover(old)
	old.Resume()
	g.WaitOK()
	c.more(300)
	c.end()
	exactlyOnce(t, s, nil, c)
}

func TestWithoutAReplicaNothingIsAcknowledged(t *testing.T) {
	t.Parallel()
	g := redistest.StartSentinel(t)
	s := storeOn(t, g.URL(), redis.Options{AckReplica: true, Timeout: time.Second, Shards: 1})
	first := []hot.Item{item("1", "d"), item("2", "d")}
	confirmed := func(items []hot.Item) {
		t.Helper()
		// A busy machine's replicas may take longer than the timeout.
		soon(t, "the replicas confirm", func() bool {
			_, err := s.Append(t.Context(), items)
			return err == nil
		})
	}
	confirmed(first)
	drainOnce(t, s, 0, "me", delivery{})
	confirmed([]hot.Item{item("3", "d")})
	l, err := s.Claim(t.Context(), 0, "me", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	replicas := g.Replicas()
	for _, r := range replicas {
		r.Pause()
	}
	refused := func(what string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), "replicas have confirmed") {
			t.Errorf("%s: %v, want it to say that the replicas do not have it", what, err)
		}
	}
	second := []hot.Item{item("4", "d"), item("5", "d")}
	_, err = s.Append(t.Context(), second)
	refused("append", err)
	// The master has applied it: what is a duplicate now is as little confirmed
	// as it was when it was new.
	for range 2 {
		_, err = s.Append(t.Context(), second)
		refused("the same again", err)
		_, err = s.Append(t.Context(), second[:1])
		refused("a part of it", err)
	}
	_, err = s.Append(t.Context(), first)
	refused("what is known for long", err)
	in := hot.Intent{First: 3, Last: 3, Now: time.Now().Truncate(time.Microsecond).UTC()}
	refused("intent", s.Intend(t.Context(), l, in))
	refused("commit", s.Commit(t.Context(), l, in, nil))

	replicas[1].Resume()
	soon(t, "the replica has the events", func() bool {
		known, err := s.Append(t.Context(), second)
		if err == nil && !slices.Equal(known, []int{0, 1}) {
			t.Fatalf("%v are duplicates, want all", known)
		}
		return err == nil
	})
	if _, err := s.Append(t.Context(), []hot.Item{item("6", "d")}); err != nil {
		t.Fatal(err)
	}
	replicas[0].Resume()

	// What a replica has confirmed is there when the master is not any more.
	g.WaitOK()
	g.WaitFailover(g.KillMaster())
	soon(t, "the new master answers", func() bool {
		_, err := s.Head(t.Context(), 0)
		return err == nil
	})
	got := contents(t, s)
	for id, n := range map[string]int{"1": 0, "2": 0, "3": 0, "4": 1, "5": 1, "6": 1} { // up to 3 they are drained
		if got[id] != n {
			t.Errorf("event %s stands %d times, want %d", id, got[id], n)
		}
	}
	if p, err := s.Progress(t.Context(), 0); err != nil || p.Committed != 3 || p.Intent != nil {
		t.Errorf("%+v, %v: want the commit, which was applied and then confirmed", p, err)
	}
}

// The other promise: without AckReplica a failover may forget, and the store
// must not hang on what was forgotten.
func TestAppendsGoOnAfterAFailoverThatLostEvents(t *testing.T) {
	t.Parallel()
	g := redistest.StartSentinel(t)
	s := storeOn(t, g.URL(), redis.Options{Timeout: 2 * time.Second, Shards: 1})
	if _, err := s.Append(t.Context(), []hot.Item{item("1", "d")}); err != nil {
		t.Fatal(err)
	}
	g.WaitOK()
	for _, r := range g.Replicas() {
		cutOff(t, g.Master(), r)
	}
	if _, err := s.Append(t.Context(), []hot.Item{item("2", "e")}); err != nil {
		t.Fatal(err)
	}
	g.WaitFailover(g.KillMaster())
	soon(t, "an append is taken", func() bool {
		_, err := s.Append(t.Context(), []hot.Item{item("3", "e")})
		return err == nil
	})
	got := contents(t, s)
	if got["1"] != 1 || got["2"] != 0 || got["3"] != 1 {
		t.Errorf("the log holds %v: the replicas were to know nothing of event 2", got)
	}
	if n, err := s.Uniques(t.Context(), "p", hot.Day, time.Now().Add(-48*time.Hour), time.Now().Add(time.Hour)); err != nil || n != 2 {
		t.Errorf("%d uniques (%v), want 2: the devices of the log", n, err)
	}
}
