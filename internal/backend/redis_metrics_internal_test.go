package backend

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/metricstest"
)

func TestThoseWhoAskAtOnceShareAnAnswer(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	asked := 0
	var err error
	r := &redisHealth{clock: func() time.Time { return now }, ask: func(ctx context.Context) (redis.Health, error) {
		asked++
		if left, ok := ctx.Deadline(); !ok || time.Until(left) > redisHealthWithin {
			t.Error("it may take as long as it likes")
		}
		return redis.Health{WaitingEvents: uint64(asked)}, err
	}}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if h, err := r.get(); err != nil || h.WaitingEvents != 1 {
				t.Errorf("%+v, %v", h, err)
			}
		})
	}
	wg.Wait()
	now = now.Add(redisHealthKept - time.Millisecond)
	if h, _ := r.get(); h.WaitingEvents != 1 {
		t.Errorf("asked again after %v", redisHealthKept-time.Millisecond)
	}
	now, err = now.Add(time.Millisecond), errors.New("away")
	for range 2 { // an outage is asked for no more often
		if h, err := r.get(); h.WaitingEvents != 2 || err == nil {
			t.Errorf("%+v, %v", h, err)
		}
	}
}

// node returns a server that answers.
func node(addr, run string, slow *redis.Slow) redis.NodeHealth {
	return redis.NodeHealth{
		Addr: addr, Up: true, Role: "master", Version: "7.0.15", RunID: run,
		Memory: &redis.Memory{}, Load: &redis.Load{}, Persistence: &redis.Persistence{}, Replication: &redis.Replication{}, Slow: slow,
	}
}

func TestAnEmptiedLogOfSlowCommandsIsNoNewStart(t *testing.T) {
	var slow *redis.Slow
	run := "first"
	clock := time.Now()
	c := newRedisMetrics(&redisHealth{
		clock: func() time.Time { clock = clock.Add(time.Minute); return clock },
		ask: func(context.Context) (redis.Health, error) {
			return redis.Health{Nodes: []redis.NodeHealth{node("n", run, slow)}}, nil
		},
	})
	const name = `weir_redis_slow_commands_total{node="n"}`
	if _, ok := metricstest.Gather(t, c)[name]; ok {
		t.Error("shown without permission to read it")
	}
	for _, step := range []struct {
		run  string
		slow redis.Slow
		want float64
	}{
		{"first", redis.Slow{}, 0},
		{"first", redis.Slow{Length: 128, Total: 500}, 500},
		{"first", redis.Slow{}, 500}, // SLOWLOG RESET
		{"first", redis.Slow{Length: 1, Total: 501}, 501},
		{"second", redis.Slow{Length: 2, Total: 2}, 2},
	} {
		run, slow = step.run, &step.slow
		if got := metricstest.Gather(t, c)[name]; got != step.want {
			t.Errorf("%+v: %v, want %v", step, got, step.want)
		}
	}
}

func TestMastersAndReplicasShowWhatIsTheirs(t *testing.T) {
	down, last := false, int64(-1)
	master, replica := node("m", "a", nil), node("r", "b", nil)
	master.Replication.Replicas = []redis.Replica{{Addr: "r", State: "wait_bgsave", LagBytes: 70, LagSeconds: 3}}
	replica.Role, replica.Replication = "replica", &redis.Replication{MasterLinkUp: &down, MasterLastSeconds: &last}
	got := metricstest.Gather(t, newRedisMetrics(&redisHealth{ask: func(context.Context) (redis.Health, error) {
		return redis.Health{
			Up: true, Nodes: []redis.NodeHealth{master, replica, {Addr: "x", Error: "away"}},
			Shards: []redis.ShardHealth{{Shard: 0, Up: true, WaitingEvents: 5, OldestSeconds: 1.5}, {Shard: 1, Error: "away"}},
		}, nil
	}}))
	for name, want := range map[string]float64{
		`weir_redis_up`:                                        1,
		`weir_redis_node_up{node="x"}`:                         0,
		`weir_redis_node_up{node="r"}`:                         1,
		`weir_redis_master_link_up{node="r"}`:                  0,
		`weir_redis_connected_replicas{node="m"}`:              1,
		`weir_redis_replica_online{node="m",replica="r"}`:      0,
		`weir_redis_replica_lag_bytes{node="m",replica="r"}`:   70,
		`weir_redis_replica_lag_seconds{node="m",replica="r"}`: 3,
		`weir_redis_shard_waiting_events{shard="0"}`:           5,
		`weir_redis_shard_oldest_seconds{shard="0"}`:           1.5,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v (shown: %v), want %v", name, v, ok, want)
		}
	}
	for _, name := range []string{
		`weir_redis_memory_used_bytes{node="x"}`, `weir_redis_connected_replicas{node="r"}`, `weir_redis_master_link_up{node="m"}`,
		`weir_redis_shard_waiting_events{shard="1"}`, `weir_redis_shard_log_bytes{shard="0"}`, `weir_redis_bytes_per_event`,
	} {
		if v, ok := got[name]; ok {
			t.Errorf("%s is shown, as %v", name, v)
		}
	}
}
