package redis_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// opened returns a store of one test.
func opened(t *testing.T, url string, o redis.Options) *store {
	t.Helper()
	s, err := openStore(url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// appended appends n events of a device, the first received at a time, each
// other a second after the one before it.
func appended(t *testing.T, s *store, device string, n int, at time.Time) {
	t.Helper()
	var items []hot.Item
	for i := range n {
		received := at.Add(time.Duration(i) * time.Second)
		items = append(items, hot.Item{Location: time.UTC, Event: &weir.Event{
			ID: fmt.Sprintf("%s-%d-%d", device, at.UnixNano(), i), ProjectID: "p", Name: "x", Time: received, ReceivedAt: received, DeviceID: device,
		}})
	}
	if _, err := s.Append(t.Context(), items); err != nil {
		t.Fatal(err)
	}
}

// committed drains a shard up to a seq, under a lease that it keeps.
func committed(t *testing.T, s *store, owner string, last uint64, now time.Time) {
	t.Helper()
	l, err := s.Claim(t.Context(), 0, owner, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	in := hot.Intent{First: 1, Last: last, Now: now}
	if err := s.Intend(t.Context(), l, in); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(t.Context(), l, in, nil); err != nil {
		t.Fatal(err)
	}
}

func healthOf(t *testing.T, s *store) redis.Health {
	t.Helper()
	h, err := s.Health(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

// waitHealth asks until the answer is liked.
func waitHealth(t *testing.T, s *store, what string, ok func(redis.Health, error) bool) (h redis.Health) {
	t.Helper()
	var err error
	defer func() {
		if t.Failed() {
			t.Logf("%s: %v %+v", what, err, h)
		}
	}()
	waitFor(t, what, func() bool {
		h, err = s.Health(t.Context())
		return ok(h, err)
	})
	return h
}

func TestHealthReportsTheBacklogOfEachShard(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	clock := func() time.Time { return now }
	s := opened(t, redistest.Start(t).URL(), redis.Options{Shards: 1, Clock: clock})

	h := healthOf(t, s)
	if sh := h.Shards[0]; !h.Up || !sh.Up || sh.WaitingEvents != 0 || sh.Chunks != 0 || sh.OldestSeconds != 0 || sh.LeaseOwner != "" || len(h.Notes) > 0 {
		t.Errorf("of an empty log: %+v", h)
	}

	appended(t, s, "d", 10, now.Add(-40*time.Second)) // one chunk
	appended(t, s, "d", 500, now)
	h = healthOf(t, s)
	if sh := h.Shards[0]; sh.Head != 510 || sh.WaitingEvents != 510 || sh.Chunks != 2 || sh.OldestSeconds != 40 {
		t.Errorf("of 510 events: %+v", sh)
	}
	if h.WaitingEvents != 510 || h.OldestSeconds != 40 || h.BytesPerEvent < 5 || h.BytesPerEvent > 1000 || h.BytesPerEvent*510 != float64(h.Shards[0].LogBytes) {
		t.Errorf("sums of 510 events: %+v", h)
	}

	committed(t, s, "node-1", 4, now) // in the middle of the first chunk
	sh := healthOf(t, s).Shards[0]
	if sh.Committed != 4 || sh.WaitingEvents != 506 || sh.Chunks != 2 || sh.OldestSeconds != 36 {
		t.Errorf("after 4 of them: %+v", sh)
	}
	if sh.LeaseOwner != "node-1" || sh.LeaseExpires == nil || !sh.LeaseExpires.Equal(now.Add(time.Minute)) {
		t.Errorf("lease of %q until %v", sh.LeaseOwner, sh.LeaseExpires)
	}
}

func TestHealthReportsEachRedisServer(t *testing.T) {
	server := redistest.Start(t, "--maxmemory", "300mb")
	s := opened(t, server.URL(), redis.Options{})
	appended(t, s, "d", 100, time.Now())
	h := healthOf(t, s)
	if len(h.Nodes) != 1 {
		t.Fatalf("%d nodes", len(h.Nodes))
	}
	n := h.Nodes[0]
	if n.Addr != server.Addr || !n.Up || n.Error != "" || n.Role != "master" || !strings.HasPrefix(n.Version, "7") || n.RunID == "" {
		t.Errorf("%+v", n)
	}
	if m := n.Memory; m.MaxBytes != 300<<20 || m.UsedBytes < 500_000 || m.PeakBytes < m.UsedBytes || m.Policy != "noeviction" || m.FragmentationRatio < 0.5 {
		t.Errorf("memory: %+v", *m)
	}
	if l := n.Load; l.Clients < 1 || l.Commands < 1 || l.CPUSeconds <= 0 || l.HitRate == nil || *l.HitRate < 0 || *l.HitRate > 1 {
		t.Errorf("load: %+v", *l)
	}
	if p := n.Persistence; !p.AOFEnabled || !p.AOFLastWriteOK || !p.AOFLastRewriteOK || !p.RDBLastSaveOK || p.Loading || time.Since(p.RDBLastSave) > time.Hour {
		t.Errorf("persistence: %+v", *p)
	}
	if r := n.Replication; len(r.Replicas) != 0 || r.MasterLinkUp != nil {
		t.Errorf("replication: %+v", *r)
	}
}

func TestHealthTellsOfEvictionsAndOfSavesThatFail(t *testing.T) {
	server := redistest.Start(t)
	s := opened(t, server.URL(), redis.Options{})
	if err := os.Mkdir(filepath.Join(server.Dir, "dump.rdb"), 0o700); err != nil { // where the file would be
		t.Fatal(err)
	}
	server.Do("BGSAVE")
	waitHealth(t, s, "a failed save", func(h redis.Health, _ error) bool { return !h.Nodes[0].Persistence.RDBLastSaveOK })

	server.Do("CONFIG", "SET", "stop-writes-on-bgsave-error", "no")
	for i := range 100 {
		server.Do("SETEX", fmt.Sprintf("foreign%d", i), "100", "x")
	}
	server.Do("CONFIG", "SET", "maxmemory-policy", "volatile-ttl", "maxmemory", "1")
	_, _ = server.Try("SET", "one more", "x")
	if m := healthOf(t, s).Nodes[0].Memory; m.EvictedKeys < 100 || m.Policy != "volatile-ttl" {
		t.Errorf("memory: %+v", *m)
	}
}

func TestSlowCommandsAreNamedWithoutTheirArguments(t *testing.T) {
	server := redistest.Start(t, "--slowlog-log-slower-than", "0")
	s := opened(t, server.URL(), redis.Options{Shards: 1})
	appended(t, s, "d", 1, time.Now())
	server.Do("SET", "a-secret-key", "a-secret-value")
	server.Do("CONFIG", "SET", "slowlog-log-slower-than", "1000000")
	h := healthOf(t, s)
	slow := h.Nodes[0].Slow
	if slow == nil || len(slow.Latest) != 5 || slow.Length < 5 || slow.Total < uint64(slow.Length) {
		t.Fatalf("slow commands: %+v", slow)
	}
	commands := map[string]int{}
	for _, c := range slow.Latest {
		commands[c.Command]++
		if c.Seconds < 0 || c.Seconds > 1 || time.Since(c.At) > time.Hour {
			t.Errorf("%+v", c)
		}
	}
	text, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	if commands["SET"] != 1 || strings.Contains(string(text), "secret") {
		t.Errorf("%s", text)
	}

	server.Do("SLOWLOG", "RESET")
	server.Do("CONFIG", "SET", "slowlog-log-slower-than", "0")
	appended(t, s, "d", 1, time.Now())
	server.Do("CONFIG", "SET", "slowlog-log-slower-than", "1000000")
	after := healthOf(t, s).Nodes[0].Slow
	if after.Total <= slow.Total {
		t.Errorf("%d slow commands after the log was emptied, %d before", after.Total, slow.Total)
	}
	named := false
	for _, c := range after.Latest {
		named = named || c.Command == "EVALSHA" && c.Script == "append"
	}
	if !named {
		t.Errorf("the append is not named: %+v", after.Latest)
	}
}

func TestWhatMayNotBeReadIsLeftOutAndNoted(t *testing.T) {
	server := redistest.Start(t)
	server.Do("ACL", "SETUSER", "weir", "on", ">secret", "~*", "&*", "+@all", "-slowlog", "-memory")
	s := opened(t, strings.Replace(server.URL(), "redis://", "redis://weir:secret@", 1), redis.Options{Shards: 2})
	appended(t, s, "d", 3, time.Now())
	h := healthOf(t, s)
	if n := h.Nodes[0]; !h.Up || !n.Up || n.Memory == nil || n.Slow != nil || h.WaitingEvents != 3 || h.BytesPerEvent != 0 {
		t.Errorf("%+v", h)
	}
	notes := strings.Join(h.Notes, "\n")
	if len(h.Notes) != 2 || !strings.Contains(notes, "MEMORY USAGE is left out") || !strings.Contains(notes, "SLOWLOG is left out") ||
		!strings.Contains(notes, "lacks a permission") || strings.Contains(notes, "secret") {
		t.Errorf("notes: %s", notes)
	}
}

func TestHealthOfARedisThatIsAway(t *testing.T) {
	server := redistest.Start(t, "--appendfsync", "always")
	s := opened(t, server.URL(), redis.Options{Timeout: 2 * time.Second})
	server.Kill()
	h, err := s.Health(t.Context())
	if err == nil || h.Up || len(h.Nodes) != 1 || h.Nodes[0].Up || h.Nodes[0].Error == "" || len(h.Shards) != 4 || h.Shards[0].Error == "" {
		t.Errorf("gone: %v %+v", err, h)
	}
	server.Restart()
	waitHealth(t, s, "health of the one that is back", func(h redis.Health, err error) bool { return err == nil && h.Up })
	server.Pause()
	h, err = s.Health(t.Context())
	server.Resume()
	if err == nil || h.Up || h.Nodes[0].Up || !strings.Contains(h.Nodes[0].Error, "does not answer in time") || !strings.Contains(h.Shards[1].Error, "does not answer in time") {
		t.Errorf("silent: %v %+v", err, h)
	}
	// The connection has outlived it.
	if _, err := s.Head(t.Context(), 0); err != nil {
		t.Errorf("a read after it: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Health(t.Context()); err == nil {
		t.Error("a closed store is healthy")
	}
}

func TestAShardThatWasLostIsNotUp(t *testing.T) {
	server := redistest.Start(t)
	s := opened(t, server.URL(), redis.Options{})
	server.Do("DEL", "{w2}")
	h := healthOf(t, s)
	if h.Up || h.Shards[2].Up || !strings.Contains(h.Shards[2].Error, "lost data") || !h.Shards[1].Up {
		t.Errorf("%+v", h.Shards)
	}
}

func TestHealthOfASentinelsMasterShowsItsReplicas(t *testing.T) {
	group := redistest.StartSentinel(t)
	s := opened(t, group.URL(), redis.Options{})
	appended(t, s, "d", 100, time.Now())
	h := waitHealth(t, s, "replicas catch up", func(h redis.Health, err error) bool {
		if err != nil || len(h.Nodes) != 1 || len(h.Nodes[0].Replication.Replicas) != 2 {
			return false
		}
		for _, r := range h.Nodes[0].Replication.Replicas {
			if r.State != "online" || r.LagBytes != 0 || r.LagSeconds > 10 {
				return false
			}
		}
		return true
	})
	var addrs []string
	for _, r := range h.Nodes[0].Replication.Replicas {
		addrs = append(addrs, r.Addr)
	}
	for _, r := range group.Replicas() {
		if !strings.Contains(strings.Join(addrs, " "), r.Addr) {
			t.Errorf("replica %s is not among %v", r.Addr, addrs)
		}
	}
	if h.Nodes[0].Addr != group.Master().Addr {
		t.Errorf("node %s is not the master", h.Nodes[0].Addr)
	}

	silent := group.Replicas()[0]
	silent.Pause()
	defer silent.Resume()
	waitHealth(t, s, "a lag", func(h redis.Health, err error) bool {
		appended(t, s, "d", 1, time.Now())
		for _, r := range h.Nodes[0].Replication.Replicas {
			if err == nil && r.Addr == silent.Addr && r.LagBytes > 0 && r.LagSeconds > 1 {
				return true
			}
		}
		return false
	})
}

func TestHealthOfAClusterOutlivesADeadReplica(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 1)
	url := cluster.URL()
	appended(t, opened(t, url, redis.Options{Shards: 16}), "d", 1, time.Now())
	// A cluster names its replicas to a client once they have replicated something.
	for _, n := range cluster.Nodes[:3] {
		waitFor(t, "replicas are named", func() bool { return strings.Count(n.Do("CLUSTER", "SLOTS"), "127.0.0.1") == 6 })
	}
	s := opened(t, url, redis.Options{})
	h := healthOf(t, s)
	roles := map[string]int{}
	for _, n := range h.Nodes {
		roles[n.Role]++
		if link := n.Replication.MasterLinkUp; (n.Role == "replica") != (link != nil) || link != nil && !*link {
			t.Errorf("replication of the %s %s: %+v", n.Role, n.Addr, n.Replication)
		}
		if n.Role == "master" && len(n.Replication.Replicas) != 1 {
			t.Errorf("the master %s has %d replicas", n.Addr, len(n.Replication.Replicas))
		}
	}
	if !h.Up || h.WaitingEvents != 1 || roles["master"] != 3 || roles["replica"] != 3 {
		t.Fatalf("roles %v: %+v", roles, h)
	}

	dead := cluster.Nodes[3]
	dead.Kill()
	h = healthOf(t, s)
	for _, n := range h.Nodes {
		if n.Up == (n.Addr == dead.Addr) {
			t.Errorf("%s: %+v", n.Addr, n)
		}
	}
	if !h.Up {
		t.Errorf("a dead replica takes shards away: %+v", h.Shards)
	}
	// Nor does it keep a store from being opened.
	opened(t, url+"?prefix=other", redis.Options{})
}

func TestADeadMastersShardsAreNotUpUntilItsReplicaTakesOver(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 1)
	s := opened(t, cluster.URL(), redis.Options{Shards: 16, Timeout: time.Second})
	appended(t, s, "d", 1, time.Now())
	cluster.Nodes[1].Kill()
	h := healthOf(t, s)
	up := 0
	for _, sh := range h.Shards {
		if sh.Up {
			up++
		} else if sh.Error == "" {
			t.Errorf("shard %d is away without a reason", sh.Shard)
		}
	}
	if h.Up || up == 0 || up == 16 {
		t.Errorf("%d of 16 shards are up: %+v", up, h.Shards)
	}
	waitHealth(t, s, "the replica takes over", func(h redis.Health, err error) bool { return err == nil && h.Up })
}
