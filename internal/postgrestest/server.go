package postgrestest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/weir-analytics/weir/internal/servertest"
)

// Server is a PostgreSQL server: a process with one process for each connection. It may be
// killed and started again any number of times, on the same port and folder.
type Server struct {
	Addr string // host:port
	Dir  string // its data and log

	bin     string // folder of the programs
	user    *syscall.Credential
	release func() // gives the port back

	mu      sync.Mutex
	process *servertest.Process // nil: not running
}

func (s *Server) data() string    { return filepath.Join(s.Dir, "data") }
func (s *Server) logPath() string { return filepath.Join(s.Dir, "postgres.log") }

// start starts the server and waits until it answers.
func (s *Server) start(ctx context.Context) error {
	if s.release == nil {
		port, release, err := servertest.Claim()
		if err != nil {
			return err
		}
		s.Addr, s.release = net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), release
	}
	ctx, cancel := context.WithTimeout(ctx, servertest.Patience)
	defer cancel()
	if err := s.launch(); err != nil {
		return err
	}
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := s.Exec(ctx, "postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		if ended := s.ended(); ended != nil {
			return fmt.Errorf("start: %w\n%s", ended, s.logTail())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("start: %w\n%s", err, s.logTail())
		}
	}
}

func (s *Server) launch() error {
	log, err := os.OpenFile(s.logPath(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return err
	}
	args := []string{"-D", s.data()}
	for _, setting := range []string{
		"listen_addresses=127.0.0.1", "port=" + port, "unix_socket_directories=", "fsync=off", "full_page_writes=off",
		"shared_buffers=16MB", "max_connections=200", "jit=off", "autovacuum=off",
	} {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.Dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.user}
	p, err := servertest.Launch(cmd)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.process = p
	s.mu.Unlock()
	return nil
}

func (s *Server) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return errors.New("it was killed")
	}
	return s.process.Ended()
}

// Kill ends all its processes as a crash would, with SIGKILL, and returns when they are gone.
// The port stays claimed for Restart. It may be called again, and from any goroutine.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	_ = s.process.Pause() // so that it starts no more of them
	children := s.children()
	s.process.Kill()
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	// One that is still there would keep the memory that they share, and so a Restart from starting.
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for _, pid := range children {
		for _, state := parentOf(pid); state != 0 && state != 'Z'; _, state = parentOf(pid) {
			<-ticker.C
		}
	}
	s.process = nil
}

// Restart kills the server if it runs, starts it on the same port and folder, and waits until
// it answers.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.start(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// Pause stops all its processes with SIGSTOP: they keep their connections and answer nothing
// until Resume.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return
	}
	_ = s.process.Cmd.Process.Signal(sig)
	for _, pid := range s.children() {
		_ = syscall.Kill(pid, sig)
	}
}

// children returns the processes that the server has started.
func (s *Server) children() (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent, _ := parentOf(pid); parent == s.process.Cmd.Process.Pid {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parentOf returns the parent of a process and its state, 0 if there is no such process.
func parentOf(pid int) (parent int, state byte) {
	// 4711 (postgres) S 1 …; proc(5)
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(string(fields[1]))
	return parent, fields[0][0]
}

// Close ends the server and deletes its data.
func (s *Server) Close() {
	s.Kill()
	if s.release != nil {
		s.release()
	}
	_ = os.RemoveAll(s.Dir)
}

// schemas counts those that were made, for their names.
var schemas atomic.Int64

// Schema makes an empty schema and returns the URL under which it is all there is. It is made
// much faster than a database.
func (s *Server) Schema(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", schemas.Add(1))
	if err := s.Exec(t.Context(), "postgres", "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	return s.URL("postgres") + "&search_path=" + name
}

// Exec executes statements on a connection of its own.
func (s *Server) Exec(ctx context.Context, database, statements string) error {
	ctx, cancel := context.WithTimeout(ctx, servertest.Patience)
	defer cancel()
	c, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	_, err = c.Exec(ctx, statements)
	return err
}

// logTail is the end of the log.
func (s *Server) logTail() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.SplitAfter(string(b), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "")
}
