package e2e_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
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

// onlyOn skips the test when the torture is to be that of other stores.
func onlyOn(t *testing.T, hot, cold string) {
	only(t, "WEIR_TORTURE_HOT", hot, "pebble", "redis")
	only(t, "WEIR_TORTURE_COLD", cold, "duckdb", "clickhouse")
}

// onlyAsked skips the test unless the torture of that cold tier is asked for: with
// make torture, and not in each run of all tests, which has the same in another form.
func onlyAsked(t *testing.T, cold string) {
	if os.Getenv("WEIR_TORTURE_COLD") != cold {
		t.Skipf("with WEIR_TORTURE_COLD=%s", cold)
	}
}

func only(t *testing.T, variable, store string, known ...string) {
	switch s := os.Getenv(variable); {
	case s == "", s == store:
	case slices.Contains(known, s):
		t.Skipf("%s=%s", variable, s)
	default:
		t.Fatalf("%s=%q: there are %s", variable, s, strings.Join(known, " and "))
	}
}

func TestTortureLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	onlyOn(t, "pebble", "duckdb")
	newTorture(t, startAlone(t, binary(t, ""))).passes()
}

func TestTortureOfNodesOnRedis(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "duckdb")
	newTorture(t, onRedis(fleetOnRedis(t, binary(t, ""), 2))).passes()
}

func TestTortureOnClickHouse(t *testing.T) {
	t.Parallel()
	onlyAsked(t, "clickhouse")
	onlyOn(t, "pebble", "clickhouse")
	newTorture(t, startAloneOnClickHouse(t, binary(t, ""))).passes()
}

func TestTortureOfPeersOnRedisAndClickHouse(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "clickhouse")
	h := startPeers(t, binary(t, ""))
	tr := newTorture(t, h)
	stop := tr.load.ask(tr.project, h.addrs())
	tr.run(kills(t))
	answers := stop()
	if err := tr.check(); err != nil {
		t.Fatal(err)
	}
	tr.log()
	t.Logf("%d answers, %d of them with all that was acknowledged before; took over within %v; faults struck: %v; ClickHouse ended by itself %d times",
		answers.all, answers.complete, h.tookOver, h.cold.wire.strikes(), h.cold.ended.Load())
	if answers.complete == 0 {
		t.Error("no question was answered with all that was acknowledged before")
	}
}

// The torture must notice a server that commits a batch before it is written.
func TestTortureNoticesAPlantedBug(t *testing.T) {
	t.Parallel()
	onlyOn(t, "pebble", "duckdb")
	newTorture(t, startAlone(t, binary(t, "planted"))).notices(max(3, kills(t)/3), errMissing)
}

func TestTortureOfNodesOnRedisNoticesAPlantedBug(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "duckdb")
	f, _ := fleetOnRedis(t, binary(t, "planted"), 2)
	newTorture(t, drainHouse{f}).notices(max(3, kills(t)/3), errMissing)
}

func TestTortureOfPeersOnRedisAndClickHouseNoticesAPlantedBug(t *testing.T) {
	t.Parallel()
	onlyAsked(t, "clickhouse")
	onlyOn(t, "redis", "clickhouse")
	newTorture(t, writeHouse{startPeers(t, binary(t, "planted"))}).notices(2, errMissing)
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

// torture is a house and two projects in it. The clients of one send what devices do,
// each in order of time; those of the other, which are wild, send times in no order
// and bodies near the limits. All hang up now and then.
type torture struct {
	t             *testing.T
	house         house
	project, wild project
	load, wilds   *load
	hits          map[string]int // what was killed how often
}

func newTorture(t *testing.T, h house) *torture {
	tr := &torture{t: t, house: h, project: h.newProject(), wild: h.newProject(), hits: map[string]int{}}
	tr.load = newLoad(t, "c", 6, tr.project.Key, h.addrs()...)
	tr.wilds = newLoad(t, "w", 2, tr.wild.Key, h.addrs()...)
	tr.wilds.wild = true
	if h, ok := h.(interface{ pause() time.Duration }); ok {
		tr.load.pause = h.pause()
	}
	tr.wilds.pause = tr.load.pause + 10*time.Millisecond
	for _, l := range []*load{tr.load, tr.wilds} {
		l.hangUp, l.doubts = 20*time.Millisecond, true
	}
	return tr
}

// run hits the house n times while the clients send, then stops it.
func (tr *torture) run(n int) {
	stop, stopWilds := tr.load.start(), tr.wilds.start()
	for range n {
		time.Sleep(time.Duration(150+rand.IntN(1000)) * time.Millisecond)
		tr.hits[tr.house.hit()]++
	}
	time.Sleep(200 * time.Millisecond)
	stop()
	stopWilds()
	tr.house.stop()
}

// check compares what the house holds with what was acknowledged.
// check looks at what the stores have. ClickHouse's library may end while it is asked, see
// clickhousetest: then it is started again, and asked again.
func (tr *torture) check() error {
	err := tr.look()
	for end := time.Now().Add(30 * time.Second); isOff(err) && time.Now().Before(end); err = tr.look() {
		<-time.After(time.Second)
	}
	return err
}

// isOff says whether a server was not there, or ended while it was asked.
func isOff(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

func (tr *torture) look() error {
	return errors.Join(check(tr.t, tr.house, tr.project, tr.load), tr.checkWilds())
}

func (tr *torture) checkWilds() error {
	a, err := tr.house.audit()
	if err != nil {
		return err
	}
	defer a.close()
	a.project, a.acked = tr.wild.ID, tr.wilds.acked
	return errors.Join(a.events(tr.t.Context()), a.days(tr.t.Context()))
}

func (tr *torture) passes() {
	tr.run(kills(tr.t))
	if err := tr.check(); err != nil {
		tr.t.Fatal(err)
	}
	tr.log()
}

func (tr *torture) log() {
	for name, l := range map[string]*load{"in order": tr.load, "wild": tr.wilds} {
		tr.t.Logf("%s: killed %v; %d events acknowledged, %d batches sent again, %d of them since the sender hung up",
			name, tr.hits, len(l.acked), l.again.Load(), l.hung.Load())
	}
}

// notices tortures, n kills at a time, until the check finds what it must. A kill
// at a moment that does no harm shows nothing, and one between two batches loses
// open visits alone, so it may take some.
func (tr *torture) notices(n int, want error) {
	for end := time.Now().Add(2 * time.Minute); ; tr.house.start() {
		tr.run(n)
		err := tr.check()
		switch {
		case errors.Is(err, want):
			tr.t.Logf("noticed after %v: %v", tr.hits, err)
			return
		case time.Now().After(end):
			tr.t.Fatalf("the planted bug went unnoticed: %v; noticed is: %v", tr.hits, err)
		}
	}
}
