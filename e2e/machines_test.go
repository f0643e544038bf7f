package e2e_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/postgrestest"
	"github.com/weir-analytics/weir/internal/redistest"
)

// Three nodes as on three machines: they share Redis behind Sentinel, ClickHouse of two shards and
// PostgreSQL, and no file but a copy of the key ring. Each part is killed in turn under load.
func TestThreeMachinesLoseNothingWhenEachPartIsKilled(t *testing.T) {
	if os.Getenv("WEIR_TEST_LONG") == "" {
		t.Skip("takes minutes: WEIR_TEST_LONG=1 runs it")
	}
	redis, cold, database := redistest.StartSentinel(t), clickhousetest.StartCluster(t, 2, 1), postgrestest.Start(t)
	data := t.TempDir()
	var nodes []*node
	for range 3 {
		nodes = append(nodes, startNode(t, binary(t, ""), "--hot", redis.URL(), "--hot-ack", "replica", "--cold", cold.URL("weir")+"?cluster=weir",
			"--meta", database.URL("postgres"), "--key-ring", filepath.Join(data, "keys"), "--data", t.TempDir()))
	}
	if status, _ := nodes[0].setUp(adminToken, "owner@example.com"); status != http.StatusCreated {
		t.Fatalf("set-up: %d", status)
	}
	p := nodes[0].project("UTC")
	l := newLoad(t, "m", 4, p.Key, nodes[0].addr, nodes[1].addr, nodes[2].addr)
	l.pause = 20 * time.Millisecond
	stop := l.start()
	more := func(when string) {
		t.Helper()
		n := l.count() + 300
		until(t, "events are taken: "+when, func() bool { return l.count() > n })
	}
	ask := func(n *node) int {
		_, status := n.do("POST", "/api/v1/projects/"+p.ID+"/query", adminToken, "application/json",
			strings.NewReader(`{"kind":"trend","from":"-1d","interval":"day","series":[{"math":"total"}]}`))
		return status
	}
	signIn := func(n *node) int {
		status, _, _ := n.asks("POST", "/api/v1/login", nil, map[string]string{"email": "owner@example.com", "password": ownerPassword})
		return status
	}
	more("at first")
	for i, n := range nodes {
		n.kill()
		more("a node is away")
		other := nodes[(i+1)%3]
		until(t, "another node answers", func() bool { return ask(other) == http.StatusOK })
		n.start()
	}
	master := redis.Master()
	master.Kill()
	redis.WaitFailover(master)
	more("the master of Redis is away")
	master.Restart()
	redis.WaitOK()

	for i := range 2 {
		shard := cold.Shard(i)[0]
		shard.Kill()
		more("a shard of ClickHouse is away")
		until(t, "a question has no answer", func() bool { return ask(nodes[i]) == http.StatusServiceUnavailable })
		if got := signIn(nodes[i]); got != http.StatusOK {
			t.Errorf("sign-in while a shard is away: %d", got)
		}
		shard.Restart()
		until(t, "questions are answered again", func() bool { return ask(nodes[i]) == http.StatusOK })
	}

	database.Kill()
	more("PostgreSQL is away")
	if got := signIn(nodes[2]); got != http.StatusServiceUnavailable {
		t.Errorf("sign-in while PostgreSQL is away: %d", got)
	}
	database.Restart(t)
	until(t, "sign-in works again", func() bool { return signIn(nodes[2]) == http.StatusOK })
	more("all is there again")
	stop()
	for _, n := range nodes {
		until(t, "each node has all events", func() bool { return n.total(p) == l.count() })
	}
	if l.again.Load() == 0 {
		t.Error("no batch was sent again: nothing was killed under one")
	}
	t.Logf("%d events acknowledged, %d batches sent again", l.count(), l.again.Load())
	for _, n := range nodes {
		n.stop()
	}
}
