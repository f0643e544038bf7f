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
	"testing"
	"time"
)

// glance is how long one attempt to read a state waits for the answer.
const glance = time.Second

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
