package redistest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/weir-analytics/weir/internal/servertest"
)

// Server is one redis-server or redis-sentinel process. It may be killed and
// started again any number of times, on the same port and folder.
type Server struct {
	Addr string // host:port
	Dir  string // its data, configuration and redis.log

	t        testing.TB
	bin      string
	args     []string // of the command line
	password string
	tls      *tls.Config // nil: without TLS

	mu      sync.Mutex
	process *servertest.Process // nil: not running
}

// newServer prepares a server that has yet to start.
func newServer(t testing.TB, bin string, args []string) *Server {
	t.Helper()
	port := servertest.ClaimPort(t)
	s := &Server{
		Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)),
		Dir:  folder(t),
		t:    t, bin: bin,
	}
	// A file of its own, empty at first, is where CONFIG REWRITE keeps what
	// Sentinel decides, over a restart.
	conf := filepath.Join(s.Dir, "redis.conf")
	if err := os.WriteFile(conf, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.args = []string{
		conf,
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", s.Dir,
		"--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
	}
	s.configure(args)
	s.endWithTest()
	return s
}

// folder is a temporary folder. Unlike the testing package it does not give up
// when a file appears while it is deleted: a process that the server had started
// to rewrite its data may write its last.
func folder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "redistest-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { servertest.Wait(t, "the folder is deleted", func() error { return os.RemoveAll(dir) }) })
	return dir
}

// configure adds arguments, which hold against those before them.
func (s *Server) configure(args []string) {
	s.args = append(s.args, args...)
	if i := slices.Index(args, "--requirepass"); i >= 0 && i+1 < len(args) {
		s.password = args[i+1]
	}
}

// endWithTest kills the server when the test ends, before its folder goes, and
// shows the end of its log if the test failed.
func (s *Server) endWithTest() {
	s.t.Cleanup(func() {
		s.Kill()
		if s.t.Failed() {
			s.t.Logf("the end of the log of %s:\n%s", s.Addr, s.logTail())
		}
	})
}

// URL is the server's address as redis://127.0.0.1:port, or rediss:// for one
// with TLS; with its password, if it has one.
func (s *Server) URL() string {
	scheme := "redis"
	if s.tls != nil {
		scheme = "rediss"
	}
	return scheme + "://" + s.userinfo() + s.Addr
}

// userinfo is ":password@" of a URL, or "".
func (s *Server) userinfo() string {
	if s.password == "" {
		return ""
	}
	return url.UserPassword("", s.password).String() + "@"
}

// PID is the process id, or 0 when the server is not running.
func (s *Server) PID() int {
	if p := s.running(); p != nil {
		return p.Cmd.Process.Pid
	}
	return 0
}

// Kill ends the process as a crash would, with SIGKILL, and returns when it is
// gone. The port stays claimed for Restart. It may be called again, and from any
// goroutine.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	s.process.Kill()
	s.process = nil
}

// Restart kills the server if it runs, starts it on the same port and folder, and
// waits until it has loaded its data and answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.Kill()
	s.start()
}

// Pause stops the process with SIGSTOP: it keeps its connections and answers
// nothing until Resume. On Linux it returns when the process has stopped.
func (s *Server) Pause() { s.signal("pause", (*servertest.Process).Pause) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal("resume", (*servertest.Process).Resume) }

func (s *Server) signal(what string, send func(*servertest.Process) error) {
	p := s.running()
	if p == nil {
		s.t.Errorf("redistest: %s %s: it is not running", what, s.Addr)
		return
	}
	if err := send(p); err != nil {
		s.t.Errorf("redistest: %s %s: %v", what, s.Addr, err)
	}
}

// Do sends one command on a connection of its own and returns the reply as
// redis-cli prints it when piped: a string or number as it is, nil as "", the
// elements of an array a line each. An error is fatal.
func (s *Server) Do(args ...string) string {
	s.t.Helper()
	reply, err := s.Try(args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply
}

// Try is Do that returns the error: one that Redis replied has its words
// ("MOVED 3999 127.0.0.1:6381"). It is safe for concurrent use.
func (s *Server) Try(args ...string) (string, error) {
	reply, err := s.ask(servertest.Patience, args...)
	return strings.Join(reply, "\n"), err
}

// elements is Do that keeps the elements of an array apart.
func (s *Server) elements(args ...string) []string {
	s.t.Helper()
	reply, err := s.ask(servertest.Patience, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply
}

// ask sends a command and gives up after a time.
func (s *Server) ask(limit time.Duration, args ...string) ([]string, error) {
	// Not the test's own context: cleanups ask too, after it has ended.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), limit)
	defer cancel()
	reply, err := command(ctx, s.Addr, s.tls, s.password, args)
	if err != nil {
		return nil, fmt.Errorf("redistest: %s: %s: %w", s.Addr, strings.Join(args, " "), err)
	}
	return reply, nil
}

// look is Try for those who ask again until they like the answer: a server that
// hangs does not hold them up.
func (s *Server) look(args ...string) (string, error) {
	reply, err := s.ask(glance, args...)
	return strings.Join(reply, "\n"), err
}

func (s *Server) running() *servertest.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

func (s *Server) start() {
	s.t.Helper()
	s.launch()
	s.waitReady()
}

// launch starts the process and does not wait for it.
func (s *Server) launch() {
	s.t.Helper()
	log, err := os.OpenFile(s.logPath(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(s.bin, s.args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	p, err := servertest.Launch(cmd)
	if err != nil {
		s.t.Fatalf("redistest: start %s: %v", s.bin, err)
	}
	s.mu.Lock()
	s.process = p
	s.mu.Unlock()
}

// waitReady waits until the server answers and has loaded its data.
func (s *Server) waitReady() {
	s.t.Helper()
	servertest.Wait(s.t, "start of "+s.Addr, s.up)
}

// up is nil when the server answers and has loaded its data, and fatal when it has
// ended.
func (s *Server) up() error {
	p := s.running()
	if p == nil {
		return servertest.Final("it was killed")
	}
	if err := p.Ended(); err != nil {
		return servertest.Final("%w", err)
	}
	_, err := s.look("PING")
	if reply, ok := errors.AsType[redis.Error](err); ok && !strings.HasPrefix(string(reply), "LOADING") {
		return nil // it is up; who may do what is the test's affair
	}
	return err
}

func (s *Server) logPath() string { return filepath.Join(s.Dir, "redis.log") }

// logTail is the end of the log.
func (s *Server) logTail() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "")
}
