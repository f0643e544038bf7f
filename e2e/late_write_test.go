package e2e_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redistest"
)

// A node's writes to ClickHouse hang on their way, after some bytes, longer than
// its leases last. Another node takes its shards over, does the same batches and
// later ones, and ClickHouse merges what it has. Then the rest of the bytes
// arrives, and the first node goes on where it was.
func TestALateWriteOfADeposedNodeIsStoredOnce(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "clickhouse")
	f := &fleet{t: t, hot: redistest.Start(t).URL()}
	log, closeLog, err := f.openLog()
	if err != nil {
		t.Fatal(err)
	}
	c := startClickHouse(t, newRand(t))
	open := func(url string) *clickhouse.Store {
		u, err := clickhouse.Parse(url)
		if err != nil {
			t.Fatal(err)
		}
		s, err := clickhouse.Open(t.Context(), u, clickhouse.Options{Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	far, near := &counted{Writer: open(c.through())}, open(c.URL("weir"))
	l := newLoad(t, "c", 1, "")
	appendSome := func() {
		t.Helper()
		for range 4 {
			l.appendBatch(log, "p")
		}
	}
	drained := func() bool {
		n, err := waiting(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		return n == 0
	}
	stalled := func() int { return c.wire.strikes()[stall] }
	late := 0
	for round := range 10 {
		if round%2 == 0 {
			c.wire.set(fault{kind: stall, bytes: 30_000}) // within what goes over a connection for a batch
		} else {
			c.wire.set(fault{kind: cut, bytes: 300}) // so that the write that hangs is a second one
		}
		before, failed := stalled(), atomic.Int64{}
		appendSome()
		stopFar := runDrain(deaf{log}, far, drain.Options{
			Owner: fmt.Sprint("far ", round), Backoff: 5 * time.Millisecond, Failed: func(int, error) { failed.Add(1) },
		})
		if round%2 == 1 {
			until(t, "a write fails", func() bool { return failed.Load() > 0 || drained() })
			c.wire.set(fault{kind: stall, bytes: 30_000})
		}
		until(t, "a write hangs", func() bool { return stalled() > before || drained() })
		stopNear := runDrain(log, near, drain.Options{Owner: "near"})
		until(t, "the other node drains all", drained)
		appendSome()
		until(t, "it goes on", drained)
		for _, table := range []string{"events", "visits", "tallies", "sightings"} {
			_, _ = c.Try("OPTIMIZE TABLE weir." + table + " FINAL") // unless ClickHouse has just ended by itself
		}
		if far.writing.Load() > 0 {
			late++
		}
		c.wire.set(fault{})
		until(t, "the late writes end", func() bool { return far.writing.Load() == 0 })
		stopFar()
		stopNear()
	}
	t.Logf("writes were late in %d rounds; faults struck: %v; ClickHouse ended by itself %d times", late, c.wire.strikes(), c.ended.Load())
	if late < 4 {
		t.Errorf("writes were late in %d rounds only", late)
	}
	a, err := c.audit(log, closeLog)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	a.project, a.acked = "p", l.acked
	if err := a.check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// counted is a writer that counts the writes that it is at.
type counted struct {
	cold.Writer
	writing atomic.Int64
}

func (c *counted) Write(ctx context.Context, b *cold.Batch) error {
	c.writing.Add(1)
	defer c.writing.Add(-1)
	return c.Writer.Write(ctx, b)
}

// deaf is a log whose drain does not keep its leases, and does not hear that it
// has lost them before it commits.
type deaf struct{ hot.Store }

func (d deaf) Renew(context.Context, hot.Lease, time.Duration) error { return nil }
