package e2e_test

import (
	"testing"
	"time"
)

// quiet is a house in which nothing is killed.
type quiet struct{ house }

func (quiet) hit() string { return "nothing" }

// A sender that hangs up does not know what became of its events, and sends them again:
// while its first request is still on its way, often.
func TestRetryIsStoredOnceWhenTheFirstSenderHangsUp(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]func() house{
		"pebble": func() house { return startAlone(t, binary(t, "")) },
		"redis": func() house {
			f, r := fleetOnRedis(t, binary(t, ""), 1)
			return onRedis(f, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			onlyOn(t, name, "duckdb")
			tr := newTorture(t, quiet{h()})
			for end := time.Now().Add(2 * time.Minute); tr.load.hung.Load() < 50; tr.house.start() {
				if time.Now().After(end) {
					t.Fatalf("the senders hung up %d times only", tr.load.hung.Load())
				}
				tr.run(4)
				if err := tr.check(); err != nil {
					t.Fatal(err)
				}
			}
			tr.log()
		})
	}
}
