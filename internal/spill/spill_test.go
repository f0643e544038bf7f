package spill_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/spill"
)

var _ ingest.Log = (*spill.Spillway)(nil)

func TestEventsGoStraightThroughWhileTheHotTierIsThere(t *testing.T) {
	r := newRig(t, quick)
	r.run()
	r.send(20)
	r.sent = 10
	duplicates, err := r.trySend(15)
	if d := cmp.Diff([]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, duplicates); d != "" || err != nil {
		t.Fatal(d, err)
	}
	if seen, err := r.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "d3"}}, time.Now()); err != nil || seen[0] != hot.SeenDevice {
		t.Fatalf("seen %v (%v), want what the hot tier says", seen, err)
	}
	if n := r.spilled(); n != 0 || r.Spilling() {
		t.Fatalf("%d events spilled, spilling %v", n, r.Spilling())
	}
	r.check()
}

func TestAnOutageIsBridged(t *testing.T) {
	for _, f := range []fault{refuses, full, hangs, forgets, half, late} {
		t.Run("hot tier "+string(f), func(t *testing.T) {
			o := quick
			o.Patience = 20 * time.Millisecond
			r := newRig(t, o)
			r.run()
			r.send(30)
			r.primary.now(f)
			for range 20 {
				r.send(30)
			}
			if events, bytes, oldest := r.Pending(); events != 600 || bytes < 600*50 || time.Since(oldest) > time.Hour || !r.Spilling() {
				t.Fatalf("%d events, %d bytes since %v wait, spilling %v", events, bytes, oldest, r.Spilling())
			}
			r.primary.now(none)
			r.send(30)
			r.untilCaughtUp()
			r.check()
			before := r.spilled()
			r.send(30)
			if n := r.spilled() - before; n != 0 {
				t.Fatalf("%d events spilled after the outage", n)
			}
			r.check()
		})
	}
}

func TestCountersAreThoseOfAStoreWithoutAnOutage(t *testing.T) {
	zones := map[string]*time.Location{}
	for project, name := range map[string]string{"berlin": "Europe/Berlin", "kolkata": "Asia/Kolkata", "gone": "UTC", "auckland": "Pacific/Auckland"} {
		loc, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones[project] = loc
	}
	o := quick
	o.Location = func(_ context.Context, project string) (*time.Location, error) {
		if project == "gone" {
			return nil, nil
		}
		return zones[project], nil
	}
	r := newRig(t, o)
	calm := openStore(t, t.TempDir(), 4)
	r.primary.now(refuses)
	base := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Hour)
	for project, loc := range zones {
		var events []weir.Event
		for i := range 200 {
			e := event(fmt.Sprint(project, i), fmt.Sprint("d", i%17))
			e.ProjectID, e.Time, e.Name = project, base.Add(time.Duration(i)*8*time.Minute), fmt.Sprint("n", i%5)
			if i%3 == 0 {
				e.Name, e.Call = weir.NameCall, &weir.Call{Method: "GET", Route: fmt.Sprint("/", i%4), Status: 200 + i%300, Consumer: "c"}
			}
			events = append(events, e)
		}
		its := items(events)
		for i := range its {
			its[i].Location = loc
		}
		for _, s := range []interface {
			Append(context.Context, []hot.Item) ([]int, error)
		}{r, calm} {
			if _, err := s.Append(t.Context(), its); err != nil {
				t.Fatal(err)
			}
		}
	}
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	for project := range zones {
		if d := cmp.Diff(counters(t, calm, project), counters(t, r.primary, project)); d != "" {
			t.Errorf("%s: without an outage (-), after one (+):\n%s", project, d)
		}
	}
}

// counters returns all counts of a project by grain, dimension and bucket.
func counters(t *testing.T, c hot.Counters, project string) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	from, to := time.Now().Add(-72*time.Hour), time.Now().Add(72*time.Hour)
	for _, g := range hot.Grains {
		n, err := c.Uniques(t.Context(), project, g, from, to)
		if err != nil {
			t.Fatal(err)
		}
		all[fmt.Sprintf("%c uniques", g)] = n
		for _, d := range []hot.Dimension{hot.Total, hot.Calls, hot.Name, hot.Route, hot.Status, hot.Consumer} {
			members, err := c.Members(t.Context(), project, g, d, from, to, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				points, err := c.Series(t.Context(), project, g, d, m.Name, from, to)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range points {
					all[fmt.Sprintf("%c %c %s %s", g, d, m.Name, p.Start)] = p.Count
				}
			}
		}
	}
	return all
}

func TestAnEventSentTwiceInAnOutageIsADuplicate(t *testing.T) {
	r := newRig(t, quick)
	r.primary.now(refuses)
	r.send(5)
	_, bytes, _ := r.Pending()
	r.sent = 0
	duplicates, err := r.trySend(5)
	if len(duplicates) != 5 || err != nil {
		t.Fatalf("%v (%v)", duplicates, err)
	}
	if events, again, _ := r.Pending(); events != 5 || again != bytes {
		t.Fatalf("%d events of %d bytes wait, want 5 of %d", events, again, bytes)
	}
	r.primary.now(none)
	r.run()
	r.untilCaughtUp()
	r.check()
}

func TestAnEventOfBeforeTheOutageIsADuplicateAtTheReplay(t *testing.T) {
	o := quick
	var replayed, again, spilled int
	o.Replayed = func(events, duplicates int) { replayed, again = replayed+events, again+duplicates }
	o.Spilled = func(events int) { spilled += events }
	r := newRig(t, o)
	r.send(40)
	r.primary.now(refuses)
	r.sent = 30
	r.send(20)
	r.primary.now(none)
	stop := r.run()
	r.untilCaughtUp()
	stop()
	r.check()
	if spilled != 20 || replayed != 20 || again != 10 {
		t.Fatalf("spilled %d, replayed %d, of them %d duplicates; want 20, 20, 10", spilled, replayed, again)
	}
}

func TestAnEventOfAnotherNetworkIsADuplicateAfterTheOutage(t *testing.T) {
	r := newRig(t, quick)
	r.primary.now(refuses)
	at := time.Now().UTC().Truncate(time.Microsecond)
	for i, device := range []string{"at home", "at home", "away"} {
		if i == 2 {
			r.primary.now(none)
			r.run()
			r.untilCaughtUp()
		}
		e := weir.Event{ID: "order", ProjectID: "p", Name: "x", DeviceID: device, Roams: true, Time: at, ReceivedAt: at}
		duplicates, err := r.Append(t.Context(), []hot.Item{{Event: &e, Location: time.UTC}})
		if err != nil || len(duplicates) != min(i, 1) {
			t.Errorf("attempt %d: duplicates %v, %v", i, duplicates, err)
		}
	}
}

func TestACancelledRequestIsNoOutage(t *testing.T) {
	r := newRig(t, quick)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	e := event("1", "d")
	if _, err := r.Append(ctx, items([]weir.Event{e})); !errors.Is(err, context.Canceled) {
		t.Fatalf("append: %v", err)
	}
	if _, err := r.Seen(ctx, "p", []hot.SeenQuery{{Device: "d"}}, time.Now()); !errors.Is(err, context.Canceled) {
		t.Fatalf("seen: %v", err)
	}
	if r.Spilling() {
		t.Fatal("spilling")
	}
}

func TestAnOutageIsNoticedThoughEverySenderGivesUpFirst(t *testing.T) {
	o := quick
	o.Patience = 20 * time.Millisecond
	r := newRig(t, o)
	r.primary.now(hangs)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-r.primary.tried
		cancel()
	}()
	e := event("1", "d")
	if _, err := r.Append(ctx, items([]weir.Event{e})); err != nil {
		t.Fatal(err)
	}
	if n := r.spilled(); n != 1 || !r.Spilling() {
		t.Fatalf("%d events spilled, spilling %v", n, r.Spilling())
	}
}

func TestAClosedHotTierIsNoOutage(t *testing.T) {
	r := newRig(t, quick)
	if err := r.primary.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.trySend(1); !errors.Is(err, hot.ErrClosed) {
		t.Fatalf("append: %v", err)
	}
	if _, err := r.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "d"}}, time.Now()); !errors.Is(err, hot.ErrClosed) {
		t.Fatalf("seen: %v", err)
	}
	if r.Spilling() {
		t.Fatal("spilling")
	}
}

func TestAFailedLookUpBeginsAnOutageAndAnAnsweredOneEndsIt(t *testing.T) {
	r := newRig(t, quick)
	r.run()
	r.primary.now(refuses)
	if seen, err := r.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "d1"}}, time.Now()); err != nil || seen[0] != hot.Unseen || !r.Spilling() {
		t.Fatalf("seen %v (%v), spilling %v", seen, err, r.Spilling())
	}
	r.send(10)
	if seen, err := r.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "d1"}}, time.Now()); err != nil || seen[0] != hot.SeenDevice {
		t.Fatalf("seen %v (%v), though the local log has the device", seen, err)
	}
	r.primary.now(none)
	r.untilCaughtUp()
	r.primary.now(refuses)
	if _, err := r.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "d1"}}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-r.primary.tried
		if !r.Spilling() {
			t.Fatal("spilling ended while the hot tier is away")
		}
	}
	r.primary.now(none)
	r.untilCaughtUp()
	r.check()
}

func TestALocalLogOfSeveralShardsIsRefused(t *testing.T) {
	_, err := spill.New(t.Context(), nil, openStore(t, t.TempDir(), 4), spill.Options{})
	if err == nil || !strings.Contains(err.Error(), "4 shards") {
		t.Fatal(err)
	}
}

func TestBeginAndEndOfAnOutageAreLogged(t *testing.T) {
	var log bytes.Buffer
	o := quick
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	r := newRig(t, o)
	r.primary.now(refuses)
	r.send(10)
	r.send(10)
	r.primary.now(none)
	stop := r.run()
	r.untilCaughtUp()
	r.send(10)
	stop()
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `error="connection refused"`) ||
		!strings.Contains(lines[1], "events=20") || !strings.Contains(lines[1], "took=") {
		t.Fatalf("log:\n%s", &log)
	}
}
