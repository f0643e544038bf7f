// Package clickhousetest starts real ClickHouse servers for tests: a single one,
// or a cluster of shards.
//
// The server is the one that npm's @chdb/lib-linux-x64-gnu holds as a library,
// run by a small program of C that is compiled when it is first needed. Every
// server listens on 127.0.0.1 alone, keeps its data in a temporary folder, and ends
// with the test; on Linux the kernel ends it too if the test process dies first.
// Where the library is not installed the test is skipped by name, or fails if
// WEIR_TEST_STRICT is set. WEIR_TEST_CLICKHOUSE is the path of another libchdb.so.
//
// What goes wrong is fatal to the test, so all methods but Try, Kill, Pause,
// Resume and the readers of constant facts (URL) belong to the test's goroutine.
package clickhousetest

import (
	"errors"
	"os"
	"testing"
	"time"
)

const (
	patience = 60 * time.Second      // for anything that is waited for
	tick     = 20 * time.Millisecond // between two looks at it
	glance   = time.Second           // for the answer at one look
)

// Start starts a server and waits until it answers. Its user "default" may do
// everything and has no password. Tables with the storage policy "tiered" have the
// volumes "hot" and "cold".
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	s := newServer(t)
	s.configure(options)
	s.start()
	return s
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
			t.Fatalf("clickhousetest: %s: %v", what, err)
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("clickhousetest: %s: not within %v: %v", what, patience, err)
		}
	}
}

// fatalError is an error that no waiting mends.
type fatalError struct{ error }
