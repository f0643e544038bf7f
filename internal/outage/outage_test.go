package outage_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/weir-analytics/weir/internal/outage"
)

// rig is a Log whose lines are read without their times.
type rig struct {
	*outage.Log
	now time.Time
	out bytes.Buffer
}

func newRig() *rig {
	r := &rig{now: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	h := slog.NewTextHandler(&r.out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
	r.Log = outage.New(slog.New(h), func() time.Time { return r.now }, "waiting", "back")
	return r
}

func (r *rig) check(t *testing.T, want ...string) {
	t.Helper()
	if d := cmp.Diff(want, strings.Split(strings.TrimSpace(r.out.String()), "\n")); d != "" {
		t.Error(d)
	}
}

var errAway = errors.New("refused")

func TestAnOutageIsLoggedWhenItBeginsOnceAMinuteAndWhenItEnds(t *testing.T) {
	r := newRig()
	r.Up()
	for range 4 * 150 { // four times a second
		r.Down(errAway, "shard", 3)
		r.now = r.now.Add(250 * time.Millisecond)
	}
	r.Up("shard", 3)
	r.Up("shard", 3)
	r.check(t,
		"level=WARN msg=waiting shard=3 error=refused",
		"level=WARN msg=waiting shard=3 error=refused failures=241 for=1m0s",
		"level=WARN msg=waiting shard=3 error=refused failures=481 for=2m0s",
		"level=INFO msg=back shard=3 after=2m30s failures=600",
	)
}

func TestOutageThatFlapsIsLoggedAtMostEveryTenSeconds(t *testing.T) {
	r := newRig()
	for range 4 * 30 {
		r.Down(errAway)
		r.Up()
		r.now = r.now.Add(250 * time.Millisecond)
	}
	if n := strings.Count(r.out.String(), "\n"); n != 6 {
		t.Errorf("%d lines in 30 s, want 6:\n%s", n, &r.out)
	}
}

func TestAShortOutageIsLoggedAtOnceThoughThereWasAnotherLongAgo(t *testing.T) {
	r := newRig()
	r.Down(errAway)
	r.Up()
	r.now = r.now.Add(11 * time.Second)
	r.Down(errAway)
	r.check(t, "level=WARN msg=waiting error=refused", "level=INFO msg=back after=0s failures=1", "level=WARN msg=waiting error=refused")
}
