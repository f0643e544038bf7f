package clickhousetest_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/clickhousetest"
)

// victim, set in the environment, makes a test process that starts a server and
// is then killed.
const victim = "CLICKHOUSETEST_VICTIM"

func TestServersDieWithTheTestProcess(t *testing.T) {
	if os.Getenv(victim) != "" {
		s := clickhousetest.Start(t)
		fmt.Fprintln(os.Stdout, "address", s.Addr)
		<-t.Context().Done() // for ever
		return
	}
	clickhousetest.Start(t) // or a skip

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), victim+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr string
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "address ")
	}
	if !accepts(addr) {
		t.Errorf("the server at %q does not run", addr)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed

	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(time.Minute)
	for accepts(addr) {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("the server lives on")
		}
	}
}

func TestAServerOutlivesTheGoroutineThatStartedIt(t *testing.T) {
	started := make(chan *clickhousetest.Server)
	go func() {
		defer close(started)
		runtime.LockOSThread() // and not unlocked: the thread ends with the goroutine
		started <- clickhousetest.Start(t)
	}()
	s := <-started
	if s == nil {
		return // skipped, or failed
	}
	<-started
	for range 100 {
		if got, err := s.Try("SELECT 1"); got != "1" {
			t.Fatalf("answer is %q, %v", got, err)
		}
	}
}

func accepts(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
