package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// drains is a drain of each shard, which goes on until it is ended.
type drains struct {
	t     testing.TB
	log   hot.Log
	owner string
	stop  func()
	done  sync.WaitGroup

	mu        sync.Mutex
	delivered []delivery // by shard
	steps     []int
	errs      []error
}

func startDrains(t testing.TB, s hot.Log, owner string) *drains {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &drains{t: t, log: s, owner: owner, stop: cancel, delivered: make([]delivery, s.Shards()), steps: make([]int, s.Shards())}
	for shard := range s.Shards() {
		d.delivered[shard] = delivery{}
		d.done.Go(func() {
			for ctx.Err() == nil {
				err := drainStep(ctx, s, shard, owner, 50, d.delivered[shard])
				d.mu.Lock()
				if err == nil {
					d.steps[shard]++
				} else if ctx.Err() == nil {
					d.errs = append(d.errs, err)
				}
				d.mu.Unlock()
				select {
				case <-ctx.Done():
				case <-time.After(2 * time.Millisecond):
				}
			}
		})
	}
	t.Cleanup(func() {
		d.stop()
		d.done.Wait()
	})
	return d
}

// end ends them, does again the batches that they were at, and returns what was
// delivered.
func (d *drains) end() map[string]int {
	d.t.Helper()
	d.stop()
	d.done.Wait()
	all := map[string]int{}
	for shard, of := range d.delivered {
		soon(d.t, "a drain ends", func() bool { return drainStep(context.Background(), d.log, shard, d.owner, 50, of) == nil })
		all = sum(all, of.events())
	}
	return all
}

// more waits until each shard has done so many more steps.
func (d *drains) more(t testing.TB, n int) {
	t.Helper()
	d.mu.Lock()
	before := append([]int(nil), d.steps...)
	d.mu.Unlock()
	soon(t, "each shard is drained", func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		for shard, was := range before {
			if d.steps[shard] < was+n {
				return false
			}
		}
		return true
	})
}

func TestShardsThatMoveLoseAndDoubleNothing(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	s := storeOn(t, cluster.URL(), redis.Options{Timeout: 2 * time.Minute})
	c := startCrowd(t, s, "w", 4, 5*time.Millisecond)
	d := startDrains(t, s, "me")
	next := map[*redistest.Server]*redistest.Server{}
	for i, node := range cluster.Nodes {
		next[node] = cluster.Nodes[(i+1)%3]
	}
	for _, shard := range []int{0, 1, 0} {
		c.more(30)
		d.more(t, 1)
		slot := cluster.Slot(fmt.Sprintf("{w%d}", shard))
		cluster.MoveSlotSlowly(slot, next[cluster.Owner(slot)], func() {})
	}
	// Where the log is written down is a slot as well.
	cluster.MoveSlot(cluster.Slot("w:log"), cluster.Nodes[2])
	c.more(200)
	d.more(t, 2)
	c.end()
	exactlyOnce(t, s, d.end(), c)
	for _, err := range append(c.errs, d.errs...) {
		t.Errorf("%v", err)
	}
}

func TestAPassOverTheStateAfterTheShardMovedFindsAllOfIt(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	s := storeOn(t, cluster.URL(), redis.Options{Shards: 1})
	const n = 5000
	l, err := s.Claim(t.Context(), 0, "me", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var changes []hot.Change
	for i := range n {
		changes = append(changes, hot.Change{Key: fmt.Sprint("device-", i), Value: []byte{1}})
	}
	if err := s.Commit(t.Context(), l, hot.Intent{First: 1}, changes); err != nil {
		t.Fatal(err)
	}
	slot := cluster.Slot("{w0}")
	next := map[*redistest.Server]*redistest.Server{}
	for i, node := range cluster.Nodes {
		next[node] = cluster.Nodes[(i+1)%3]
	}
	pass := func(move bool) int {
		got := map[string]bool{}
		for cursor := ""; ; {
			entries, then, err := s.ScanState(t.Context(), 0, cursor, 500)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range entries {
				got[c.Key] = true
			}
			if cursor = then; cursor == "" {
				return len(got)
			}
			if move {
				move = false
				cluster.MoveSlot(slot, next[cluster.Owner(slot)])
			}
		}
	}
	for range 3 {
		pass(true) // may leave some out
		if got := pass(false); got != n {
			t.Fatalf("%d of %d entries", got, n)
		}
	}
}

func TestAClusterThatFailsOverGoesOn(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 1)
	s := storeOn(t, cluster.URL(), redis.Options{AckReplica: true, Timeout: 2 * time.Second})
	c := startCrowd(t, s, "w", 4, 5*time.Millisecond)
	d := startDrains(t, s, "me")
	c.more(500)
	d.more(t, 2)
	slot := cluster.Slot("{w0}")
	dead := cluster.Owner(slot)
	dead.Kill()
	soon(t, "the replica takes over", func() bool { return cluster.Owner(slot) != dead })
	soon(t, "writers go on", func() bool {
		_, err := s.Head(t.Context(), 0)
		return err == nil
	})
	c.more(100)
	dead.Restart()
	cluster.WaitOK()
	c.more(500)
	d.more(t, 2)
	c.end()
	exactlyOnce(t, s, d.end(), c)
	if c.failed() == 0 {
		t.Error("no append failed: the master was not killed under one")
	}
	for _, err := range d.errs {
		if errors.Is(err, hot.ErrFenced) {
			t.Errorf("a drain lost its lease to itself: %v", err)
		}
	}
}

// A master that hung while its replica took over keeps its connections, and
// says that the shard has moved. What it alone had is forgotten: a device that
// it counted is counted again.
func TestDeviceLostInAFailoverIsCountedAgain(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 1)
	minute := time.Now().Truncate(time.Minute)
	s := storeOn(t, cluster.URL(), redis.Options{Shards: 1, Clock: func() time.Time { return minute }})
	send := func(id, device string) error {
		it := item(id, device)
		it.Event.Time = minute
		_, err := s.Append(t.Context(), []hot.Item{it})
		return err
	}
	if err := send("1", "a"); err != nil {
		t.Fatal(err)
	}
	slot := cluster.Slot("{w0}")
	master := cluster.Owner(slot)
	var replica *redistest.Server
	for _, node := range cluster.Nodes {
		if host, port, _ := strings.Cut(master.Addr, ":"); strings.HasPrefix(node.Do("ROLE"), "slave\n"+host+"\n"+port+"\n") {
			replica = node
		}
	}
	soon(t, "the replica has the event", func() bool { return replica.Do("DBSIZE") == master.Do("DBSIZE") })
	cutOff(t, master, replica)
	if err := send("2", "b"); err != nil {
		t.Fatal(err)
	}
	master.Pause()
	soon(t, "the replica takes over", func() bool { return cluster.Owner(slot) == replica })
	master.Resume()
	soon(t, "the old master follows", func() bool {
		role, err := master.Try("ROLE")
		return err == nil && strings.HasPrefix(role, "slave\n")
	})
	if err := send("3", "b"); err != nil {
		t.Fatalf("the shard has moved: %v", err)
	}
	got := contents(t, s)
	if got["1"] != 1 || got["2"] != 0 || got["3"] != 1 {
		t.Fatalf("the log holds %v: the replica was to know nothing of event 2", got)
	}
	if n, err := s.Uniques(t.Context(), "p", hot.Minute, minute, minute.Add(time.Minute)); err != nil || n != 2 {
		t.Errorf("%d uniques (%v), want 2: the devices of the log", n, err)
	}
}

// cutOff ends the replication from a master to a replica for good.
func cutOff(t *testing.T, master, replica *redistest.Server) {
	t.Helper()
	master.Do("ACL", "SETUSER", "default", "-psync", "-sync")
	replica.Do("CLIENT", "KILL", "TYPE", "MASTER")
	soon(t, "the replica has lost its master", func() bool {
		return strings.Contains(replica.Do("INFO", "replication"), "master_link_status:down")
	})
}
