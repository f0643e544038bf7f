package drain_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
)

func TestWhatWasAcknowledgedIsVisibleAfterAFlush(t *testing.T) {
	r := newRig(t)
	d, _ := r.run(r.log, quick)
	for i := range 60 {
		r.send(1 + i)
		r.flush(d)
		r.check()
	}
}

func TestFlushesAtOnceShareTheirBatches(t *testing.T) {
	r := newRig(t)
	o := quick
	o.MaxAge = time.Hour
	o.MaxBatch = 1000
	r.send(100)
	d, _ := r.run(r.log, o)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := d.Flush(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	r.check()
	if n := len(r.order); n > r.log.Shards() {
		t.Fatalf("%d batches for 50 flushes", n)
	}
}

func TestBatchesCloseByNumberAndByAge(t *testing.T) {
	r := newRig(t)
	var mu sync.Mutex
	largest, got := 0, make(chan int, 1000)
	o := quick
	o.Committed = func(c drain.Commit) {
		mu.Lock()
		defer mu.Unlock()
		largest = max(largest, len(c.Rows))
		got <- len(c.Rows)
	}
	r.send(1000)
	r.run(r.log, o)
	for n := 0; n < 1000; {
		n += <-got
	}
	r.send(3) // fewer than a batch: only age closes it
	for n := 0; n < 3; {
		n += <-got
	}
	r.check()
	if largest != o.MaxBatch {
		t.Fatalf("largest batch %d, want %d", largest, o.MaxBatch)
	}
}

func TestAColdTierThatIsAwayStopsOnlyTheDrain(t *testing.T) {
	r := newRig(t)
	var refused atomic.Int32
	away := make(chan struct{})
	r.setFail(func(*cold.Batch) (bool, error) {
		if refused.Add(1) == 20 {
			close(away)
		}
		return false, errDown
	})
	o := quick
	o.BarrierWait = 10 * time.Millisecond
	d, _ := r.run(r.log, o)
	r.send(200)
	acked := time.Now()
	<-away
	r.send(200)
	asOf, err := d.Flush(context.Background())
	if err != nil || asOf.After(acked) {
		t.Fatalf("as of %v (%v), though what was acknowledged until %v is not there", asOf, err, acked)
	}
	if n, err := d.Behind(context.Background()); n != 400 || err != nil {
		t.Fatalf("behind %d, want 400 (%v)", n, err)
	}
	r.setFail(nil)
	for n := uint64(1); n > 0; {
		if _, err := d.Flush(context.Background()); err != nil {
			t.Fatal(err)
		}
		n, _ = d.Behind(context.Background())
	}
	r.check()
}

func TestBatchCountsOnceWhenTheAnswerToItsWriteIsLost(t *testing.T) {
	r := newRig(t)
	var n atomic.Int32
	r.setFail(func(*cold.Batch) (bool, error) {
		if n.Add(1)%2 == 1 {
			return true, errDown // kept, but the writer is not told
		}
		return false, nil
	})
	d, _ := r.run(r.log, quick)
	r.send(500)
	r.flush(d)
	r.check()
}

func TestARowThatIsRefusedGoesToTheDeadLetters(t *testing.T) {
	r := newRig(t)
	r.setFail(func(b *cold.Batch) (bool, error) {
		for i, e := range b.Events {
			if strings.HasSuffix(e.ID, "7") {
				return false, &cold.RowError{Index: i, Reason: "seven"}
			}
		}
		return false, nil
	})
	d, _ := r.run(r.log, quick)
	r.send(100)
	r.flush(d)
	r.check()
	_, _, dead := r.all()
	if len(dead) != 10 {
		t.Fatalf("%d dead letters, want 10", len(dead))
	}
	for _, l := range dead {
		if l.Reason != "seven" || l.ProjectID != "p" || l.Seq == 0 || !strings.Contains(string(l.Event), `7"`) {
			t.Fatalf("%+v", l)
		}
	}
}

// crashing is a log that fails once at a step, as if the process had died
// there: what the step did stands or does not.
type crashing struct {
	hot.Log
	step  string // "intend" or "commit"
	after bool   // fail after the step was done
	left  *atomic.Int32
}

func (c crashing) fails(step string) bool { return step == c.step && c.left.Add(-1) == 0 }

var errCrash = errors.New("crash")

func (c crashing) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	if c.fails("intend") {
		if c.after {
			if err := c.Log.Intend(ctx, l, in); err != nil {
				return err
			}
		}
		return errCrash
	}
	return c.Log.Intend(ctx, l, in)
}

func (c crashing) Commit(ctx context.Context, l hot.Lease, in hot.Intent, ch []hot.Change) error {
	if c.fails("commit") {
		if c.after {
			if err := c.Log.Commit(ctx, l, in, ch); err != nil {
				return err
			}
		}
		return errCrash
	}
	return c.Log.Commit(ctx, l, in, ch)
}

func TestACrashAtAnyStepNeitherLosesNorDoubles(t *testing.T) {
	for _, step := range []string{"intend", "commit"} {
		for _, after := range []bool{false, true} {
			for nth := range int32(4) {
				r := newRig(t)
				left := new(atomic.Int32)
				left.Store(nth + 1)
				crashed := make(chan struct{}, 1)
				o := quick
				o.Failed = func(_ int, err error) {
					if errors.Is(err, errCrash) {
						crashed <- struct{}{}
					}
				}
				_, stop := r.run(crashing{r.log, step, after, left}, o)
				for range 30 {
					r.send(10)
				}
				<-crashed
				stop()
				d, _ := r.run(r.log, quick) // the next process
				r.send(20)
				r.flush(d)
				r.check()
			}
		}
	}
}

func TestADeposedOwnerCommitsNothing(t *testing.T) {
	r := newRig(t)
	writing, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.send(1)
	o := quick
	o.Owner, o.LeaseTTL = "paused", 30*time.Millisecond
	fenced := make(chan struct{}, 16)
	o.Failed = func(_ int, err error) {
		if errors.Is(err, hot.ErrFenced) {
			fenced <- struct{}{}
		}
	}
	// The first owner's process stands still in its write for longer than its lease.
	paused := pausing{r.ledger, func() { once.Do(func() { close(writing); <-goOn }) }}
	d1 := drain.New(still{r.log, writing, goOn}, paused, o)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = d1.Run(ctx) })
	<-writing
	o2 := quick
	o2.Owner = "next"
	d2, _ := r.run(r.log, o2)
	r.flush2(d2)
	r.send(30)
	r.flush2(d2)
	close(goOn)
	<-fenced
	r.flush2(d2)
	cancel()
	wg.Wait()
	r.check()
}

// still is a log whose leases are not renewed while its process stands still.
type still struct {
	hot.Store
	from, to <-chan struct{}
}

func (s still) Renew(ctx context.Context, l hot.Lease, ttl time.Duration) error {
	select {
	case <-s.from:
		<-s.to
	default:
	}
	return s.Store.Renew(ctx, l, ttl)
}

// flush2 flushes until nothing is behind: the other shards may still be the
// first owner's.
func (r *rig) flush2(d *drain.Drain) {
	r.t.Helper()
	for {
		if _, err := d.Flush(context.Background()); err != nil {
			r.t.Fatal(err)
		}
		n, err := d.Behind(context.Background())
		if err != nil {
			r.t.Fatal(err)
		}
		events, _, _ := r.all()
		if n == 0 || len(events) == r.sent {
			return
		}
	}
}

type pausing struct {
	cold.Writer
	pause func()
}

func (p pausing) Write(ctx context.Context, b *cold.Batch) error {
	p.pause()
	return p.Writer.Write(ctx, b)
}

func TestIdleVisitsLeaveTheStateAndWriteNothing(t *testing.T) {
	r := newRig(t)
	var ahead atomic.Int64
	o := quick
	o.SweepEvery = 5 * time.Millisecond
	o.Clock = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	d, _ := r.run(r.log, o)
	r.send(10)
	r.flush(d)
	if n := len(r.open()); n != 10 {
		t.Fatalf("%d devices have open visits, want 10", n)
	}
	r.setFail(func(b *cold.Batch) (bool, error) {
		t.Errorf("wrote %d events and %d states", len(b.Events), len(b.Visits))
		return true, nil
	})
	ahead.Store(int64(61 * time.Minute))
	for len(r.open()) > 0 {
		runtime.Gosched()
	}
	r.check()
}

// open is the stored state of each device with a visit.
func (r *rig) open() map[string]string {
	r.t.Helper()
	open := map[string]string{}
	for shard := range r.log.Shards() {
		for cursor := ""; ; {
			page, next, err := r.log.ScanState(r.t.Context(), shard, cursor, 1000)
			if err != nil {
				r.t.Fatal(err)
			}
			for _, c := range page {
				open[c.Key] = string(c.Value)
			}
			if cursor = next; cursor == "" {
				break
			}
		}
	}
	return open
}

func TestAsOfGoesOnWhileNothingComes(t *testing.T) {
	r := newRig(t)
	d, _ := r.run(r.log, quick)
	start := time.Now()
	for d.AsOf().Before(start) {
		runtime.Gosched()
	}
	if d.AsOf().After(time.Now()) {
		t.Fatal("as of a time to come")
	}
}

func TestADrainThatStopsLeavesItsShardsToTheNext(t *testing.T) {
	r := newRig(t)
	o := quick
	o.Owner, o.LeaseTTL = "one", time.Hour
	d, stop := r.run(r.log, o)
	r.send(10)
	r.flush(d)
	stop()
	r.send(10)
	o.Owner = "two"
	d, _ = r.run(r.log, o)
	r.flush(d)
	r.check()
}

func TestALogThatIsAwayLeavesWhatIsKnown(t *testing.T) {
	r := newRig(t)
	log := &headless{Store: r.log}
	d, _ := r.run(log, quick)
	r.send(10)
	r.flush(d)
	known := time.Now()
	log.away.Store(true)
	asOf, err := d.Flush(t.Context())
	if err != nil || asOf.IsZero() || asOf.After(time.Now()) {
		t.Fatalf("as of %v (%v)", asOf, err)
	}
	if age := known.Sub(asOf); age > 5*time.Second {
		t.Fatalf("as of %v before what was known", age)
	}
	fresh := drain.New(log, r.ledger, quick)
	if _, err := fresh.Flush(t.Context()); !errors.Is(err, errDown) {
		t.Fatalf("%v of a drain that knows nothing yet, want the log's error", err)
	}
}

// headless is a log whose progress cannot be read while it is away.
type headless struct {
	hot.Store
	away atomic.Bool
}

func (h *headless) Progress(ctx context.Context, shard int) (hot.Progress, error) {
	if h.away.Load() {
		return hot.Progress{}, errDown
	}
	return h.Store.Progress(ctx, shard)
}

// Somebody asks while the cold tier is away, of a drain that was never done.
func TestABarrierThatIsTooShortSaysUpToWhen(t *testing.T) {
	r := newRig(t)
	r.setFail(func(*cold.Batch) (bool, error) { return false, errDown })
	before := time.Now()
	r.send(10)
	after := time.Now()
	o := quick
	o.BarrierWait = 50 * time.Millisecond
	d, _ := r.run(r.log, o)
	asOf, err := d.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if asOf.Before(before.Add(-time.Millisecond)) || asOf.After(after) {
		t.Errorf("as of %v, want when the events came, %v to %v", asOf, before, after)
	}
}
