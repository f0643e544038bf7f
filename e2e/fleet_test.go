package e2e_test

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// fleet is several nodes on one Redis: one that drains and answers, since a
// DuckDB file has one owner, and others that take events. They share the first
// one's meta.db and key ring.
type fleet struct {
	t      *testing.T
	path   string
	hot    string // URL
	data   string // of the node that drains
	drain  *node
	ingest []*node
}

// fleetOnRedis is a fleet on a Redis whose acknowledged writes are on disk.
func fleetOnRedis(t *testing.T, path string, ingest int) (*fleet, *redistest.Server) {
	t.Helper()
	r := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	f := startFleet(t, path, distant(t, r))
	for range ingest {
		f.addIngest()
	}
	return f, r
}

// distant is the URL of a Redis by way of a network: its answers take a millisecond, in
// which more may happen than beside it.
func distant(t *testing.T, r *redistest.Server) string {
	t.Helper()
	wire := startProxy(t, r.Addr, 1)
	wire.set(fault{kind: late, delay: time.Millisecond})
	return "redis://" + wire.addr
}

// startFleet starts the node that drains. args are for each of the nodes.
func startFleet(t *testing.T, path, hot string, args ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, path: path, hot: hot, data: t.TempDir()}
	f.drain = startNode(t, path, append([]string{"--hot", hot, "--roles", "drain,query,jobs", "--data", f.data}, args...)...)
	return f
}

// addIngest starts a node that takes events.
func (f *fleet) addIngest(args ...string) *node {
	f.t.Helper()
	n := startNode(f.t, f.path, append([]string{
		"--hot", f.hot, "--roles", "ingest", "--data", f.t.TempDir(), "--meta", "sqlite:" + filepath.Join(f.data, "meta.db"),
		"--key-ring", filepath.Join(f.data, "keys"),
	}, args...)...)
	f.ingest = append(f.ingest, n)
	return n
}

func (f *fleet) nodes() []*node { return append([]*node{f.drain}, f.ingest...) }

func (f *fleet) start() {
	f.t.Helper()
	for _, n := range f.nodes() {
		n.start()
	}
}

// stop stops those first that take events. The node that drains leaves to others
// what it cannot drain in time; here there are none, so it is started again.
func (f *fleet) stop() {
	f.t.Helper()
	for _, n := range slices.Backward(f.nodes()) {
		n.stop()
	}
	log, closeLog, err := f.openLog()
	if err != nil {
		f.t.Fatal(err)
	}
	defer closeLog()
	left := func() uint64 {
		n, err := waiting(f.t.Context(), log)
		if err != nil {
			f.t.Fatal(err)
		}
		return n
	}
	if left() == 0 {
		return
	}
	f.drain.start()
	until(f.t, "all is drained", func() bool { return left() == 0 })
	f.drain.stop()
}

func (f *fleet) newProject() project { return f.drain.project("UTC") }

func (f *fleet) addrs() (addrs []string) {
	for _, n := range f.ingest {
		addrs = append(addrs, n.addr)
	}
	return addrs
}

func (f *fleet) audit() (audit, error) {
	log, closeLog, err := f.openLog()
	if err != nil {
		return audit{}, err
	}
	return openAudit(log, closeLog, f.data)
}

// openLog opens the hot tier beside the nodes, or without them.
func (f *fleet) openLog() (log *redis.Store, closeLog func(), err error) {
	u, err := redisconn.Parse(f.hot)
	if err != nil {
		return nil, nil, err
	}
	client, err := redisconn.Open(f.t.Context(), u, redisconn.Options{Wait: time.Minute})
	if err != nil {
		return nil, nil, err
	}
	log, err = redis.Open(f.t.Context(), client, u.Prefix, redis.Options{})
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	return log, func() { log.Close(); client.Close() }, nil
}

// patience is for what takes seconds, on a machine that is busy with other things.
const patience = 4 * time.Minute

// until waits until ok says so.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
