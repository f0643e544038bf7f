package redisconn_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestARedisThatLoadsIsWaitedFor(t *testing.T) {
	const info = "redis_version:7.4.1\r\nrole:master\r\ncluster_enabled:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n"
	f := startFake(t, info, 3)
	refuses(t, "redis://"+f.Addr, redisconn.Options{}, "still loading")
	var log lines
	if _, err := open(t, "redis://u:"+secret+"@"+f.Addr, redisconn.Options{Wait: time.Minute, Durable: true, Logger: log.logger()}); err != nil {
		t.Fatal(err)
	}
	if f.asked != 4 {
		t.Errorf("asked %d times, want 4", f.asked)
	}
	if !log.has("level=WARN", "waiting for Redis", "still loading") || log.has(secret) {
		t.Error(&log)
	}
}

func TestARealRedisThatLoadsIsWaitedFor(t *testing.T) {
	s := redistest.Start(t, "--enable-debug-command", "yes", "--appendonly", "no")
	s.Do("DEBUG", "POPULATE", "2000")
	s.Do("SAVE")
	s.Do("CONFIG", "SET", "key-load-delay", "1000") // µs a key
	s.Do("CONFIG", "SET", "loading-process-events-interval-bytes", "1024")
	reloaded := make(chan error)
	go func() {
		_, err := s.Try("DEBUG", "RELOAD", "NOSAVE")
		reloaded <- err
	}()
	until(t, func() bool {
		_, err := s.Try("PING")
		return err != nil && strings.Contains(err.Error(), "LOADING")
	})
	refuses(t, s.URL(), redisconn.Options{}, "still loading")
	if _, err := open(t, s.URL(), redisconn.Options{Wait: time.Minute}); err != nil {
		t.Error(err)
	}
	if err := <-reloaded; err != nil {
		t.Error(err)
	}
}

func TestARedisThatHangsDoesNotAnswerInTime(t *testing.T) {
	s := redistest.Start(t)
	s.Pause()
	defer s.Resume()
	for _, url := range []string{"redis://" + s.Addr, "redis+cluster://" + s.Addr, "redis+sentinel://" + s.Addr + "/main", "rediss://" + s.Addr} {
		refuses(t, url, redisconn.Options{Timeout: 200 * time.Millisecond}, "does not answer in time", url)
	}
}

func TestARedisThatComesUpLaterIsWaitedFor(t *testing.T) {
	for name, start := range map[string]func(t *testing.T) (url string, kill, restart func()){
		"standalone": func(t *testing.T) (string, func(), func()) {
			s := redistest.Start(t)
			return s.URL(), s.Kill, s.Restart
		},
		"TLS": func(t *testing.T) (string, func(), func()) {
			s, files := redistest.StartTLS(t, "--tls-auth-clients", "no")
			return s.URL() + "?ca=" + files.CA, s.Kill, s.Restart
		},
		"cluster": func(t *testing.T) (string, func(), func()) {
			c := redistest.StartCluster(t, 3, 0)
			each := func(f func(*redistest.Server)) func() {
				return func() {
					for _, s := range c.Nodes {
						f(s)
					}
				}
			}
			return c.URL(), each((*redistest.Server).Kill), each((*redistest.Server).Restart)
		},
	} {
		t.Run(name, func(t *testing.T) {
			url, kill, restart := start(t)
			kill()
			waits := make(chan struct{}, 100)
			opened := make(chan error)
			u, err := redisconn.Parse(url)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				c, err := redisconn.Open(t.Context(), u, redisconn.Options{Wait: time.Minute, Logger: signal(waits)})
				if err == nil {
					c.Close()
				}
				opened <- err
			}()
			<-waits
			restart()
			if err := <-opened; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestWaitingEndsWithItsTimeAndWithTheContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "redis://" + l.Addr().String()
	l.Close()
	refuses(t, url, redisconn.Options{Wait: 600 * time.Millisecond}, "cannot be reached")
	u, err := redisconn.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waits := make(chan struct{}, 100)
	opened := make(chan error)
	go func() {
		_, err := redisconn.Open(ctx, u, redisconn.Options{Wait: time.Hour, Logger: signal(waits)})
		opened <- err
	}()
	<-waits
	cancel()
	if err := <-opened; !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want context.Canceled", err)
	}
}

// lines are what was logged.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// has says whether one line has all the words.
func (l *lines) has(words ...string) bool {
	for line := range strings.Lines(l.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			return true
		}
	}
	return false
}

// signal logs by sending.
func signal(to chan<- struct{}) *slog.Logger {
	return slog.New(slog.NewTextHandler(writer(func() { to <- struct{}{} }), nil))
}

type writer func()

func (w writer) Write(b []byte) (int, error) {
	w()
	return len(b), nil
}

// until waits for ok.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("not in 30 s")
		}
	}
}
