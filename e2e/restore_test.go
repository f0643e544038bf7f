package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A store that is restored from a copy, or a Redis that lost its last writes, stands
// where it stood before. What was acknowledged since is lost with it; what comes after
// must not be.

// copyDir puts a copy of the folder in place of what stands there.
func copyDir(t *testing.T, to, from string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// forgets makes the Redis of the house go back to where it was when the function was
// made.
func forgets(h *redisHouse) func() {
	h.redis.Kill() // its files are whole then
	kept := filepath.Join(h.t.TempDir(), "kept")
	copyDir(h.t, kept, filepath.Join(h.redis.Dir, "appendonlydir"))
	h.redis.Restart()
	return func() {
		h.redis.Kill()
		copyDir(h.t, filepath.Join(h.redis.Dir, "appendonlydir"), kept)
		h.redis.Restart()
	}
}

// After the loss an answer that says it is complete has all that was acknowledged
// since, and all of that is stored once.
func TestAnswersAreCompleteAfterRedisLostItsTail(t *testing.T) {
	t.Parallel()
	onlyOn(t, "redis", "duckdb")
	f, r := fleetOnRedis(t, binary(t, ""), 2)
	h := onRedis(f, r)
	before := newLoad(t, "b", 4, h.newProject().Key, h.addrs()...)
	since := map[string]*load{} // by project: what came after a loss
	for round := range 3 {
		p := h.newProject() // has no events yet
		goBack := forgets(h)
		stop := before.start()
		seen := before.count()
		until(t, "events are taken", func() bool { return before.count() > seen+3000 })
		stop()
		h.drained()
		goBack()

		after := newLoad(t, fmt.Sprint("a", round, "-"), 4, p.Key, h.addrs()...)
		after.pause = 20 * time.Millisecond // so that there is time to ask
		stopAsking := after.ask(p, []string{h.drain.addr})
		stop = after.start()
		until(t, "events are taken after the loss", func() bool { return after.count() > 1500 })
		stop()
		answers := stopAsking()
		h.drained()
		since[p.ID] = after
		t.Logf("round %d: %d answers, %d of them complete", round, answers.all, answers.complete)
	}
	f.stop()
	a, err := f.audit()
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	for project, l := range since {
		a.project, a.acked = project, l.acked
		if err := a.events(t.Context()); err != nil {
			t.Errorf("of what came after a loss: %v", err)
		}
	}
}

// drained waits until nothing is left to drain. It opens the log anew, since it may
// have become another one.
func (h *redisHouse) drained() {
	h.t.Helper()
	until(h.t, "all is drained", func() bool {
		log, closeLog, err := h.openLog()
		if err != nil {
			return false
		}
		defer closeLog()
		n, err := waiting(h.t.Context(), log)
		return err == nil && n == 0
	})
}
