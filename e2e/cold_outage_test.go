package e2e_test

import (
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"
)

// coldOutage is how long ClickHouse is away: WEIR_OUTAGE seconds, or 8, or 15 in the long form.
func coldOutage(t *testing.T) time.Duration {
	s := os.Getenv("WEIR_OUTAGE")
	if s == "" {
		return time.Duration(longer(8, 15)) * time.Second
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("WEIR_OUTAGE=%q", s)
	}
	return time.Duration(n) * time.Second
}

func TestClickHouseOutage(t *testing.T) {
	perSecond := longer(2000, 10_000)
	h := startPeers(t, binary(t, ""))
	p := h.newProject()
	l := newLoad(t, "c", 8, p.Key, h.addrs()...)
	left := func() int {
		n, err := waiting(t.Context(), h.log)
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	}
	began := time.Now()
	stop := l.steady(perSecond)
	until(t, "events are drained", func() bool { return l.count() > 2*perSecond && left() < l.count()/2 })

	h.cold.kill()
	away := time.Now()
	for _, n := range h.nodes() {
		if status := n.status("/readyz"); status != http.StatusOK {
			t.Errorf("a node that takes events is not ready: %d", status)
		}
	}
	time.Sleep(coldOutage(t) - time.Since(away))
	behind := left()
	rate := float64(l.count()) / time.Since(began).Seconds()
	h.cold.revive()
	back := time.Now()
	until(t, "no more waits than comes in two seconds", func() bool { return left() < 2*int(rate) })
	caughtUp := time.Since(back)
	late := stop()

	t.Logf("%.0f events/s, late by %v at most; %d waited after %v without ClickHouse; caught up in %.1f s, while events came",
		rate, late.Round(time.Millisecond), behind, coldOutage(t), caughtUp.Seconds())
	if rate < 0.9*float64(perSecond) {
		t.Logf("this machine cannot do %d events/s", perSecond)
	}
	if again, refused := l.again.Load(), l.refused.Load(); again > 0 {
		t.Errorf("%d batches were not taken at once, %d of them refused", again, refused)
	}
	if behind < int(rate*coldOutage(t).Seconds()/2) {
		t.Errorf("%d events waited: was ClickHouse away?", behind)
	}
	h.stop()
	if err := check(t, h, p, l); err != nil {
		t.Fatal(err)
	}
}
