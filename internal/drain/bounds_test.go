package drain_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
)

// sendWide sends n events of as many devices, each with bytes of properties.
func (r *rig) sendWide(n, bytes int) {
	r.t.Helper()
	items := make([]hot.Item, n)
	for i := range items {
		now := r.clock.Now()
		items[i] = hot.Item{Event: &weir.Event{
			ID: fmt.Sprint(r.sent), ProjectID: "p", Name: "click", Time: now, ReceivedAt: now, DeviceID: fmt.Sprint("wide", r.sent),
			Properties: fmt.Appendf(nil, `{"x":"%s"}`, strings.Repeat("x", bytes)),
		}, Location: time.UTC}
		r.sent++
	}
	if _, err := r.log.Append(context.Background(), items); err != nil {
		r.t.Fatal(err)
	}
}

// size is the bytes of the batch's events as the log has them.
func sizeOf(rows []weir.EventRow) (n int) {
	for i := range rows {
		n += len(hot.AppendRecord(nil, &rows[i].Event))
	}
	return n
}

func TestBatchIsBoundedInBytes(t *testing.T) {
	r := newRig(t)
	r.sendWide(300, 20_000)
	o := quick
	o.MaxBatch, o.Memory = 10_000, 4*400_000 // of each of four batches a quarter is for the texts as they are stored
	var mu sync.Mutex
	largest := 0
	o.Committed = func(c drain.Commit) {
		mu.Lock()
		defer mu.Unlock()
		largest = max(largest, sizeOf(c.Rows))
	}
	d, _ := r.run(r.log, o)
	r.flush(d)
	r.sendWide(3, 300_000) // more than a batch may have: each is a batch of its own
	r.flush(d)
	r.check()
	mu.Lock()
	defer mu.Unlock()
	if largest > 301_000 {
		t.Fatalf("a batch has %d bytes of events", largest)
	}
	for _, b := range r.order {
		if n := sizeOf(b.Events); n > 100_000 && len(b.Events) > 1 {
			t.Fatalf("a batch has %d events of %d bytes, limit 100000", len(b.Events), n)
		}
	}
}

// holding is a ledger that can say for sure what it holds.
type holding struct{ *ledger }

func (h holding) Holds(_ context.Context, token string) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, ok := h.batches[token]
	return ok, nil
}

// A server with much memory has begun a batch that is too large for the one that
// comes after it.
func TestIntentThatIsTooLargeForTheMemoryIsFinishedWithinIt(t *testing.T) {
	for _, step := range []string{"intend", "commit"} { // the batch is not in the cold tier yet; it is
		r := newRig(t)
		r.sendWide(200, 20_000)
		large := quick
		large.MaxBatch = 10_000
		crashed := make(chan struct{}, 16)
		large.Failed = func(int, error) {
			select {
			case crashed <- struct{}{}:
			default:
			}
		}
		left := new(atomic.Int32)
		left.Store(1)
		// It stands still at the crash, so that no step of it comes after.
		d := drain.New(crashing{r.log, step, step == "intend", left}, holding{r.ledger}, large)
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); _ = d.Run(ctx) }()
		<-crashed
		cancel()
		<-done

		o := quick
		o.MaxBatch, o.Memory = 10_000, 4*400_000
		d, _ = r.runOn(r.log, holding{r.ledger}, o)
		r.send(30)
		r.flush(d)
		r.check()
	}
}

// Batches are as large as what waits, within the memory: larger where the cold tier pays for small
// batches and writes one at a time.
func TestBatchesGrowWithTheBacklog(t *testing.T) {
	for _, tt := range []struct {
		holder bool
		memory int64
		most   int
	}{
		{holder: true, memory: 1 << 30, most: 12_000},
		{holder: true, memory: 12 << 20, most: 2_097}, // as of 512 MB
		{memory: 1 << 30, most: 10_000},
	} {
		r := newRig(t)
		for range 12 {
			r.sendOne(1000)
		}
		o := quick
		o.MaxBatch, o.Memory = 0, tt.memory
		var cold cold.Writer = r.ledger
		if tt.holder {
			cold = holding{r.ledger}
		}
		d, _ := r.runOn(r.log, cold, o)
		r.flush(d)
		r.check()
		most := 0
		for _, b := range r.order {
			most = max(most, len(b.Events))
		}
		if most != tt.most {
			t.Errorf("holder %t, %d MiB: the largest batch has %d events, want %d", tt.holder, tt.memory>>20, most, tt.most)
		}
	}
}

// sendOne sends n events of one device.
func (r *rig) sendOne(n int) {
	r.t.Helper()
	items := make([]hot.Item, n)
	for i := range items {
		now := r.clock.Now()
		items[i] = hot.Item{Event: &weir.Event{ID: fmt.Sprint(r.sent), ProjectID: "p", Name: "click", Time: now, ReceivedAt: now, DeviceID: "one"}, Location: time.UTC}
		r.sent++
	}
	if _, err := r.log.Append(context.Background(), items); err != nil {
		r.t.Fatal(err)
	}
}

func TestBatchThatIsTooLargeForTheColdTierIsHalved(t *testing.T) {
	r := newRig(t)
	r.setFail(func(b *cold.Batch) (bool, error) {
		if len(b.Events) > 7 || len(b.Events) == 1 && strings.HasSuffix(b.Events[0].ID, "99") {
			return false, fmt.Errorf("ledger: %w", cold.ErrTooLarge)
		}
		return false, nil
	})
	r.send(200)
	d, _ := r.runOn(r.log, holding{r.ledger}, quick)
	r.flush(d)
	if _, _, dead := r.all(); len(dead) > 2 {
		t.Fatalf("%d dead letters", len(dead))
	}
	events, _, dead := r.all()
	if len(events)+len(dead) != r.sent {
		t.Fatalf("%d events and %d dead letters of %d", len(events), len(dead), r.sent)
	}
}

// A project with as many open visits as it may have gets its events stored; its
// known devices go on with their visits, and other projects do not notice.
func TestProjectThatIsFullOpensNoVisits(t *testing.T) {
	r := newRig(t)
	o := quick
	o.OpenBytes, o.SweepEvery = 40_000, time.Millisecond
	var outside atomic.Int64
	o.Committed = func(c drain.Commit) { outside.Add(int64(c.Outside)) }
	left := new(atomic.Int32)
	left.Store(40)
	d, _ := r.run(crashing{r.log, "commit", false, left}, o) // one batch is done again: it decides the same
	r.send(100)                                              // ten devices
	r.flush(d)
	for range 40 {
		r.sendWide(50, 10)
		r.flush(d)
	}
	if outside.Load() == 0 {
		t.Fatal("2,000 devices have their visits in 40,000 bytes")
	}
	in := func() (visits, inVisits int64) {
		_, rows, _ := r.all()
		for _, v := range rows {
			visits += int64(v.Sign)
			inVisits += int64(v.Sign) * v.Events
		}
		return visits, inVisits
	}
	before, eventsBefore := in()
	if before > 1000 { // of 50 bytes each
		t.Fatalf("%d visits are open in 40,000 bytes", before)
	}
	r.send(100) // the first ten devices again
	r.flush(d)
	if visits, events := in(); visits != before || events != eventsBefore+100 {
		t.Fatalf("%d visits with %d events, want %d with %d: known devices go on", visits, events, before, eventsBefore+100)
	}
	events, _, _ := r.all()
	if len(events) != r.sent || len(r.twice) > 0 {
		t.Fatalf("%d events of %d; done again with other rows: %v", len(events), r.sent, r.twice)
	}
}

// What is kept in memory changes nothing: visits come out the same when hardly any
// state has room.
func TestVisitsDoNotDependOnWhatIsKeptInMemory(t *testing.T) {
	for _, bytes := range []int64{1, 4 * 800, 1 << 20} {
		r := newRig(t)
		o := quick
		o.StateBytes = bytes
		d, _ := r.run(r.log, o)
		for range 20 {
			r.send(25)
			r.flush(d)
		}
		r.check()
		if kept := d.CachedStateBytes(); kept > bytes {
			t.Fatalf("%d bytes of states are kept, limit %d", kept, bytes)
		}
		_, visits, _ := r.all()
		n := 0
		for _, v := range visits {
			n += int(v.Sign)
		}
		if n != 10 {
			t.Fatalf("%d visits of ten devices, with %d bytes of memory", n, bytes)
		}
	}
}

// Events come without a pause; the visits of devices that are gone leave the state all the same.
func TestIdleVisitsLeaveTheStateOfAShardThatIsNeverIdle(t *testing.T) {
	r := newRig(t)
	c := &stepped{}
	o := quick
	o.Clock, o.SweepEvery = c.Now, time.Millisecond
	d, _ := r.run(r.log, o)
	const devices = 10_000 // several batches in one go
	r.sendWide(devices, 10)
	r.flush(d)
	c.by.Store(int64(61 * time.Minute))
	for gone := false; !gone; {
		r.send(500) // more than a batch: there is always one more
		gone = true
		for key := range r.open() {
			gone = gone && !strings.Contains(key, "wide")
		}
	}
	r.flush(d)
	r.check()
}
