package e2e_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is that of a server that was built with the tag clocked: the machine's, and
// what set adds to it. The server goes by a new value within milliseconds.
type clock struct {
	t    *testing.T
	file string

	mu     sync.Mutex
	offset time.Duration
	steps  int
}

func newClock(t *testing.T, offset time.Duration) *clock {
	t.Helper()
	c := &clock{t: t, file: filepath.Join(t.TempDir(), "clock")}
	t.Setenv("WEIR_TEST_CLOCK", c.file)
	c.set(offset)
	return c
}

// set makes the clock go before the machine's by so much, or after it.
func (c *clock) set(offset time.Duration) {
	c.t.Helper()
	if err := os.WriteFile(c.file+".new", []byte(offset.String()), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		c.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = offset
	c.steps++
}

func (c *clock) step(d time.Duration) { c.set(c.read() + d) }

// read is the offset.
func (c *clock) read() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// now is the server's time, and steps how often it was set.
func (c *clock) now() (now time.Time, steps int) {
	if c == nil {
		return time.Now(), 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset), c.steps
}

// untilNext is the time left until the next window of ids begins.
func untilNext(window, offset time.Duration) time.Duration {
	now := time.Now().Add(offset)
	return now.Truncate(window).Add(window).Sub(now)
}

// isSeen waits until the server goes by the clock.
func (c *clock) isSeen() {
	c.t.Helper()
	until(c.t, "the server sees its clock", func() bool {
		raw, err := os.ReadFile(c.file + ".seen")
		return err == nil && string(raw) == c.read().String()
	})
}

// clockHouse is a server whose clock is set back and forth while it runs.
type clockHouse struct {
	alone
	clock *clock
	deck  deck[string]
}

func startClocked(t *testing.T) clockHouse {
	t.Helper()
	c := newClock(t, 0)
	c.set(untilNext(24*time.Hour, 0) - 2*time.Second) // just before a window's end
	return clockHouse{startAlone(t, binary(t, "clocked")), c, newDeck(newRand(t), "0.3 s", "0.3 s", "1 h", "1 h", "server")}
}

func (h clockHouse) hit() string {
	what := h.deck.deal()
	d, isStep := map[string]time.Duration{"0.3 s": 300 * time.Millisecond, "1 h": time.Hour}[what]
	switch {
	case !isStep:
		h.restart()
	case rand.IntN(2) == 0:
		h.clock.step(-d)
	default:
		h.clock.step(d)
	}
	return what
}

func (h clockHouse) audit() (audit, error) {
	a, err := h.alone.audit()
	a.jumps = true
	return a, err
}

// Whatever the clock does, no event is lost or doubled, and no answer says that it is
// complete without what was acknowledged before.
func TestTortureOfTheClock(t *testing.T) {
	onlyOn(t, "pebble", "duckdb")
	h := startClocked(t)
	tr := newTorture(t, h)
	tr.load.clock, tr.wilds.clock = h.clock, h.clock
	stop := tr.load.ask(tr.project, h.addrs())
	tr.run(kills(t))
	answers := stop()
	if err := tr.check(); err != nil {
		t.Fatal(err)
	}
	tr.log()
	t.Logf("%d answers, %d of them complete", answers.all, answers.complete)
}

// A clock that is set back holds up no events.
func TestEventsAreDrainedWhenTheClockWasSetBack(t *testing.T) {
	onlyOn(t, "pebble", "duckdb")
	c := newClock(t, 0)
	s := start(t, binary(t, "clocked"), "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "error")
	p := s.project("UTC")
	l := newLoad(t, "c", 4, p.Key, strings.TrimPrefix(s.url, "http://"))
	l.clock, l.pause = c, 20*time.Millisecond
	stop := l.start()
	until(t, "events are taken", func() bool { return l.count() > 500 })
	until(t, "events are drained", func() bool { return s.total(p) > 500 })
	c.step(-time.Hour)
	c.isSeen()
	stopAsking := l.ask(p, []string{strings.TrimPrefix(s.url, "http://")})
	until(t, "events are taken after the step", func() bool { return l.count() > 3000 })
	stop()
	until(t, "all is drained", func() bool { return s.total(p) == l.count() })
	got := stopAsking()
	t.Logf("%d answers, %d of them complete", got.all, got.complete)
	if raw, status := s.do("GET", "/readyz", "", "", http.NoBody); status != http.StatusOK {
		t.Errorf("/readyz: %d: %s", status, raw)
	}
	s.stop()
}
