package e2e_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// peers are three nodes on one Redis and one ClickHouse, which each take events,
// drain and answer. They share the first one's meta.db.
type peers struct {
	*fleet // whose drain is the first of them
	redis  *redistest.Server
	cold   *coldTier
	log    *redis.Store
	rand   *rand.Rand
	deck   deck[string]

	tookOver []time.Duration // from a node's end until others went on with its shards
}

func startPeers(t *testing.T, path string, args ...string) *peers {
	t.Helper()
	r := newRand(t)
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	h := &peers{
		fleet: &fleet{t: t, path: path, hot: distant(t, server), data: t.TempDir()}, redis: server, cold: startClickHouse(t, r), rand: r,
		deck: newDeck(r, "node gone", "node asleep", "node", "redis", "all", kill, pause, wire, wire),
	}
	start := func(data string) *node {
		return startNode(t, path, append([]string{
			"--hot", h.hot, "--cold", h.cold.through(), "--data", data, "--meta", "sqlite:" + filepath.Join(h.data, "meta.db"),
			"--key-ring", filepath.Join(h.data, "keys"),
		}, args...)...)
	}
	h.drain = start(h.data)
	for range 2 {
		h.ingest = append(h.ingest, start(t.TempDir()))
	}
	log, closeLog, err := h.openLog()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeLog)
	h.log = log
	return h
}

func (h *peers) addrs() (addrs []string) {
	for _, n := range h.nodes() {
		addrs = append(addrs, n.addr)
	}
	return addrs
}

func (h *peers) pause() time.Duration { return clickHousePause }

func (h *peers) audit() (audit, error) {
	log, closeLog, err := h.openLog()
	if err != nil {
		return audit{}, err
	}
	return h.cold.audit(log, closeLog)
}

func (h *peers) one() *node { return h.nodes()[h.rand.IntN(3)] }

func (h *peers) hit() string {
	what := h.deck.deal()
	switch what {
	case "node gone":
		n := h.one()
		h.isReplaced(n, n.kill)
		n.start()
	case "node asleep":
		n := h.one()
		h.isReplaced(n, func() { n.signal(syscall.SIGSTOP) })
		n.signal(syscall.SIGCONT)
	case "node":
		h.one().restart()
	case "redis":
		h.redis.Restart()
	case "all": // as when the power goes
		kills := []func(){h.redis.Kill, h.cold.kill}
		for _, n := range h.nodes() {
			kills = append(kills, n.kill)
		}
		for _, i := range h.rand.Perm(len(kills)) {
			kills[i]()
		}
		h.redis.Restart()
		h.cold.revive()
		h.start()
	default:
		var killed *node
		what = h.cold.hit(what, func() {
			if h.rand.IntN(2) == 0 {
				killed = h.one()
				killed.kill()
			}
		})
		if killed != nil {
			killed.start()
			what += " and node"
		}
	}
	return what
}

// isReplaced makes the node go, and waits until others have taken its shards and
// gone on with them.
func (h *peers) isReplaced(n *node, goes func()) {
	h.t.Helper()
	name := n.name()
	until(h.t, "each node has its part of the shards", func() bool {
		owners := map[string]bool{}
		for _, s := range h.shards() {
			owners[s.LeaseOwner] = true
		}
		return len(owners) == len(h.nodes()) && owners[name] && !owners[""]
	})
	goes()
	began := time.Now()
	var before []redis.ShardHealth
	until(h.t, "Redis answers", func() bool { before = h.shards(); return before != nil })
	until(h.t, "the others have its shards and go on with them", func() bool {
		now := h.shards()
		return now != nil && !slices.ContainsFunc(now, func(s redis.ShardHealth) bool {
			was := before[s.Shard]
			return was.LeaseOwner == name && (s.LeaseOwner == "" || s.LeaseOwner == name || s.Committed <= was.Committed)
		})
	})
	took := time.Since(began).Round(10 * time.Millisecond)
	h.tookOver = append(h.tookOver, took)
}

// shards is how all of them are, nil while Redis cannot be asked.
func (h *peers) shards() []redis.ShardHealth {
	health, err := h.log.Health(h.t.Context())
	if err != nil || !health.Up {
		return nil
	}
	return health.Shards
}

// name is the node's among the nodes.
func (n *node) name() string {
	n.t.Helper()
	data := n.args[slices.Index(n.args, "--data")+1]
	raw, err := os.ReadFile(filepath.Join(data, "node"))
	if err != nil {
		n.t.Fatal(err)
	}
	return strings.TrimSpace(string(raw))
}

// signal sends one to the process.
func (n *node) signal(s syscall.Signal) {
	n.t.Helper()
	if err := n.cmd.Process.Signal(s); err != nil {
		n.t.Errorf("%v: %v\n%s", s, err, n.log)
	}
}

// writeHouse is peers of which a node is killed while nothing that it writes
// reaches ClickHouse.
type writeHouse struct{ *peers }

func (h writeHouse) hit() string {
	h.cold.wire.set(fault{kind: stall})
	n := h.one()
	time.Sleep(1500 * time.Millisecond) // a batch is due each second
	n.kill()
	h.cold.wire.set(fault{kind: reset})
	h.cold.wire.set(fault{})
	n.start()
	return "node that writes"
}
