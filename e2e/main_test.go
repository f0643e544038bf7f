// Package e2e tests the whole binary: it is built, started, asked over HTTP,
// and killed.
package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/servertest"
)

// binaries are built once: by build tag.
var binaries struct {
	sync.Mutex
	dir  string
	path map[string]string
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "weir-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binaries.dir, binaries.path = dir, map[string]string{}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// binary is the path of weir, built with the tag; WEIR_BIN, when set, is the one
// without a tag.
func binary(t *testing.T, tag string) string {
	t.Helper()
	if p := os.Getenv("WEIR_BIN"); p != "" && tag == "" {
		return p
	}
	binaries.Lock()
	defer binaries.Unlock()
	if p := binaries.path[tag]; p != "" {
		return p
	}
	p := filepath.Join(binaries.dir, "weir-"+tag)
	out, err := exec.Command("go", "build", "-tags", tag, "-o", p, "../cmd/weir").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	binaries.path[tag] = p
	return p
}

// longer is the figure of a test's long form with WEIR_TEST_LONG, and else that of its
// short one.
func longer(short, long int) int {
	if os.Getenv("WEIR_TEST_LONG") != "" {
		return long
	}
	return short
}

const adminToken = "wt_e2e-administrator-token-0123456789"

// server is a running weir.
type server struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string
	args []string
	log  *lockedBuffer
	out  *lockedBuffer
	urls chan string   // url, once
	done chan struct{} // closed when the process has ended
	err  error         // then: how
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freeAddr is an address that nobody listens on, and that no other test takes.
func freeAddr(t *testing.T) string {
	t.Helper()
	return fmt.Sprint("127.0.0.1:", servertest.ClaimPort(t))
}

// start starts weir serve and waits until it is ready.
func start(t *testing.T, path string, args ...string) *server {
	t.Helper()
	s := launch(t, path, args...)
	s.waitReady()
	return s
}

// launch starts weir serve, and waits until it listens or has ended; the test's end
// kills what is left of it.
func launch(t *testing.T, path string, args ...string) *server {
	t.Helper()
	s := spawn(t, path, args...)
	s.waitListening()
	return s
}

func (s *server) waitListening() {
	select {
	case s.url = <-s.urls:
	case <-s.done:
	}
}

// spawn starts weir serve and waits for nothing.
func spawn(t *testing.T, path string, args ...string) *server {
	t.Helper()
	return spawnWith(t, []string{"WEIR_ADMIN_TOKEN=" + adminToken}, path, args...)
}

// spawnWith starts it with more in its environment.
func spawnWith(t *testing.T, env []string, path string, args ...string) *server {
	t.Helper()
	s := &server{t: t, args: args, log: &lockedBuffer{}, out: &lockedBuffer{}, urls: make(chan string, 1), done: make(chan struct{})}
	s.cmd = exec.Command(path, append([]string{"serve"}, args...)...)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			fmt.Fprintln(s.out, lines.Text())
			if _, url, ok := strings.Cut(lines.Text(), " is at "); ok {
				s.urls <- url
			}
		}
		s.err = s.cmd.Wait()
		close(s.done)
	}()
	t.Cleanup(s.kill)
	return s
}

func (s *server) waitReady() {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		select {
		case <-s.done:
			s.t.Fatalf("weir ended: %v\n%s", s.err, s.log)
		default:
		}
		resp, err := http.Get(s.url + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.t.Fatalf("weir is not ready after 30 s\n%s", s.log)
}

// kill ends the process without warning.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// stop asks it to stop, and waits.
func (s *server) stop() {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.done:
	case <-time.After(30 * time.Second):
		s.t.Fatalf("weir does not stop\n%s", s.log)
	}
	if s.err != nil {
		s.t.Fatalf("weir stopped with %v\n%s", s.err, s.log)
	}
}

// call asks the API as administrator, expects the status, and decodes the answer.
func (s *server) call(method, path string, in, out any, want int) {
	s.t.Helper()
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		body = bytes.NewReader(raw)
	}
	raw, status := s.do(method, path, adminToken, "application/json", body)
	if status != want {
		s.t.Fatalf("%s %s: %d, want %d: %s", method, path, status, want, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, raw)
		}
	}
}

func (s *server) do(method, path, token, contentType string, body io.Reader) ([]byte, int) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw, resp.StatusCode
}

// project is a project of the server.
type project struct {
	ID  string `json:"id"`
	Key string `json:"write_key"`
}

func (s *server) project(timezone string) project {
	s.t.Helper()
	var p project
	s.call("POST", "/api/v1/projects", map[string]string{"name": "e2e", "timezone": timezone}, &p, http.StatusCreated)
	return p
}

type reply struct {
	Accepted   int
	Duplicates int
	Rejected   []struct {
		Index  int
		Reason string
	}
}

// send posts a body of events and expects 200.
func (s *server) send(p project, body string) reply {
	s.t.Helper()
	raw, status := s.do("POST", "/v1/events", p.Key, "application/json", strings.NewReader(body))
	if status != http.StatusOK {
		s.t.Fatalf("send: %d: %s", status, raw)
	}
	var r reply
	if err := json.Unmarshal(raw, &r); err != nil {
		s.t.Fatal(err)
	}
	return r
}

type trend struct {
	Series []struct {
		Event, Math string
		Breakdown   *string
		Total       float64
		Points      []struct {
			Time  time.Time
			Value *float64
		}
	}
	AsOf time.Time `json:"as_of"`
}

// query asks for an insight.
func (s *server) query(p project, q map[string]any, out any) {
	s.t.Helper()
	s.call("POST", "/api/v1/projects/"+p.ID+"/query", q, out, http.StatusOK)
}

// total is how many events of these days the project has.
func (s *server) total(p project) int {
	s.t.Helper()
	var tr trend
	s.query(p, map[string]any{"kind": "trend", "from": "-3d", "interval": "day", "series": []any{map[string]any{"math": "total"}}}, &tr)
	return int(tr.Series[0].Total)
}
