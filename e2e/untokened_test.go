package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/redistest"
)

// A drain writes to ClickHouse while the way to it breaks again and again, so that
// answers are lost to writes that ClickHouse has taken.

func TestAWriteWhoseAnswerIsLostIsStoredOnce(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "clickhouse")
	if errs := loseAnswers(t, func(w cold.Writer) cold.Writer { return w }); len(errs) > 0 {
		t.Fatal(errs)
	}
}

// The check must notice a writer that does not say which batch it writes.
func TestTheCheckNoticesAWriterWithoutTokens(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "clickhouse")
	noticed(t, errTwice, func() error {
		errs := loseAnswers(t, func(w cold.Writer) cold.Writer { return &untokened{Writer: w} })
		t.Log("noticed:", errs)
		for _, look := range []string{"tallies", "visits"} {
			if errs[look] == nil {
				return fmt.Errorf("%s: nothing noticed", look)
			}
		}
		if !errors.Is(errs["places"], errTwice) {
			return fmt.Errorf("places: %w", errs["places"])
		}
		return errs["events"]
	})
}

// noticed runs a check of something with a planted bug until it says what it should. The
// bug strikes by chance, and not in each run.
func noticed(t *testing.T, want error, check func() error) {
	t.Helper()
	const most = 5
	var err error
	for range most {
		if err = check(); errors.Is(err, want) {
			return
		}
		t.Logf("noticed %v, want %v", err, want)
	}
	t.Errorf("in %d runs noticed %v at last, want %v", most, err, want)
}

// untokened is a writer that writes a batch under another token each time.
type untokened struct {
	cold.Writer
	count atomic.Int64
}

func (u *untokened) Write(ctx context.Context, b *cold.Batch) error {
	c := *b
	c.Token = fmt.Sprint(b.Token, " ", u.count.Add(1))
	c.Again = false
	return u.Writer.Write(ctx, &c)
}

// loseAnswers drains a log to ClickHouse, with a bug planted in what it writes
// with, until some answers were lost. It returns what each look at what is stored
// finds, of those that find something.
func loseAnswers(t *testing.T, plant func(cold.Writer) cold.Writer) map[string]error {
	f := &fleet{t: t, hot: redistest.Start(t).URL()}
	log, closeLog, err := f.openLog()
	if err != nil {
		t.Fatal(err)
	}
	c := startClickHouse(t, newRand(t))
	u, err := clickhouse.Parse(c.through())
	if err != nil {
		t.Fatal(err)
	}
	store, err := clickhouse.Open(t.Context(), u, clickhouse.Options{Wait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	var failed atomic.Int64
	stop := runDrain(log, plant(store), drain.Options{
		Owner: "only", Backoff: 5 * time.Millisecond, Failed: func(int, error) { failed.Add(1) },
	})
	l := newLoad(t, "c", 1, "")
	drained := func() bool {
		n, err := waiting(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		return n == 0
	}
	for i := range 12 {
		// An answer is a few bytes, a batch some thousand, and so is what is asked before it:
		// somewhere the batch is through, and its answer is not.
		c.wire.set(fault{kind: cut, bytes: 4000 + 1500*i})
		before := failed.Load()
		l.appendBatch(log, "p")
		until(t, "a write fails", func() bool { return failed.Load() > before || drained() })
		c.wire.set(fault{})
		until(t, "the batch is drained", drained)
	}
	stop()
	if failed.Load() == 0 {
		t.Fatal("no write failed")
	}
	t.Logf("%d writes failed; faults struck: %v; ClickHouse ended by itself %d times", failed.Load(), c.wire.strikes(), c.ended.Load())
	a, err := c.audit(log, closeLog)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	a.project, a.acked = "p", l.acked
	errs := map[string]error{}
	for name, look := range a.looks() {
		if err := look(t.Context()); err != nil {
			errs[name] = err
		}
	}
	return errs
}
