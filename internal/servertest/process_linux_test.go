package servertest_test

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

	"github.com/weir-analytics/weir/internal/servertest"
)

// role, set in the environment, makes this test binary a server, or a test process
// that starts such a server and is then killed.
const role = "SERVERTEST_ROLE"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(role) {
	case "parent":
		var server *servertest.Process
		if server, err = servertest.Launch(as("server")); err == nil {
			<-server.Done
		}
	case "server":
		err = serve()
	default:
		os.Exit(m.Run())
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// serve prints its address and accepts connections until it is killed.
func serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		c.Close()
	}
}

// as is this test binary in another role.
func as(name string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), role+"="+name)
	cmd.Stdout = os.Stdout
	return cmd
}

// address calls start, which starts cmd, and returns the address that the server prints.
func address(t *testing.T, cmd *exec.Cmd, start func() error) string {
	t.Helper()
	cmd.Stdout = nil
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestServersDieWithTheTestProcess(t *testing.T) {
	parent := as("parent")
	addr := address(t, parent, parent.Start)
	if !accepts(addr) {
		t.Errorf("the server at %q does not run", addr)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait() // it was killed
	servertest.Wait(t, "the end of the server", func() error {
		if accepts(addr) {
			return fmt.Errorf("%s still accepts connections", addr)
		}
		return nil
	})
}

func TestAServerOutlivesTheGoroutineThatStartedIt(t *testing.T) {
	cmd := as("server")
	var p *servertest.Process
	ended := make(chan struct{})
	var addr string
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and not unlocked: the thread ends with the goroutine
		addr = address(t, cmd, func() (err error) {
			p, err = servertest.Launch(cmd)
			return err
		})
	}()
	<-ended
	if p == nil {
		return // it failed
	}
	t.Cleanup(p.Kill)
	for range 100 {
		if err := p.Ended(); err != nil || !accepts(addr) {
			t.Fatalf("the server at %s does not run: %v", addr, err)
		}
	}
}

func accepts(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}
