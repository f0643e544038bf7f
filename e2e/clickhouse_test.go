package e2e_test

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/hot"
)

// coldTier is a ClickHouse that nodes reach through a proxy.
type coldTier struct {
	*clickhousetest.Server
	wire   *proxy
	rand   *rand.Rand
	faults deck[faultKind]

	away  sync.Mutex   // held while it is
	ended atomic.Int64 // how often it ended by itself
}

func startClickHouse(t *testing.T, r *rand.Rand, options ...clickhousetest.Option) *coldTier {
	t.Helper()
	s := clickhousetest.Start(t, options...)
	c := &coldTier{Server: s, wire: startProxy(t, s.Addr, r.Uint64()), rand: r, faults: newDeck(r, reset, cut, halfClose, late, stall)}
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(done) })
	t.Cleanup(func() {
		close(done)
		watching.Wait()
	})
	return c
}

// watch starts ClickHouse again when it has ended by itself: a connection that is
// reset at a bad moment makes the library's server throw where it must not. To
// Weir it is a kill like others.
func (c *coldTier) watch(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		case <-time.After(100 * time.Millisecond):
		}
		c.away.Lock()
		conn, err := net.Dial("tcp", c.HTTP)
		switch {
		case err == nil:
			conn.Close()
		case errors.Is(err, syscall.ECONNREFUSED):
			c.ended.Add(1)
			c.Restart()
		}
		c.away.Unlock()
	}
}

// through is its URL by way of the proxy.
func (c *coldTier) through() string {
	return strings.Replace(c.URL("weir"), c.Addr, c.wire.addr, 1)
}

// What a coldTier can be hit with.
const (
	kill  = "ClickHouse"        // SIGKILL
	pause = "ClickHouse paused" // SIGSTOP for a moment
	wire  = "wire"              // a fault of the way to it
)

// hit does what there is, for a while, and calls during in the midst of it.
func (c *coldTier) hit(what string, during func()) string {
	span := func(most time.Duration) time.Duration { return time.Duration(c.rand.Int64N(int64(most))) }
	last := func(most time.Duration) {
		d := span(most)
		time.Sleep(d / 2)
		during()
		time.Sleep(d / 2)
	}
	switch what {
	case kill:
		c.kill()
		last(3 * time.Second)
		c.revive()
	case pause:
		c.away.Lock()
		c.Pause()
		last(5 * time.Second)
		c.Resume()
		c.away.Unlock()
	case wire:
		f := fault{
			kind:  c.faults.deal(),
			bytes: []int{300, 10_000, 300_000}[c.rand.IntN(3)], // it strikes greetings, requests, many of them
			delay: time.Duration(1+c.rand.IntN(200)) * time.Millisecond,
		}
		if f.kind == stall && c.rand.IntN(3) > 0 {
			f.bytes = 0
		}
		what = fmt.Sprint(wire, ": ", f.kind)
		c.wire.set(f)
		last(5 * time.Second)
		if c.rand.IntN(2) == 0 { // else what was under way goes on
			c.wire.set(fault{kind: reset})
		}
		c.wire.set(fault{})
	}
	return what
}

// kill ends it until revive.
func (c *coldTier) kill() {
	c.away.Lock()
	c.Kill()
}

func (c *coldTier) revive() {
	c.Restart()
	c.away.Unlock()
}

func (c *coldTier) restart() {
	c.kill()
	c.revive()
}

// audit is of a log that is open.
func (c *coldTier) audit(log hot.Store, closeLog func()) (audit, error) {
	db, err := sql.Open("clickhouse", c.URL("weir"))
	if err != nil {
		closeLog()
		return audit{}, err
	}
	return audit{hot: log, cold: db, sql: clickhouse.Dialect{}, place: "log, shard", close: func() { db.Close(); closeLog() }}, nil
}

// aloneOnClickHouse is a server with its log inside.
type aloneOnClickHouse struct {
	alone
	cold *coldTier
	deck deck[string]
}

func startAloneOnClickHouse(t *testing.T, path string) *aloneOnClickHouse {
	t.Helper()
	r := newRand(t)
	c, data := startClickHouse(t, r), t.TempDir()
	return &aloneOnClickHouse{
		alone{startNode(t, path, "--data", data, "--cold", c.through()), data},
		c, newDeck(r, "server", kill, pause, wire, wire, "all"),
	}
}

func (h *aloneOnClickHouse) pause() time.Duration { return clickHousePause }

// clickHousePause is that of a client between two batches. ClickHouse has to have
// some of the machine too.
const clickHousePause = 10 * time.Millisecond

func (h *aloneOnClickHouse) hit() string {
	switch what := h.deck.deal(); what {
	case "server":
		h.restart()
		return what
	case "all":
		h.kill()
		h.cold.restart()
		h.node.start()
		return what
	default:
		killed := false
		what = h.cold.hit(what, func() {
			if killed = h.cold.rand.IntN(2) == 0; killed {
				h.kill()
			}
		})
		if killed {
			h.node.start()
			what += " and server"
		}
		return what
	}
}

// stop waits until all is drained: ClickHouse, which was killed and stood still, may be further
// behind than a stop of the server waits for. ClickHouse is started again then, since it may abort
// when the server's connections end.
func (h *aloneOnClickHouse) stop() {
	h.t.Helper()
	until(h.t, "all is drained", func() bool { return h.metric("weir_drain_behind_events") == 0 })
	h.node.stop()
	h.cold.restart()
}

func (h *aloneOnClickHouse) audit() (audit, error) {
	log, closeLog, err := h.openLog()
	if err != nil {
		return audit{}, err
	}
	return h.cold.audit(log, closeLog)
}
