package redisconn_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// class is what the package says of an error.
type class struct {
	full, busy, moving bool
	explained          string // begins what Explain says
}

func (want class) check(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	// As the callers have it, too.
	for _, err := range []error{err, errors.Join(errors.New("hot: append to shard 3"), err)} {
		got := class{redisconn.Full(err), redisconn.Busy(err), redisconn.Moving(err), want.explained}
		if got != want {
			t.Errorf("%v: %+v, want %+v", err, got, want)
		}
		e := redisconn.Explain(err)
		if !strings.HasPrefix(e.Error(), want.explained) || !errors.Is(e, err) || !strings.Contains(e.Error(), err.Error()) {
			t.Errorf("%v is explained as %q, want %q before it", err, e, want.explained)
		}
	}
}

// connect returns a client of one server, with no checks.
func connect(t *testing.T, s *redistest.Server) rueidis.Client {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Addr}, ForceSingleClient: true, DisableCache: true, DisableRetry: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func set(t *testing.T, c rueidis.Client, key string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return c.Do(ctx, c.B().Set().Key(key).Value("v").Build()).Error()
}

func script(t *testing.T, c rueidis.Client, text, key string) error {
	t.Helper()
	return c.Do(t.Context(), c.B().Eval().Script(text).Numkeys(1).Key(key).Build()).Error()
}

func TestNoErrorIsOfNoClass(t *testing.T) {
	if redisconn.Explain(nil) != nil || redisconn.Full(nil) || redisconn.Busy(nil) || redisconn.Moving(nil) {
		t.Fatal("nil is said to be something")
	}
}

func TestAFullRedisIsFull(t *testing.T) {
	s := redistest.Start(t, "--maxmemory", "1")
	c := connect(t, s)
	want := class{full: true, explained: "this Redis has reached its maxmemory: "}
	want.check(t, set(t, c, "k"))
	want.check(t, script(t, c, "#!lua\nreturn redis.call('SET', KEYS[1], 1)", "k"))
	if err := script(t, c, "#!lua flags=allow-oom\nreturn redis.call('SET', KEYS[1], 1)", "k"); err != nil {
		t.Fatalf("a script that may: %v", err)
	}
}

func TestAReplicaIsBusyBecomingAMaster(t *testing.T) {
	master, replica := redistest.Start(t, "--repl-diskless-sync-delay", "0"), redistest.Start(t)
	host, port, _ := strings.Cut(master.Addr, ":")
	replica.Do("REPLICAOF", host, port)
	want := class{busy: true, explained: "this Redis is a replica now: "}
	c := connect(t, replica)
	want.check(t, set(t, c, "k"))
	want.check(t, script(t, c, "#!lua\nreturn redis.call('SET', KEYS[1], 1)", "k"))
	until(t, func() bool { return strings.Contains(replica.Do("INFO", "replication"), "master_link_status:up") })
	replica.Do("CONFIG", "SET", "replica-serve-stale-data", "no")
	master.Kill()
	until(t, func() bool { return strings.Contains(replica.Do("INFO", "replication"), "master_link_status:down") })
	class{busy: true, explained: "this replica has lost its master: "}.check(t, c.Do(t.Context(), c.B().Get().Key("k").Build()).Error())
}

func TestTooFewReplicasAreSaid(t *testing.T) {
	s := redistest.Start(t, "--min-replicas-to-write", "1")
	class{explained: "this Redis has fewer replicas than min-replicas-to-write asks for: "}.check(t, set(t, connect(t, s), "k"))
}

func TestARedisThatCannotWriteItsDataSaysSo(t *testing.T) {
	s := redistest.Start(t, "--appendonly", "no", "--save", "3600 1000000", "--enable-protected-configs", "yes")
	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	s.Do("CONFIG", "SET", "dir", gone)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	s.Do("BGSAVE")
	until(t, func() bool { return strings.Contains(s.Do("INFO", "persistence"), "rdb_last_bgsave_status:err") })
	want := class{explained: "this Redis cannot write its data to disk and takes nothing until it can: "}
	c := connect(t, s)
	want.check(t, set(t, c, "k"))
	want.check(t, script(t, c, "#!lua\nreturn redis.call('SET', KEYS[1], 1)", "k"))
}

func TestAKeyOfAnotherNodeHasMoved(t *testing.T) {
	cluster := redistest.StartCluster(t, 3, 0)
	c := connect(t, cluster.Nodes[0])
	other := ""
	for i := 0; other == ""; i++ {
		if k := strconv.Itoa(i); cluster.Owner(cluster.Slot(k)) == cluster.Nodes[2] {
			other = k
		}
	}
	moving := class{moving: true}
	moving.check(t, set(t, c, other))

	// Moved between two commands, key by key.
	slot := cluster.Slot("{" + other + "}")
	from, to := cluster.Nodes[2], cluster.Nodes[1]
	from.Do("SET", "{"+other+"}1", "v")
	from.Do("SET", "{"+other+"}2", "v")
	old := connect(t, from)
	step := 0
	cluster.MoveSlotSlowly(slot, to, func() {
		step++
		both := old.Do(t.Context(), old.B().Mget().Key("{"+other+"}1", "{"+other+"}2").Build()).Error()
		switch step {
		case 1:
			if both != nil {
				t.Error(both)
			}
		case 2:
			class{busy: true, moving: true, explained: "this Redis Cluster is moving the keys to another node: "}.check(t, both)
		case 3:
			moving.check(t, both)
		}
	})
	moving.check(t, set(t, old, "{"+other+"}1"))

	cluster.Nodes[1].Kill()
	down := class{busy: true, explained: "this Redis Cluster does not serve all of its slots now: "}
	until(t, func() bool { return strings.Contains(cluster.Nodes[0].Do("CLUSTER", "INFO"), "cluster_state:fail") })
	down.check(t, set(t, c, "k"))
}

func TestAServerThatDiesIsExplained(t *testing.T) {
	s := redistest.Start(t)
	c := connect(t, s)
	s.Kill()
	err := set(t, c, "k")
	if e := redisconn.Explain(err).Error(); redisconn.Busy(err) || redisconn.Full(err) || redisconn.Moving(err) || !strings.HasPrefix(e, "this Redis ") {
		t.Fatal(e)
	}
	until(t, func() bool {
		err := redisconn.Explain(set(t, c, "k"))
		return strings.HasPrefix(err.Error(), "this Redis cannot be reached: ") && strings.Contains(err.Error(), "connection refused")
	})
	s.Restart()
	until(t, func() bool { return set(t, c, "k") == nil }) // no connection is of the server that died
	s.Pause()
	defer s.Resume()
	until(t, func() bool { // a connection of the server that died may end first
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		err = c.Do(ctx, c.B().Get().Key("k").Build()).Error()
		return !strings.Contains(redisconn.Explain(err).Error(), "has closed the connection")
	})
	class{explained: "this Redis does not answer in time: "}.check(t, err)
}

func TestALoadingRedisIsBusy(t *testing.T) {
	s := redistest.Start(t, "--enable-debug-command", "yes", "--appendonly", "no")
	c := connect(t, s)
	s.Do("DEBUG", "POPULATE", "500")
	s.Do("SAVE")
	s.Do("CONFIG", "SET", "key-load-delay", "1000")
	s.Do("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
	reloaded := make(chan error)
	go func() {
		_, err := s.Try("DEBUG", "RELOAD", "NOSAVE")
		reloaded <- err
	}()
	var err error
	until(t, func() bool { err = set(t, c, "k"); return err != nil })
	class{busy: true, explained: "this Redis is still loading its data: "}.check(t, err)
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
}

func TestINFOIsRead(t *testing.T) {
	s := redistest.Start(t)
	info := redisconn.ParseInfo(s.Do("INFO"))
	if info["role"] != "master" || info.Int("process_id") != int64(s.PID()) || info.Int("redis_version") != 0 || info.Int("no_such") != 0 ||
		info.Float("mem_fragmentation_ratio") <= 0 || info.Float("role") != 0 {
		t.Errorf("%v", info)
	}
	if info["aof_enabled"] != "1" || info["# Server"] != "" {
		t.Errorf("%v", info)
	}
}
