package e2e_test

import (
	"testing"

	"github.com/weir-analytics/weir/internal/redistest"
)

// When Sentinel moves the master on purpose, the old one goes on until the
// switch is announced, and still has a replica that confirms.
func TestAPlannedFailoverUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinel(t)
	f := startFleet(t, binary(t, ""), s.URL(), "--hot-ack", "replica")
	f.addIngest("--hot-ack", "replica")
	p := f.newProject()
	l := newLoad(t, "c", 4, p.Key, f.addrs()...)
	stop := l.start()
	for range 3 {
		// Long enough for the nodes to know both replicas of this master.
		s.WaitOK()
		before := l.count()
		until(t, "events are taken", func() bool { return l.count() > before+8000 })
		s.Failover()
		before = l.count()
		until(t, "the new master takes events", func() bool { return l.count() > before+500 })
	}
	stop()
	f.stop()
	t.Logf("%d events acknowledged, %d batches sent again", l.count(), l.again.Load())
	if err := check(t, f, p, l); err != nil {
		t.Fatal(err)
	}
}
