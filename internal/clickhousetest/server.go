package clickhousetest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/weir-analytics/weir/internal/servertest"
)

// mainQuery is what the process runs for as long as it lives: it opens the ports,
// and then waits. Stop ends it.
const (
	mainQuery = `SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; ` + waiting +
		` SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null`
	waiting = `SELECT sleepEachRow(3) FROM numbers(1000000000)`
)

// Server is one ClickHouse process. It may be killed and started again any number
// of times, on the same ports and folder.
type Server struct {
	Addr string // host:port of the native protocol
	HTTP string // host:port of the HTTP interface
	Dir  string // its data, configuration and clickhouse.log

	t                 testing.TB
	launcher, library string
	port, httpPort    int
	timezone          string
	client            *http.Client
	passwords         map[string]string // by user

	mu      sync.Mutex
	process *servertest.Process // nil: not running
}

// newServer prepares a server that has yet to be configured and to start.
func newServer(t testing.TB) *Server {
	t.Helper()
	s := &Server{
		t:       t,
		library: findLibrary(t), launcher: findLauncher(t),
		// Each request has a connection of its own: one that is kept would be of a
		// server that was killed since.
		client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		port:   servertest.ClaimPort(t), httpPort: servertest.ClaimPort(t),
		Dir: t.TempDir(), // deleted after the Kill below
	}
	s.Addr, s.HTTP = local(s.port), local(s.httpPort)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", s.Addr, s.logTail())
		}
	})
	return s
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// URL is the address of a database for the user "default":
// clickhouse://default@127.0.0.1:port/database. It need not exist.
func (s *Server) URL(database string) string { return s.URLAs("default", database) }

// URLAs is URL for another user, with the password that option User gave.
func (s *Server) URLAs(name, database string) string {
	u := url.URL{Scheme: "clickhouse", User: url.User(name), Host: s.Addr, Path: "/" + database}
	if password := s.passwords[name]; password != "" {
		u.User = url.UserPassword(name, password)
	}
	return u.String()
}

// PID is the process id, or 0 when the server is not running.
func (s *Server) PID() int {
	if p := s.running(); p != nil {
		return p.Cmd.Process.Pid
	}
	return 0
}

// Kill ends the process as a crash would, with SIGKILL, and returns when it is
// gone. The ports stay claimed for Restart. It may be called again, and from any
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

// Stop shuts the server down in good order, which takes a second: it waits for
// the queries that run, and writes what it holds in memory. SIGTERM would not: to a
// server of this kind it is a SIGKILL.
func (s *Server) Stop() {
	s.t.Helper()
	p := s.running()
	if p == nil {
		return
	}
	// The connection may break before the reply.
	_, asked := s.Try(`KILL QUERY WHERE startsWith(query, '` + waiting + `') ASYNC`)
	servertest.Wait(s.t, "stop of "+s.Addr, func() error {
		if p.Ended() == nil {
			return errors.Join(errors.New("it runs"), asked)
		}
		return nil
	})
	if how, ok := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); ok && how.Signaled() {
		s.t.Errorf("clickhousetest: stop of %s: %v", s.Addr, p.Ended())
	}
	s.Kill()
}

// Restart kills the server if it runs, starts it on the same ports and folder, and
// waits until it has loaded its tables and answers.
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
		s.t.Errorf("clickhousetest: %s %s: it is not running", what, s.Addr)
		return
	}
	if err := send(p); err != nil {
		s.t.Errorf("clickhousetest: %s %s: %v", what, s.Addr, err)
	}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.launchLocked(); err != nil {
		s.t.Fatalf("clickhousetest: start: %v", err)
	}
}

func (s *Server) launchLocked() error {
	log, err := os.OpenFile(s.logPath(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	cmd := exec.Command(s.launcher, s.library, "--config-file="+s.configPath(), "--query", mainQuery)
	cmd.Env = append(os.Environ(), "TZ="+s.timezone)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	p, err := servertest.Launch(cmd)
	if err != nil {
		return err
	}
	s.process = p
	go s.watch(p)
	return nil
}

// watch starts a server again that aborted. The library aborts, now and then, when a
// client resets its connection at the wrong moment ("Terminate called for uncaught
// exception"); a server of ClickHouse has a watchdog or systemd for that.
func (s *Server) watch(p *servertest.Process) {
	<-p.Done
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != p || !p.EndedBy(syscall.SIGABRT) {
		return
	}
	s.t.Logf("clickhousetest: %s aborted, and is started again", s.Addr)
	if err := s.launchLocked(); err != nil {
		s.t.Errorf("clickhousetest: start it again: %v", err)
	}
}

// waitReady waits until the server answers on both ports. It opens them when it
// has loaded its tables.
func (s *Server) waitReady() {
	s.t.Helper()
	servertest.Wait(s.t, "start of "+s.Addr, s.up)
}

// up is nil when the server answers on both ports, and fatal when it has ended.
func (s *Server) up() error {
	p := s.running()
	if p == nil {
		return servertest.Final("it was killed")
	}
	if err := p.Ended(); err != nil && !p.EndedBy(syscall.SIGABRT) {
		return servertest.Final("%w", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), glance)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	c.Close()
	_, err = s.ask(ctx, "SELECT 1")
	return err
}

func (s *Server) configPath() string { return filepath.Join(s.Dir, "config.xml") }

func (s *Server) logPath() string { return filepath.Join(s.Dir, "clickhouse.log") }

// logTail is the end of the log, without the frames of stack traces: they have no
// names.
func (s *Server) logTail() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	lines := slices.Collect(strings.Lines(string(b)))
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, " @ 0x") })
	return strings.Join(lines[max(0, len(lines)-20):], "")
}
