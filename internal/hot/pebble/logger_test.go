package pebble_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weir-analytics/weir/internal/hot/pebble"
)

func TestAnErrorThatPebbleRepeatsIsLoggedOnceASecondWithACount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		l := pebble.NewLogger(slog.New(slog.NewTextHandler(&out, nil)))
		for range 25_000 { // in 2.5 s
			l.Errorf("background error: %s", "too many open files")
			time.Sleep(100 * time.Microsecond) //nolint:forbidigo // the bubble's clock
		}
		l.Errorf("another: %d", 1)
		time.Sleep(5 * time.Second) //nolint:forbidigo // the bubble's clock; what came last is told without a further one
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 5 || !strings.Contains(out.String(), "another: 1") {
			t.Fatalf("%d lines, want 5:\n%s", len(lines), out.String())
		}
		if n := strings.Count(out.String(), "times="); n != 3 {
			t.Errorf("%d lines tell how often, want 3:\n%s", n, out.String())
		}
	})
}
