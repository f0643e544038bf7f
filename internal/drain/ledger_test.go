package drain_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

// ledger is a cold tier in memory that fails on demand. The real ones are put
// to the same tests by their own suite and by the torture.
type ledger struct {
	mu      sync.Mutex
	batches map[string]*cold.Batch
	order   []*cold.Batch
	erased  cold.Erased
	twice   []string // tokens whose second write differed from the first
	// fail is asked before each write: its error is returned, after the batch
	// was kept when kept is true.
	fail func(b *cold.Batch) (kept bool, err error)
}

func newLedger() *ledger { return &ledger{batches: map[string]*cold.Batch{}} }

func (l *ledger) Spacing() time.Duration { return 0 }

func (l *ledger) Erased(context.Context, time.Time) (cold.Erased, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.erased), nil
}

func (l *ledger) mark(marks ...cold.Mark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.erased == nil {
		l.erased = cold.Erased{}
	}
	l.erased.Add(marks...)
}

func (l *ledger) Write(_ context.Context, b *cold.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kept bool
	var err error
	if l.fail != nil {
		kept, err = l.fail(b)
	}
	if err != nil && !kept {
		return err
	}
	if old, ok := l.batches[b.Token]; ok {
		if fmt.Sprint(old.Events, old.Visits) != fmt.Sprint(b.Events, b.Visits) {
			l.twice = append(l.twice, b.Token)
		}
		return err
	}
	c := *b
	c.Events = append([]weir.EventRow{}, b.Events...)
	c.Visits = append([]weir.VisitRow{}, b.Visits...)
	l.batches[b.Token] = &c
	l.order = append(l.order, &c)
	return err
}

func (l *ledger) setFail(f func(*cold.Batch) (bool, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fail = f
}

func (l *ledger) all() (events []weir.EventRow, visits []weir.VisitRow, dead []weir.DeadLetter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.order {
		events = append(events, b.Events...)
		visits = append(visits, b.Visits...)
		dead = append(dead, b.Dead...)
	}
	return events, visits, dead
}

var errDown = errors.New("cold tier is down")

// rig is a hot store with a ledger behind it.
type rig struct {
	t   *testing.T
	log hot.Store
	*ledger
	sent  int
	clock weir.Clock // of what is sent
}

func newRig(t *testing.T) *rig {
	t.Helper()
	log, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return &rig{t: t, log: log, ledger: newLedger()}
}

var quick = drain.Options{
	MaxBatch: 50, MaxAge: 20 * time.Millisecond, Poll: 2 * time.Millisecond,
	Backoff: time.Millisecond, BarrierWait: 20 * time.Second, SweepEvery: time.Hour,
}

// run runs a drain until the test ends or stop is called.
func (r *rig) run(log hot.Log, o drain.Options) (d *drain.Drain, stop func()) {
	r.t.Helper()
	return r.runOn(log, r.ledger, o)
}

// runOn is the same with another cold tier.
func (r *rig) runOn(log hot.Log, w cold.Writer, o drain.Options) (d *drain.Drain, stop func()) {
	r.t.Helper()
	d = drain.New(log, w, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = d.Run(ctx)
	}()
	stop = func() {
		cancel()
		<-done
	}
	r.t.Cleanup(stop)
	return d, stop
}

// send appends n events of a few devices.
func (r *rig) send(n int) {
	r.t.Helper()
	events := make([]weir.Event, n)
	its := make([]hot.Item, n)
	for i := range events {
		now := r.clock.Now()
		name := "click"
		if r.sent%3 == 0 {
			name = weir.NameScreenView
		}
		events[i] = weir.Event{
			ID: fmt.Sprint(r.sent), ProjectID: "p", Name: name, Time: now, ReceivedAt: now,
			DeviceID: fmt.Sprint("d", r.sent%10), Path: fmt.Sprint("/", r.sent%7),
		}
		its[i] = hot.Item{Event: &events[i], Location: time.UTC}
		r.sent++
	}
	if _, err := r.log.Append(context.Background(), its); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) flush(d *drain.Drain) {
	r.t.Helper()
	asked := time.Now()
	asOf, err := d.Flush(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	if asOf.Before(asked.Add(-time.Millisecond)) {
		r.t.Fatalf("as of %v, asked at %v", asOf, asked)
	}
}

// check checks that each event sent is in the cold tier once, that a device's
// are in order, and that visits and counters agree with them.
func (r *rig) check() {
	r.t.Helper()
	if len(r.twice) > 0 {
		r.t.Fatalf("replayed with other rows: %v", r.twice)
	}
	events, visits, dead := r.all()
	seen := map[string]bool{}
	last := map[int]uint64{}
	for _, e := range events {
		if seen[e.ID] {
			r.t.Fatalf("event %s twice", e.ID)
		}
		seen[e.ID] = true
		if e.Seq <= last[e.Shard] {
			r.t.Fatalf("shard %d: seq %d after %d", e.Shard, e.Seq, last[e.Shard])
		}
		last[e.Shard] = e.Seq
	}
	if len(seen)+len(dead) != r.sent {
		r.t.Fatalf("%d events and %d dead letters of %d sent", len(seen), len(dead), r.sent)
	}
	var inVisits int64
	there := map[weir.VisitRow]int{} // states that no row cancels
	for _, v := range visits {
		inVisits += int64(v.Sign) * v.Events
		n := int(v.Sign)
		v.Sign = 1
		if there[v] += n; there[v] < 0 || there[v] > 1 {
			r.t.Fatalf("%d times %+v", there[v], v)
		}
	}
	open := map[[2]string]int{}
	for v, n := range there {
		if open[[2]string{v.DeviceID, v.SessionID}] += n; open[[2]string{v.DeviceID, v.SessionID}] > 1 {
			r.t.Fatalf("two states of visit %s of %s", v.SessionID, v.DeviceID)
		}
	}
	if inVisits != int64(r.sent) {
		r.t.Fatalf("visits hold %d events of %d", inVisits, r.sent)
	}
	now := time.Now()
	points, err := r.log.Series(context.Background(), "p", hot.Day, hot.Total, "", now.Add(-48*time.Hour), now.Add(time.Hour))
	if err != nil {
		r.t.Fatal(err)
	}
	var counted int64
	for _, p := range points {
		counted += p.Count
	}
	if counted != int64(r.sent) {
		r.t.Fatalf("counters say %d of %d", counted, r.sent)
	}
}
