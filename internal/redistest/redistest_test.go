package redistest_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redistest"
)

func TestAServerAnswers(t *testing.T) {
	s := redistest.Start(t)
	if s.URL() != "redis://"+s.Addr {
		t.Errorf("URL %q, address %q", s.URL(), s.Addr)
	}
	s.Do("RPUSH", "list", "a", "b")
	if got := s.Do("LRANGE", "list", "0", "-1"); got != "a\nb" {
		t.Errorf("list is %q", got)
	}
	if got := s.Do("GET", "nothing"); got != "" {
		t.Errorf("a key that is not there is %q", got)
	}
	if _, err := s.Try("INCR", "list"); err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("error is %v", err)
	}
	if pid := strings.Split(s.Do("INFO", "server"), "process_id:")[1]; !strings.HasPrefix(pid, strconv.Itoa(s.PID())+"\r\n") {
		t.Errorf("pid is %d, the server says %.10q", s.PID(), pid)
	}
}

func TestLaterArgumentsHold(t *testing.T) {
	for _, c := range []struct {
		args      []string
		key, want string
	}{
		{nil, "appendonly", "yes"},
		{nil, "appendfsync", "everysec"},
		{nil, "save", ""},
		{[]string{"--appendonly", "no"}, "appendonly", "no"},
		{[]string{"--maxmemory-policy", "allkeys-lru"}, "maxmemory-policy", "allkeys-lru"},
	} {
		s := redistest.Start(t, c.args...)
		if got := s.Do("CONFIG", "GET", c.key); got != c.key+"\n"+c.want {
			t.Errorf("with %q: %q, want %q", c.args, got, c.want)
		}
	}
}

func TestAKilledServerKeepsItsData(t *testing.T) {
	s := redistest.Start(t, "--appendfsync", "always")
	s.Do("SET", "k", "v")
	s.Kill()
	s.Kill()
	if s.PID() != 0 {
		t.Error("a killed server has a pid")
	}
	if _, err := s.Try("PING"); err == nil {
		t.Error("a killed server answers")
	}
	s.Restart()
	if got := s.Do("GET", "k"); got != "v" {
		t.Errorf("after the restart the key is %q", got)
	}
}

func TestAPausedServerAnswersWhenItGoesOn(t *testing.T) {
	s := redistest.Start(t)
	s.Pause()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID()) + "/stat")
	if err == nil && !strings.Contains(string(stat), ") T ") {
		t.Errorf("the process is not stopped: %s", stat)
	}
	c, err := net.Dial("tcp", s.Addr) // the kernel accepts
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 7)
	if _, err := c.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a paused server replied %q, %v", b, err)
	}
	s.Resume()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, b); err != nil || string(b) != "+PONG\r\n" {
		t.Errorf("a resumed server replied %q, %v", b, err)
	}
}

func TestAPasswordIsInTheURL(t *testing.T) {
	s := redistest.Start(t, "--requirepass", "secret")
	if want := "redis://:secret@" + s.Addr; s.URL() != want {
		t.Errorf("URL %q, want %q", s.URL(), want)
	}
	if got := s.Do("PING"); got != "PONG" {
		t.Errorf("reply is %q", got)
	}
}

func TestServersEndWithTheirTest(t *testing.T) {
	var s *redistest.Server
	t.Run("one", func(t *testing.T) { s = redistest.Start(t) })
	if s == nil {
		t.Skip("no server was started")
	}
	if s.PID() != 0 {
		t.Errorf("process %d is left", s.PID())
	}
	if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
		t.Errorf("the folder is left: %v", err)
	}
}
