package spill_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/spill"
)

// childEnv names the folder of the process that gets killed.
const childEnv = "SPILL_KILLED_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		fmt.Fprintln(os.Stderr, "error:", writeUntilKilled(dir, os.Stdout))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeUntilKilled appends through a Spillway before a flapping hot tier, and
// tells each id after it was acknowledged.
func writeUntilKilled(dir string, out io.Writer) error {
	primary, err := pebble.Open(filepath.Join(dir, "primary"), pebble.Options{})
	if err != nil {
		return err
	}
	local, err := pebble.Open(filepath.Join(dir, "local"), pebble.Options{Shards: 1})
	if err != nil {
		return err
	}
	tier := &shaky{Store: primary, tried: make(chan struct{}, 1)}
	tier.each(flapping(rand.New(rand.NewPCG(rand.Uint64(), 0))))
	s, err := spill.New(context.Background(), tier, local, spill.Options{
		Patience: 20 * time.Millisecond, Backoff: time.Millisecond, Batch: 30,
	})
	if err != nil {
		return err
	}
	go func() { _ = s.Run(context.Background()) }()
	run := time.Now().UnixNano()
	var mu sync.Mutex
	failed := make(chan error)
	for w := range 3 {
		go func() {
			for sent := 0; ; {
				events := make([]weir.Event, 1+sent%9)
				for i := range events {
					events[i] = event(fmt.Sprintf("%d-%d-%08d", run, w, sent), fmt.Sprintf("%d-%d-%d", run, w, sent%2))
					sent++
				}
				if _, err := s.Append(context.Background(), items(events)); err != nil {
					failed <- err
					return
				}
				mu.Lock()
				for i := range events {
					fmt.Fprintln(out, events[i].ID)
				}
				mu.Unlock()
			}
		}()
	}
	return <-failed
}

func TestAKilledProcessLosesAndDoublesNothing(t *testing.T) {
	dir := t.TempDir()
	acked := map[string]bool{}
	for range 6 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		n, until := 0, 200+rand.IntN(3000)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			acked[lines.Text()] = true
			if n++; n == until {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); n < until {
			t.Fatalf("the process ended by itself after %d events: %v\n%s", n, err, &stderr)
		}
	}
	r := &rig{t: t, dir: filepath.Join(dir, "local"), opt: quick, acked: map[string]weir.Event{}}
	r.primary = &shaky{Store: openStore(t, filepath.Join(dir, "primary"), 4)}
	r.primary.now(none)
	r.local = openStore(t, r.dir, 1)
	r.start(r.local)
	waiting, _, _ := r.Pending()
	r.run()
	r.untilCaughtUp()
	r.check()
	t.Logf("%d events were acknowledged, %d spilled, %d waited after the last kill", len(acked), r.spilled(), waiting)
	there := map[string]bool{}
	for _, e := range r.inPrimary() {
		there[e.ID] = true
	}
	for id := range acked {
		if !there[id] {
			t.Errorf("event %s was acknowledged and is lost", id)
		}
	}
	if r.spilled() == 0 {
		t.Error("nothing spilled")
	}
}
