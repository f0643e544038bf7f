package spill_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/spill"
)

// rig is a Spillway between two real stores.
type rig struct {
	t       testing.TB
	primary *shaky
	local   *pebble.Store
	dir     string // of local
	opt     spill.Options
	*spill.Spillway

	mu    sync.Mutex
	acked map[string]weir.Event
	sent  int
	began time.Time
}

func openStore(t testing.TB, dir string, shards int) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(dir, pebble.Options{Shards: shards})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// quick makes outages short.
var quick = spill.Options{Backoff: time.Millisecond, Batch: 50, Patience: 30 * time.Second}

func newRig(t testing.TB, o spill.Options) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), opt: o, acked: map[string]weir.Event{}, began: weir.Clock(nil).Now()}
	r.primary = &shaky{Store: openStore(t, t.TempDir(), 4), tried: make(chan struct{}, 1)}
	r.primary.now(none)
	r.local = openStore(t, r.dir, 1)
	r.start(r.local)
	return r
}

// start makes the Spillway, as a new process would.
func (r *rig) start(local spill.Local) {
	r.t.Helper()
	r.startBetween(r.primary, local)
}

func (r *rig) startBetween(primary spill.Primary, local spill.Local) {
	r.t.Helper()
	s, err := spill.New(context.Background(), primary, local, r.opt)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Spillway = s
}

// reopen is a new process on the same folder.
func (r *rig) reopen() {
	r.t.Helper()
	if err := r.local.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.local = openStore(r.t, r.dir, 1)
	r.start(r.local)
}

// run replays until the test ends or stop is called.
func (r *rig) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s := r.Spillway
	go func() {
		defer close(done)
		if err := s.Run(ctx); !errors.Is(err, context.Canceled) {
			r.t.Errorf("Run: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	r.t.Cleanup(stop)
	return stop
}

// until waits for what must come true.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(60 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never: %s", what)
		}
	}
}

func (r *rig) untilCaughtUp() {
	r.t.Helper()
	until(r.t, "the hot tier has everything", func() bool { return !r.Spilling() })
}

func event(id, device string) weir.Event {
	now := weir.Clock(nil).Now()
	return weir.Event{
		ID: id, ProjectID: "p", Name: "click", Time: now, ReceivedAt: now, DeviceID: device,
		Path: "/pricing", Properties: []byte(`{"plan":"pro"}`),
	}
}

func items(events []weir.Event) []hot.Item {
	its := make([]hot.Item, len(events))
	for i := range events {
		its[i] = hot.Item{Event: &events[i], Location: time.UTC}
	}
	return its
}

// send appends n events of ten devices in one append. Ids of a device ascend.
func (r *rig) send(n int) {
	r.t.Helper()
	if _, err := r.trySend(n); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) trySend(n int) (duplicates []int, err error) {
	events := make([]weir.Event, n)
	for i := range events {
		// The same each time that it is sent.
		events[i] = event(fmt.Sprintf("%08d", r.sent), fmt.Sprint("d", r.sent%10))
		events[i].Time = r.began.Add(time.Duration(r.sent) * time.Microsecond)
		events[i].ReceivedAt = events[i].Time
		r.sent++
	}
	return r.append(events...)
}

func (r *rig) append(events ...weir.Event) (duplicates []int, err error) {
	duplicates, err = r.Append(context.Background(), items(events))
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, e := range events {
			r.acked[e.ID] = e
		}
	}
	return duplicates, err
}

// check checks that the hot tier has each acknowledged event once and as it
// was, a device's in order, and counted each of its events once.
func (r *rig) check() {
	r.t.Helper()
	r.primary.later.Wait()
	if events, bytes, oldest := r.Pending(); events != 0 || bytes != 0 || !oldest.IsZero() {
		r.t.Errorf("pending: %d events, %d bytes, since %v", events, bytes, oldest)
	}
	seen := map[string]bool{}
	last := map[string]string{} // id of each device
	for _, e := range r.inPrimary() {
		if seen[e.ID] {
			r.t.Errorf("event %s stands twice in the hot tier", e.ID)
		}
		seen[e.ID] = true
		if e.ID <= last[e.DeviceID] {
			r.t.Errorf("device %s: %s after %s", e.DeviceID, e.ID, last[e.DeviceID])
		}
		last[e.DeviceID] = e.ID
		if sent, ok := r.acked[e.ID]; ok && string(hot.AppendRecord(nil, &sent)) != string(hot.AppendRecord(nil, &e)) {
			r.t.Errorf("event %s was\n%+v and is\n%+v", e.ID, sent, e)
		}
	}
	for id := range r.acked {
		if !seen[id] {
			r.t.Errorf("event %s was acknowledged and is not in the hot tier", id)
		}
	}
	if n := total(r.t, r.primary, "p", hot.Day); n != int64(len(seen)) {
		r.t.Errorf("counted %d of %d events", n, len(seen))
	}
}

// inPrimary reads every shard of the hot tier.
func (r *rig) inPrimary() []weir.Event {
	r.t.Helper()
	var events []weir.Event
	for shard := range r.primary.Shards() {
		for after := uint64(0); ; {
			records, err := r.primary.Read(context.Background(), shard, after, hot.Limit{Events: 1000})
			if err != nil {
				r.t.Fatal(err)
			}
			if len(records) == 0 {
				break
			}
			for _, rec := range records {
				events = append(events, rec.Event)
			}
			after = records[len(records)-1].Seq
		}
	}
	return events
}

// spilled returns how many events the local log ever took.
func (r *rig) spilled() uint64 {
	r.t.Helper()
	head, err := r.local.Head(context.Background(), 0)
	if err != nil {
		r.t.Fatal(err)
	}
	return head
}

func total(t testing.TB, c hot.Counters, project string, g hot.Grain) (n int64) {
	t.Helper()
	now := time.Now()
	points, err := c.Series(context.Background(), project, g, hot.Total, "", now.Add(-72*time.Hour), now.Add(72*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		n += p.Count
	}
	return n
}
