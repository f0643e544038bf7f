package e2e_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// Clients post events with ids that they know and try again on any doubt, while
// processes are killed at random moments. Afterwards what is stored must be
// what was acknowledged, once.

func kills(t *testing.T) int {
	s := os.Getenv("WEIR_TORTURE_KILLS")
	if s == "" {
		return 8
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("WEIR_TORTURE_KILLS=%q", s)
	}
	return n
}

// onlyOn skips the test when the torture is to be that of another hot tier.
func onlyOn(t *testing.T, tier string) {
	switch s := os.Getenv("WEIR_TORTURE_HOT"); s {
	case "", tier:
	case "pebble", "redis":
		t.Skipf("WEIR_TORTURE_HOT=%s", s)
	default:
		t.Fatalf("WEIR_TORTURE_HOT=%q: there are pebble and redis", s)
	}
}

func TestTortureLosesAndDoublesNothing(t *testing.T) {
	onlyOn(t, "pebble")
	newTorture(t, startAlone(t, binary(t, ""))).passes()
}

func TestTortureOfNodesOnRedis(t *testing.T) {
	onlyOn(t, "redis")
	f, r := fleetOnRedis(t, binary(t, ""), 2)
	newTorture(t, &redisHouse{fleet: f, redis: r}).passes()
}

// The torture must notice a server that commits a batch before it is written.
func TestTortureNoticesAPlantedBug(t *testing.T) {
	onlyOn(t, "pebble")
	newTorture(t, startAlone(t, binary(t, "planted"))).notices(errMissing)
}

func TestTortureOfNodesOnRedisNoticesAPlantedBug(t *testing.T) {
	onlyOn(t, "redis")
	f, _ := fleetOnRedis(t, binary(t, "planted"), 2)
	newTorture(t, drainHouse{f}).notices(errMissing)
}

// house is what is tortured: a server, or several nodes and their Redis.
type house interface {
	start() // all that stop has stopped
	newProject() project
	addrs() []string       // of those that take events
	hit() (what string)    // kills something, and starts it again
	stop()                 // all of it in order, with nothing left to drain
	audit() (audit, error) // of what it holds when it is stopped; the test's end closes it
}

type torture struct {
	t       *testing.T
	house   house
	project project
	load    *load
	hits    map[string]int // what was killed how often
}

func newTorture(t *testing.T, h house) *torture {
	p := h.newProject()
	return &torture{t, h, p, newLoad(t, "c", 6, p.Key, h.addrs()...), map[string]int{}}
}

// run hits the house n times while the clients send, then stops it.
func (tr *torture) run(n int) {
	stop := tr.load.start()
	for range n {
		time.Sleep(time.Duration(150+rand.IntN(1000)) * time.Millisecond)
		tr.hits[tr.house.hit()]++
	}
	time.Sleep(200 * time.Millisecond)
	stop()
	tr.house.stop()
}

// check compares what the house holds with what was acknowledged.
func (tr *torture) check() error { return check(tr.t, tr.house, tr.project, tr.load) }

func (tr *torture) passes() {
	tr.run(kills(tr.t))
	if err := tr.check(); err != nil {
		tr.t.Fatal(err)
	}
	tr.t.Logf("killed %v; %d events acknowledged, %d batches sent again", tr.hits, len(tr.load.acked), tr.load.again.Load())
}

// notices tortures until the check finds what it must. A kill at a moment that
// does no harm shows nothing, so it may take some.
func (tr *torture) notices(want error) {
	for end := time.Now().Add(2 * time.Minute); ; tr.house.start() {
		tr.run(max(8, kills(tr.t)/3))
		err := tr.check()
		switch {
		case errors.Is(err, want):
			tr.t.Logf("noticed after %v: %v", tr.hits, err)
			return
		case err != nil:
			tr.t.Fatalf("noticed something else: %v", err)
		case time.Now().After(end):
			tr.t.Fatalf("the planted bug went unnoticed: %v", tr.hits)
		}
	}
}
