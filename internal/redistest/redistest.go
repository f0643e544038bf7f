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
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	patience = 60 * time.Second      // for anything that is waited for
	tick     = 20 * time.Millisecond // between two looks at it
	glance   = time.Second           // for the answer at one look
)

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
		missing(t, name+" is not installed")
	}
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil {
		t.Fatalf("redistest: %s --version: %v", name, err)
	}
	// Redis server v=7.0.15 sha=00000000:0 malloc=…
	_, version, _ := strings.Cut(string(out), " v=")
	major, _, _ := strings.Cut(version, ".")
	if n, err := strconv.Atoi(major); err != nil || n < 7 {
		missing(t, fmt.Sprintf("%s is older than 7: %s", name, strings.TrimSpace(string(out))))
	}
	return path
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("WEIR_TEST_STRICT") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// wait polls until ok returns nil, and is fatal with its last error when
// patience ends.
func wait(t testing.TB, what string, ok func() error) {
	t.Helper()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	deadline := time.After(patience)
	for {
		err := ok()
		if err == nil {
			return
		}
		if _, final := errors.AsType[fatalError](err); final {
			t.Fatalf("redistest: %s: %v", what, err)
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("redistest: %s: not within %v: %v", what, patience, err)
		}
	}
}

// fatalError is an error that no waiting mends.
type fatalError struct{ error }
