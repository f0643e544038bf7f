package redistest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/redistest"
)

func TestSentinelReplacesADeadMaster(t *testing.T) {
	g := redistest.StartSentinel(t)
	if want := "redis+sentinel://" + g.Sentinels[0].Addr + "," + g.Sentinels[1].Addr + "," + g.Sentinels[2].Addr + "/mymaster"; g.URL() != want {
		t.Errorf("URL %q, want %q", g.URL(), want)
	}
	if g.Master() != g.Servers[0] || !slices.Equal(g.Replicas(), g.Servers[1:]) {
		t.Errorf("the master is %s, not the first server", g.Master().Addr)
	}
	g.Master().Do("SET", "k", "v")
	if n := g.Master().Do("WAIT", "2", "5000"); n != "2" {
		t.Fatalf("%s replicas have the key", n)
	}

	old := g.KillMaster()
	if old != g.Servers[0] {
		t.Errorf("%s was killed", old.Addr)
	}
	master := g.WaitFailover(old)
	if master == old || master != g.Master() {
		t.Errorf("the new master is %s", master.Addr)
	}
	if got := master.Do("GET", "k"); got != "v" {
		t.Errorf("on the new master the key is %q", got)
	}

	old.Restart()
	g.WaitOK()
	if role := old.Do("ROLE"); !strings.HasPrefix(role, "slave\n") {
		t.Errorf("the old master is back as %q", role)
	}
	old.Restart()
	if role := old.Do("ROLE"); !strings.HasPrefix(role, "slave\n") {
		t.Errorf("after another restart it is %q", role)
	}
}

func TestSentinelFailsOverOnDemand(t *testing.T) {
	g := redistest.StartSentinel(t, "--requirepass", "secret")
	if !strings.HasPrefix(g.URL(), "redis+sentinel://:secret@127.0.0.1:") {
		t.Errorf("URL %q", g.URL())
	}
	for range 2 {
		old := g.Master()
		master := g.Failover()
		if master == old {
			t.Fatalf("the master is still %s", old.Addr)
		}
		master.Do("INCR", "failovers")
	}
}
