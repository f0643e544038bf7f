package spill_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func TestALongOutage(t *testing.T) {
	o := quick
	o.Batch = 500
	var largest int
	o.Replayed = func(events, _ int) { largest = max(largest, events) }
	r := newRig(t, o)
	stop := r.run()
	r.primary.now(refuses)
	for range 400 {
		r.send(100)
	}
	if events, _, _ := r.Pending(); events != 40_000 {
		t.Fatalf("%d events wait, want 40,000", events)
	}
	r.primary.now(none)
	r.untilCaughtUp()
	stop()
	r.check()
	if largest != 500 {
		t.Fatalf("largest batch %d, want 500", largest)
	}
}

func TestWhatExceedsTheCapIsRefusedAndNothingIsLost(t *testing.T) {
	o := quick
	o.MaxBytes = 64 << 10
	r := newRig(t, o)
	r.run()
	for round := range 3 {
		r.primary.now(refuses)
		refused := 0
		for refused < 5 {
			before := r.sent
			_, err := r.trySend(7)
			if errors.Is(err, hot.ErrFull) {
				refused++
				r.sent = before // the sender comes again
			} else if err != nil {
				t.Fatal(err)
			}
		}
		if _, bytes, _ := r.Pending(); bytes > o.MaxBytes || bytes < o.MaxBytes/2 {
			t.Fatalf("round %d: full at %d bytes of %d", round, bytes, o.MaxBytes)
		}
		r.primary.now(none)
		r.untilCaughtUp()
		r.send(7)
		r.check()
	}
}

func TestRoomComesBackWhileTheReplayIsUnderWay(t *testing.T) {
	o := quick
	o.MaxBytes, o.Batch = 64<<10, 5
	r := newRig(t, o)
	r.primary.now(refuses)
	for {
		if _, err := r.trySend(10); err != nil {
			r.sent -= 10
			break
		}
	}
	// The hot tier takes two batches and is away again.
	var n atomic.Int32
	r.primary.each(func() fault {
		if n.Add(1) <= 2 {
			return none
		}
		return refuses
	})
	r.run()
	until(t, "two batches are replayed", func() bool { return n.Load() > 2 })
	r.send(5)
	if !r.Spilling() {
		t.Fatal("spilling ended with events that wait")
	}
	r.primary.now(none)
	r.untilCaughtUp()
	r.check()
}

func TestALargeBatchIsCutByItsBytes(t *testing.T) {
	o := quick
	var batches atomic.Int32
	o.Replayed = func(events, _ int) {
		batches.Add(1)
		if events > 4 {
			t.Errorf("%d events of 1 MiB in a batch", events)
		}
	}
	r := newRig(t, o)
	r.primary.now(refuses)
	for i := range 10 {
		e := event(fmt.Sprint(i), "d")
		e.Properties = []byte(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`)
		if _, err := r.append(e); err != nil {
			t.Fatal(err)
		}
	}
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	r.check()
	if n := batches.Load(); n < 3 {
		t.Fatalf("%d batches of 10 MiB", n)
	}
}

func TestARestartGoesOnWithWhatWaits(t *testing.T) {
	r := newRig(t, quick)
	r.primary.now(refuses)
	stop := r.run()
	for range 30 {
		r.send(50)
	}
	stop()
	events, size, oldest := r.Pending()
	r.reopen()
	e, s, o := r.Pending()
	if e != events || s != size || o.Sub(oldest).Abs() > time.Minute || o.IsZero() || !r.Spilling() {
		t.Fatalf("%d events, %d bytes since %v wait, spilling %v; before: %d, %d, %v", e, s, o, r.Spilling(), events, size, oldest)
	}
	r.primary.now(none)
	r.send(50) // before the replay began: behind those that wait
	if n := len(r.inPrimary()); n != 0 {
		t.Fatalf("%d events overtook those that wait", n)
	}
	r.run()
	r.untilCaughtUp()
	r.check()
	r.reopen()
	if r.Spilling() {
		t.Fatal("a start with nothing to replay begins by spilling")
	}
}

func TestRunEndsThoughTheHotTierHangs(t *testing.T) {
	r := newRig(t, quick)
	r.primary.now(refuses)
	r.send(10)
	r.primary.now(hangs)
	<-r.primary.tried // of send
	stop := r.run()
	<-r.primary.tried
	stop()
	r.primary.now(none)
	r.run() // another, of the same Spillway
	r.untilCaughtUp()
	r.check()
}

func TestAnUnknownTimezoneIsWaitedFor(t *testing.T) {
	o := quick
	var asked atomic.Int32
	errMeta := errors.New("meta is away")
	o.Location = func(context.Context, string) (*time.Location, error) {
		if asked.Add(1) < 5 {
			return nil, errMeta
		}
		return time.UTC, nil
	}
	failed := make(chan error, 100)
	o.Failed = func(err error) { failed <- err }
	r := newRig(t, o)
	r.primary.now(refuses)
	r.send(10)
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	r.check()
	if err := <-failed; !errors.Is(err, errMeta) {
		t.Fatal(err)
	}
}

// An outage longer than the window in which the hot tier knows an id: what was
// spilled meets it for the first time, so there is nothing to know.
func TestAnOutageOfDays(t *testing.T) {
	var ahead atomic.Int64
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	o := quick
	o.Clock = clock
	r := newRig(t, o)
	r.primary.Store, r.local = openAt(t, clock, 4), openAt(t, clock, 1)
	r.start(r.local)
	r.primary.now(refuses)
	const hours = 72
	for hour := range hours {
		e := event(fmt.Sprintf("%08d", hour), "d")
		e.Time = clock().UTC().Truncate(time.Microsecond)
		e.ReceivedAt = e.Time
		if _, err := r.append(e); err != nil {
			t.Fatal(err)
		}
		ahead.Add(int64(time.Hour))
	}
	_, _, oldest := r.Pending()
	if d := clock().Sub(oldest); d < 71*time.Hour {
		t.Errorf("the oldest event waits for %s", d)
	}
	// A batch is applied and the process dies before it commits: the next one
	// does it again at once, long before the ids are forgotten.
	l := newLife(4) // claim and append
	r.primary.now(none)
	r.live(l)
	stop := r.run()
	r.untilDeadOr(l, func() bool { return false })
	stop()
	r.start(r.local)
	r.run()
	r.untilCaughtUp()
	r.check()
	points, err := r.primary.Series(t.Context(), "p", hot.Hour, hot.Total, "", clock().Add(-80*time.Hour), clock().Add(time.Hour))
	if err != nil || len(points) != hours {
		t.Errorf("events stand in %d hours of %d (%v)", len(points), hours, err)
	}
}

func openAt(t *testing.T, clock weir.Clock, shards int) *pebble.Store {
	t.Helper()
	s, err := pebble.Open(t.TempDir(), pebble.Options{Shards: shards, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
