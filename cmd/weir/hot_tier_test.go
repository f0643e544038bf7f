package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/weir-analytics/weir/internal/postgrestest"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestNodesWithHotTiersOfTheirOwnDoNotShareAMetaStore(t *testing.T) {
	first, other := t.TempDir(), t.TempDir()
	common := []string{"--meta", postgrestest.Start(t).URL("postgres"), "--key-ring", filepath.Join(first, "keys")}
	refused := func(data string, args ...string) {
		t.Helper()
		got := weirs(t, append(append([]string{"serve", "--listen", "127.0.0.1:0", "--data", data, "--min-free", "1"}, common...), args...)...)
		if got.status != 1 || !strings.Contains(got.stderr, "another hot tier") || !strings.Contains(got.stderr, "--adopt-hot") {
			t.Fatalf("%d %s", got.status, got.stderr)
		}
	}
	taken := func(data string, args ...string) {
		t.Helper()
		if status := serves(t, data, append(common, args...)...).stops(); status != 0 {
			t.Fatalf("status %d", status)
		}
	}
	taken(first)
	taken(first)
	refused(other)
	redis := redistest.Start(t)
	refused(t.TempDir(), "--hot", redis.URL()) // and so is one with a Redis
	taken(first)

	taken(other, "--adopt-hot") // the first one's machine is gone
	taken(other)
	refused(first)

	taken(t.TempDir(), "--hot", redis.URL(), "--adopt-hot") // the step to a fleet
	refused(other)
	redis.Do("FLUSHALL") // its events are lost; nodes share what it has from now on
	taken(t.TempDir(), "--hot", redis.URL())
}
