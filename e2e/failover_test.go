package e2e_test

import (
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redistest"
)

func TestFailoverUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	f := startFleet(t, binary(t, ""), s.URL(), "--hot-ack", "replica")
	f.addIngest("--hot-ack", "replica")
	p := f.newProject()
	l := newLoad(t, "c", 4, p.Key, f.addrs()...)
	l.pause = 5 * time.Millisecond
	stop := l.start()
	more := func(what string) {
		t.Helper()
		n := l.count() + 500
		until(t, what, func() bool { return l.count() > n })
	}
	for round := range 3 {
		more("events are taken")
		old := s.Master()
		if round == 1 { // planned: it waits for its replicas before it ends
			_, _ = old.Try("SHUTDOWN") // no answer but the end of the connection
		}
		old.Kill()
		s.WaitFailover(old)
		more("the new master takes events")
		old.Restart()
		s.WaitOK() // the old one has thrown away what it had alone
	}
	more("events are taken after it all")
	stop()
	f.stop()
	if err := check(t, f, p, l); err != nil {
		t.Fatal(err)
	}
	if l.again.Load() == 0 {
		t.Error("no batch was sent again: no master was killed under one")
	}
	t.Logf("%d events acknowledged, %d batches sent again", l.count(), l.again.Load())
}
