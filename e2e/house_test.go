package e2e_test

import (
	"database/sql"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/redistest"
)

// node is a weir that is killed and started again, at one address.
type node struct {
	*server // the process that runs, or ran last
	t       *testing.T
	path    string
	addr    string
	args    []string
}

func startNode(t *testing.T, path string, args ...string) *node {
	t.Helper()
	addr := freeAddr(t)
	n := &node{t: t, path: path, addr: addr, args: append([]string{"--listen", addr, "--log-level", "error"}, args...)}
	n.start()
	return n
}

func (n *node) start() {
	n.t.Helper()
	n.server = start(n.t, n.path, n.args...)
}

// kill ends the process as a crash would. One that has ended by itself is an
// error.
func (n *node) kill() {
	n.t.Helper()
	select {
	case <-n.done:
		n.t.Errorf("weir has ended by itself: %v\n%s", n.err, n.log)
	default:
	}
	n.server.kill()
}

func (n *node) restart() {
	n.t.Helper()
	n.kill()
	n.start()
}

// alone is a server with all of its stores inside.
type alone struct {
	*node
	data string
}

func startAlone(t *testing.T, path string) alone {
	t.Helper()
	data := t.TempDir()
	return alone{startNode(t, path, "--data", data), data}
}

func (a alone) newProject() project { return a.project("UTC") }

func (a alone) addrs() []string { return []string{a.addr} }

func (a alone) hit() string {
	a.restart()
	return "server"
}

func (a alone) audit() (audit, error) {
	log, closeLog, err := a.openLog()
	if err != nil {
		return audit{}, err
	}
	return openAudit(log, closeLog, a.data)
}

// openLog opens the hot tier of the stopped server.
func (a alone) openLog() (log hot.Store, closeLog func(), err error) {
	s, err := pebble.Open(filepath.Join(a.data, "hot"), pebble.Options{})
	if err != nil {
		return nil, nil, err
	}
	return s, func() { s.Close() }, nil
}

// openAudit is of a log that is open, and of the cold tier in the data folder.
func openAudit(log hot.Store, closeLog func(), data string) (audit, error) {
	db, err := sql.Open("duckdb", filepath.Join(data, "cold.duckdb")+"?access_mode=read_only")
	if err != nil {
		closeLog()
		return audit{}, err
	}
	return audit{hot: log, cold: db, sql: duckdb.Dialect{}, place: "shard", close: func() { db.Close(); closeLog() }}, nil
}

// redisHouse is a fleet of which each process is killed, its Redis too.
type redisHouse struct {
	*fleet
	redis *redistest.Server
	deck  deck[string]
}

func onRedis(f *fleet, r *redistest.Server) *redisHouse {
	return &redisHouse{f, r, newDeck(newRand(f.t), "drain", "ingest", "redis", "all")}
}

func (h *redisHouse) hit() (what string) {
	what = h.deck.deal()
	switch what {
	case "drain":
		h.drain.restart()
	case "ingest":
		h.ingest[rand.IntN(len(h.ingest))].restart()
	case "redis":
		h.redis.Restart()
	case "all": // as when the power goes
		all := h.nodes()
		kills := []func(){h.redis.Kill}
		for _, n := range all {
			kills = append(kills, n.kill)
		}
		for _, i := range rand.Perm(len(kills)) {
			kills[i]()
		}
		h.redis.Restart()
		h.start()
	}
	return what
}

// deck deals all cards in a random order before it deals one again.
type deck[T any] struct {
	rand  *rand.Rand
	cards []T
	rest  []T
}

func newDeck[T any](r *rand.Rand, cards ...T) deck[T] { return deck[T]{r, cards, nil} }

func (d *deck[T]) deal() T {
	if len(d.rest) == 0 {
		for _, i := range d.rand.Perm(len(d.cards)) {
			d.rest = append(d.rest, d.cards[i])
		}
	}
	card := d.rest[0]
	d.rest = d.rest[1:]
	return card
}

// newRand is made of WEIR_TORTURE_SEED, or of a seed that the log names.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("WEIR_TORTURE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("WEIR_TORTURE_SEED=%q", s)
		}
	}
	t.Logf("WEIR_TORTURE_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// drainHouse is a fleet of which only the node is killed that drains.
type drainHouse struct{ *fleet }

func (h drainHouse) hit() string {
	h.drain.restart()
	return "drain"
}
