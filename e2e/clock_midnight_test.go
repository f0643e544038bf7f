package e2e_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redistest"
)

// An event without a device is that of its sender's day. When it is sent again on the
// other side of midnight UTC it is the same event: after an honest midnight, after a
// clock went back, and to a node whose clock differs.
func TestARetryIsKnownOnTheOtherSideOfMidnight(t *testing.T) {
	for _, hot := range []string{"pebble", "redis"} {
		t.Run(hot, func(t *testing.T) {
			onlyOn(t, hot, "duckdb")
			data := t.TempDir()
			args := []string{"--listen", "127.0.0.1:0", "--data", data, "--log-level", "error"}
			if hot == "redis" {
				args = append(args, "--hot", redistest.Start(t).URL())
			}
			type node struct {
				*server
				clock *clock
			}
			clock := newClock(t, 0)
			one := node{start(t, binary(t, "clocked"), args...), clock}
			two := one
			if hot == "redis" {
				clock = newClock(t, 0)
				args := append(args, "--roles", "ingest", "--data", t.TempDir(), "--meta", "sqlite:"+filepath.Join(data, "meta.db"), "--key-ring", filepath.Join(data, "keys"))
				two = node{start(t, binary(t, "clocked"), args...), clock}
			}
			p := one.project("UTC")
			midnight := time.Now().Truncate(24 * time.Hour).Add(24 * time.Hour)
			at := func(n node, d time.Duration) {
				n.clock.set(time.Until(midnight.Add(d)))
				n.clock.isSeen()
			}
			type sent struct {
				to node
				at time.Duration
			}
			const ms = time.Millisecond
			for i, c := range []struct {
				what string
				ago  time.Duration // how old the event is
				sent []sent        // the same event
			}{
				{"honestly", 0, []sent{{one, -200 * ms}, {one, 100 * ms}}},
				{"back by 0.3 s", 0, []sent{{one, 100 * ms}, {one, -200 * ms}, {one, 100 * ms}}},
				{"back by an hour, an event of hours ago", 5 * time.Hour, []sent{{one, 100 * ms}, {one, -time.Hour}, {one, time.Hour}}},
				{"to a node whose clock is behind", 0, []sent{{one, 100 * ms}, {two, -200 * ms}}},
				{"to a node whose clock is ahead", 0, []sent{{two, -200 * ms}, {one, 100 * ms}, {two, -100 * ms}}},
			} {
				// Each visitor is new: none has a device of before.
				event := fmt.Sprintf(`{"id":"%d","name":"a","ip":"198.51.100.%d","ts":%q}`, i, i, midnight.Add(-c.ago-time.Second).Format(time.RFC3339Nano))
				for n, s := range c.sent {
					at(s.to, s.at)
					if r := s.to.send(p, event); r.Accepted != 1-min(n, 1) || r.Duplicates != min(n, 1) {
						t.Errorf("%s: attempt %d: %+v", c.what, n+1, r)
					}
				}
			}
			if two.server != one.server {
				two.stop()
			}
			one.stop()
		})
	}
}
