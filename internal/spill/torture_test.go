package spill_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// flapping goes from fault to fault, each for some calls, half of the time none.
func flapping(random *rand.Rand) func() fault {
	faults := []fault{refuses, full, hangs, forgets, half, late}
	now, left := none, 0
	return func() fault {
		if left--; left < 0 {
			now, left = none, random.IntN(60)
			if random.IntN(2) == 0 {
				now, left = faults[random.IntN(len(faults))], random.IntN(5)
			}
		}
		return now
	}
}

func TestManyWritersWhileTheHotTierFlaps(t *testing.T) {
	const writers, rounds, each = 8, 10, 500
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	o := quick
	o.Patience, o.Batch, o.MaxBytes = 100*time.Millisecond, 50, 64<<10
	r := newRig(t, o)
	r.run()
	var (
		wg      sync.WaitGroup
		refused atomic.Int64
		stop    = make(chan struct{})
	)
	for w := range writers {
		wg.Go(func() { refused.Add(r.write(w, seed, stop)) })
	}
	random := rand.New(rand.NewPCG(seed, writers))
	for range rounds {
		r.primary.each(flapping(random))
		before := r.spilled()
		until(t, "events are spilled", func() bool { return r.spilled() > before+each })
		// It comes back for good: the replay catches up with writers that go on.
		r.primary.now(none)
		r.untilCaughtUp()
		n := r.acknowledged()
		until(t, "events go straight through", func() bool { return r.acknowledged() > n+each })
	}
	close(stop)
	wg.Wait()
	r.untilCaughtUp()
	r.check()
	t.Logf("%d events, of which %d spilled; %d appends refused", r.acknowledged(), r.spilled(), refused.Load())
	if int(r.spilled()) > r.acknowledged()-rounds*each/2 {
		t.Error("hardly an event went straight through")
	}
}

func TestTheReplayCatchesUpWithSendersWhoAddFasterThanItTakesAway(t *testing.T) {
	o := quick
	o.Batch = 10
	r := newRig(t, o)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	r.primary.now(refuses)
	for w := range 8 {
		wg.Go(func() { r.write(w, 1, stop) })
	}
	until(t, "events are spilled", func() bool { return r.spilled() > 1000 })
	r.primary.now(slow)
	r.run()
	r.untilCaughtUp()
	close(stop)
	wg.Wait()
	r.untilCaughtUp()
	r.check()
}

// write appends events of three devices until stop, each request again and
// again until it has an answer, and returns how many it was refused.
func (r *rig) write(w int, seed uint64, stop <-chan struct{}) (refused int64) {
	random := rand.New(rand.NewPCG(seed, uint64(w)))
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent := 0; ; {
		events := make([]weir.Event, 1+random.IntN(12))
		for i := range events {
			events[i] = event(fmt.Sprintf("%d-%08d", w, sent), fmt.Sprintf("w%d-%d", w, sent%3))
			sent++
		}
		for _, err := r.append(events...); err != nil; _, err = r.append(events...) {
			refused++
			<-tick.C
		}
		if _, err := r.Seen(context.Background(), "p", []hot.SeenQuery{{Device: events[0].DeviceID}}, time.Now()); err != nil {
			r.t.Error(err)
		}
		select {
		case <-stop:
			return refused
		default:
		}
	}
}

func (r *rig) acknowledged() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.acked)
}

// doubling is a hot tier that knows no id.
type doubling struct{ *shaky }

func (d doubling) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	again := make([]hot.Item, len(items))
	for i, it := range items {
		e := *it.Event
		e.ProjectID = fmt.Sprint(e.ProjectID, rand.Uint64())
		again[i] = hot.Item{Event: &e, Location: it.Location}
	}
	return d.shaky.Append(ctx, again)
}

// The checks of this package rest on check. Here it must find something.
func TestADoubleWouldBeFound(t *testing.T) {
	r := newRig(t, quick)
	r.startBetween(doubling{r.primary}, r.local)
	r.primary.now(forgets)
	r.send(5)
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	twice := map[string]int{}
	for _, e := range r.inPrimary() {
		twice[e.ID]++
	}
	for id := range r.acked {
		if twice[id] != 2 {
			t.Errorf("%s stands %d times in a hot tier that knows no id, want 2", id, twice[id])
		}
	}
}
