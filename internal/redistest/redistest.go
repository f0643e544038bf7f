// Package redistest starts real Redis servers for tests: a standalone server, one
// with TLS, a cluster, or a master with replicas under Sentinel.
//
// Every server listens on 127.0.0.1 alone, keeps its data in the test's temporary
// folder, and ends with the test; on Linux the kernel ends it too if the test
// process dies first. Where redis-server is not installed the test is skipped by
// name, or fails if WEIR_TEST_STRICT is set.
//
// What goes wrong is fatal to the test, so all methods but Try, Kill, Pause,
// Resume and the readers of constant facts (URL) belong to the test's goroutine.
package redistest

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/servertest"
)

// glance is how long one attempt to read a state waits for the answer.
const glance = time.Second

// Start starts a standalone server and waits until it answers. It appends each
// write to its file and syncs that every second, and makes no snapshots; args in
// the form of redis-server's ("--appendfsync", "always") say otherwise: of two
// the later one holds. A --requirepass is honoured by URL, Do and Try.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	s := newServer(t, find(t, "redis-server"), args)
	s.start()
	return s
}

// find is the path of a program of Redis 7 or newer, or the end of the test.
func find(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		servertest.Missing(t, name+" is not installed")
	}
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil {
		t.Fatalf("redistest: %s --version: %v", name, err)
	}
	// Redis server v=7.0.15 sha=00000000:0 malloc=…
	_, version, _ := strings.Cut(string(out), " v=")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 7 {
		servertest.Missing(t, fmt.Sprintf("%s is older than 7: %s", name, strings.TrimSpace(string(out))))
	}
	return path
}
