package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childEnv makes the test's binary a weir.
const childEnv = "WEIR_TEST_IS_WEIR"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		main()
	}
	os.Exit(m.Run())
}

// child is a weir in a process of its own.
type child struct {
	*exec.Cmd
	t           *testing.T
	out, stderr *os.File // the reading ends
	ended       chan error
}

func startChild(t *testing.T, args ...string) *child {
	t.Helper()
	return startCommand(t, exec.Command(os.Args[0], args...))
}

func startCommand(t *testing.T, cmd *exec.Cmd) *child {
	t.Helper()
	c := &child{Cmd: cmd, t: t, ended: make(chan error, 1)}
	c.Env = append(os.Environ(), childEnv+"=1")
	var ends [2]*os.File
	var err error
	if c.out, ends[0], err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	if c.stderr, ends[1], err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = ends[0], ends[1]
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range ends {
		_ = f.Close() // the child's own now
	}
	go func() { c.ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		c.unread()
	})
	return c
}

// says reads the output until a line holds the text, and returns what follows it.
func (c *child) says(from io.Reader, text string) string {
	c.t.Helper()
	var all strings.Builder
	for lines := bufio.NewScanner(from); lines.Scan(); {
		if _, rest, ok := strings.Cut(lines.Text(), text); ok {
			return rest
		}
		fmt.Fprintln(&all, lines.Text())
	}
	c.t.Fatalf("the process does not say %q:\n%s", text, &all)
	return ""
}

// unread leaves the output to nobody.
func (c *child) unread() {
	_ = c.out.Close()
	_ = c.stderr.Close()
}

// stops tells it to end, which has to be a clean end.
func (c *child) stops() {
	c.t.Helper()
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		c.t.Fatal(err)
	}
	if err := <-c.ended; err != nil {
		c.t.Error(err)
	}
}

func TestAServerOutlivesThoseWhoReadItsOutput(t *testing.T) {
	c := startChild(t, "serve", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--min-free", "0", "--log-level", "debug")
	url := c.says(c.out, " is at ")
	c.unread()
	for range 3 { // each is a line of the log
		resp, err := http.Get(url + "/api/v1/session")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("answered %s", resp.Status)
		}
	}
	c.stops()
}

func TestAnImportThatFollowsOutlivesThoseWhoReadItsOutput(t *testing.T) {
	asAdmin(t, adminToken)
	r := serves(t, t.TempDir())
	key := field(t, weirs(t, "project", "create", "Shop", "--url", r.url).out, "write key")
	log := filepath.Join(t.TempDir(), "access.log")
	write := func(path string) {
		f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintf(f, "this is no line of a log\n192.0.2.1 - - [%s] \"GET %s HTTP/1.1\" 200 1 \"-\" \"Mozilla/5.0\"\n", time.Now().Format("02/Jan/2006:15:04:05 -0700"), path)
	}
	write("/first")
	state := filepath.Join(t.TempDir(), "state.json")
	c := startChild(t, "import", "--follow", "--verbose", "--url", r.url, "--key", key, "--state", state, log)
	c.says(c.stderr, "access.log")
	c.unread()
	for i := range 3 { // each is told of
		before, _ := os.ReadFile(state)
		write(fmt.Sprint("/", i))
		for {
			if now, _ := os.ReadFile(state); len(now) > 0 && string(now) != string(before) {
				break
			}
			select {
			case err := <-c.ended:
				t.Fatalf("it ended: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
	c.stops()
}
