package e2e_test

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// soak is what a long run on a small machine does, one phase after the other.
type soak struct {
	steady  time.Duration
	rate    int           // events a second of the steady load
	devices int           // that send each phase's
	burst   time.Duration // at full speed
	past    int           // events of an import in order, over 30 days
	memory  int           // MiB that the process may take
}

func soakOf(t *testing.T) soak {
	t.Helper()
	long := func(name, other string) time.Duration {
		d, err := time.ParseDuration(cmp.Or(os.Getenv("WEIR_SOAK_"+name), other))
		if err != nil {
			t.Fatalf("WEIR_SOAK_%s: %v", name, err)
		}
		return d
	}
	number := func(name string, other int) int {
		n, err := strconv.Atoi(cmp.Or(os.Getenv("WEIR_SOAK_"+name), strconv.Itoa(other)))
		if err != nil || n < 0 {
			t.Fatalf("WEIR_SOAK_%s: %v", name, err)
		}
		return n
	}
	return soak{long("STEADY", "10m"), number("RATE", 2000), number("DEVICES", 100_000), long("BURST", "60s"), number("IMPORT", 5_000_000), number("MEMORY", 512)}
}

// A server with little memory takes a steady load, a burst and an import while a
// browser asks: it is never killed, it loses nothing, and it answers each question, or
// says that it does not. `make soak` runs it.
func TestSoakInLittleMemory(t *testing.T) {
	if os.Getenv("WEIR_SOAK") == "" {
		t.Skip("with make soak")
	}
	o := soakOf(t)
	group, kind := memoryGroup(t, o.memory)
	path := binary(t, "")
	if group != "" {
		path = inGroup(t, path, group)
	}
	s := start(t, path, "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--log-level", "warn", "--memory", fmt.Sprintf("%dMB", o.memory))
	idle := s.rss()
	p := s.project("UTC")
	stopWatching := s.watchMemory(t)
	b := newBrowser(s, p)
	stopAsking := b.start(10 * time.Second)

	var lines []string
	acked := 0
	phase := func(name string, run func(c *crowd)) {
		s.resetPeak()
		c := newCrowd(s, p, name, o.devices)
		began := time.Now()
		run(c)
		select {
		case <-s.done:
			t.Errorf("%s: weir was killed, or ended by itself: %v", name, s.err)
			t.FailNow()
		default:
		}
		took := time.Since(began)
		acked += int(c.acked.Load())
		asked := b.take()
		peak, _ := processStatus(s.cmd.Process.Pid, "VmHWM") // 0 if it has ended, which the watcher tells
		lines = append(lines, fmt.Sprintf("| %s | %.0f s | %d | %.0f | %d | %d / %d / %d | %.1f s | %d MiB |",
			name, took.Seconds(), c.acked.Load(), float64(c.acked.Load())/took.Seconds(), c.refused.Load(),
			asked.answered, asked.refused, asked.failed, asked.slowest.Seconds(), peak>>20))
		t.Log(lines[len(lines)-1])
		if c.acked.Load() == 0 {
			t.Errorf("%s: no event was taken", name)
		}
		if asked.failed > 0 {
			t.Errorf("%s: %d questions were neither answered nor refused: %s", name, asked.failed, asked.last)
		}
	}
	most, drained := int64(0), time.Duration(0)
	defer func() {
		t.Logf("\nlimit: %s; idle at the start: %d MiB; most at any 100 ms: %d MiB; all of %d events seen %.0f s after the last\n\n%s\n%s\n%s", kind, idle>>20, most>>20, acked, drained.Seconds(),
			"| phase | took | events | a second | requests refused | questions answered / refused / failed | slowest | peak RSS |", "|---|---|---|---|---|---|---|---|", strings.Join(lines, "\n"))
	}()
	phase("steady", func(c *crowd) { c.steady(o.rate, o.steady) })
	phase("burst", func(c *crowd) { c.burst(8, o.burst) })
	phase("import", func(c *crowd) { c.past(o.past) })

	began := time.Now()
	got := 0
	within(t, 10*time.Minute, "all that was acknowledged is there", func() bool { got = b.total(); return got >= acked })
	drained = time.Since(began)
	stopAsking()
	most = stopWatching()
	if got != acked {
		t.Errorf("%d events are there, %d were acknowledged", got, acked)
	}
	if mib := most >> 20; mib > int64(o.memory) {
		t.Errorf("the process took %d MiB, %d are allowed", mib, o.memory)
	}
	s.stop()
}

// within is until with a time of its own.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// crowd is many devices of which each sends now and then.
type crowd struct {
	s       *server
	p       project
	name    string
	devices int

	next    atomic.Int64 // request
	acked   atomic.Int64 // events
	refused atomic.Int64 // requests: with 429 or 503, and sent again
}

func newCrowd(s *server, p project, name string, devices int) *crowd {
	return &crowd{s: s, p: p, name: name, devices: devices}
}
