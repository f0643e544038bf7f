package redisconn_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestEachServerOfAClusterIsAsked(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	u, err := redisconn.Parse(cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	c, err := redisconn.Open(t.Context(), u, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cluster.Nodes[1].Kill()
	up := map[string]bool{}
	last := ""
	for _, n := range redisconn.Nodes(t.Context(), c) {
		up[n.Addr] = n.Err == nil
		if n.Addr < last {
			t.Errorf("%s stands after %s", n.Addr, last)
		}
		last = n.Addr
		if n.Err == nil && (n.Replica() || n.Info["redis_mode"] != "cluster" || n.Info.Int("used_memory") == 0) {
			t.Errorf("%s: %v", n.Addr, n.Info)
		}
	}
	want := map[string]bool{cluster.Addrs[0]: true, cluster.Addrs[1]: false, cluster.Addrs[2]: true}
	if d := cmp.Diff(want, up); d != "" {
		t.Errorf("who answers: %s", d)
	}
}

func TestACallThatIsLateIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		failed, forgotten := errors.New("failed"), make(chan struct{})
		defer close(forgotten)
		got, errs := redisconn.Gather(ctx, 4, func(i int) (int, error) {
			switch i {
			case 1:
				return 0, failed
			case 2: // does as it is told
				<-ctx.Done()
				return 0, ctx.Err()
			case 3: // does not
				<-forgotten
			}
			return i + 10, nil
		})
		if got[0] != 10 || errs[0] != nil || !errors.Is(errs[1], failed) {
			t.Errorf("%v, %v", got, errs)
		}
		for _, late := range errs[2:] {
			if !errors.Is(late, context.DeadlineExceeded) {
				t.Errorf("late: %v", late)
			}
		}
	})
}
