package e2e_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// outage is how long Redis is away.
const outage = 15 * time.Second

func TestSpillwayTakesEventsThroughALongOutage(t *testing.T) {
	t.Parallel()
	f, r := fleetOnRedis(t, binary(t, ""), 0)
	spills := f.addIngest("--spill", t.TempDir())
	refuses := f.addIngest()
	p := f.newProject()
	with := newLoad(t, "w", 3, p.Key, spills.addr)
	without := newLoad(t, "o", 2, p.Key, refuses.addr)
	with.pause, without.pause = 25*time.Millisecond, 25*time.Millisecond
	stopWith, stopWithout := with.start(), without.start()
	until(t, "events are taken", func() bool { return with.count() > 500 && without.count() > 500 })

	r.Kill()
	began := time.Now()
	before := with.count()
	until(t, "events go to the spillway", func() bool { return spills.metric("weir_spill_pending_events") > 0 })
	until(t, "events are refused without one", func() bool { return without.refused.Load() > 0 })
	if n := spills.status("/readyz"); n != http.StatusOK {
		t.Errorf("the node with the spillway is not ready: %d", n)
	}
	if n := refuses.status("/readyz"); n != http.StatusServiceUnavailable {
		t.Errorf("the node without one is ready: %d", n)
	}
	time.Sleep(outage - time.Since(began))
	if n := with.count() - before; n < 500 {
		t.Errorf("%d events were taken in the outage", n)
	}
	r.Restart()
	until(t, "the spillway is empty", func() bool { return spills.metric("weir_spill_pending_events") == 0 })
	after := without.count()
	until(t, "events are taken without one", func() bool { return without.count() > after+500 })
	stopWith()
	stopWithout()

	if n := with.again.Load(); n > 0 {
		t.Errorf("%d batches were sent again to the node with the spillway", n)
	}
	if n, all := without.refused.Load(), without.again.Load(); n < all {
		t.Errorf("%d refusals said when to come again, of %d", n, all)
	}
	until(t, "the spillway is empty", func() bool { return spills.metric("weir_spill_pending_events") == 0 })
	for name, want := range map[string]float64{"weir_spill_pending_bytes": 0, "weir_spill_oldest_seconds": 0} {
		if got := spills.metric(name); got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	spilled, replayed := spills.metric("weir_spill_events_total"), spills.metric("weir_spill_replayed_events_total")
	if spilled == 0 || spilled != replayed {
		t.Errorf("%v events were spilled, %v replayed", spilled, replayed)
	}
	f.stop()
	if err := check(t, f, p, with, without); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d events acknowledged, %v of them by the spillway; %d batches refused without one", with.count()+without.count(), spilled, without.refused.Load())
}

// metric is a number of /metrics that has no labels.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	raw, status := s.do("GET", "/metrics", "", "", nil)
	if status != http.StatusOK {
		s.t.Fatalf("metrics: %d: %s", status, raw)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				s.t.Fatal(err)
			}
			return n
		}
	}
	s.t.Fatalf("no metric %s", name)
	return 0
}

// status is that of a GET.
func (s *server) status(path string) int {
	s.t.Helper()
	_, status := s.do("GET", path, adminToken, "", nil)
	return status
}
