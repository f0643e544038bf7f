package redis_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/weir-analytics/weir/internal/fleet"
	"github.com/weir-analytics/weir/internal/fleet/fleettest"
	"github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// quiet returns a store that waits 300 ms for an answer, and keeps its log to itself.
func quiet(t *testing.T, addrs ...string) *redis.Store {
	t.Helper()
	return redis.New(client(t, addrs...), redis.Options{Timeout: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
}

// askAll asks each part something, and returns the errors by their names.
func askAll(ctx context.Context, s *redis.Store) map[string]error {
	errs := map[string]error{}
	_, _, errs["get"] = s.Cache.Get(ctx, "k")
	errs["set"] = s.Cache.Set(ctx, "k", []byte("v"), time.Minute)
	_, _, errs["take"] = s.Limiter.Take(ctx, "k", fleet.Limit{Every: time.Microsecond, Burst: 1}, 1)
	errs["forget"] = s.Limiter.Forget(ctx, "k")
	_, errs["acquire"] = s.Locks.Acquire(ctx, "l", "o", time.Minute)
	errs["release"] = s.Locks.Release(ctx, "l", "o")
	errs["publish"] = s.Bus.Publish(ctx, "t", nil)
	_, errs["announce"] = s.Roster.Announce(ctx, "g", "n", time.Minute)
	errs["leave"] = s.Roster.Leave(ctx, "g", "n")
	return errs
}

func TestEveryCallEndsWhileRedisIsAway(t *testing.T) {
	for name, outage := range map[string]struct{ away, back func(*redistest.Server) }{
		"silent": {(*redistest.Server).Pause, (*redistest.Server).Resume},
		"gone":   {(*redistest.Server).Kill, (*redistest.Server).Restart},
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			s := quiet(t, server.Addr)
			for call, err := range askAll(t.Context(), s) {
				if err != nil {
					t.Errorf("%s: %v", call, err)
				}
			}
			outage.away(server)
			for call, err := range askAll(t.Context(), s) {
				if err == nil || !strings.HasPrefix(err.Error(), "fleet: ") {
					t.Errorf("%s while Redis is away: %v", call, err)
				}
				if name == "silent" && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v is no exceeded deadline", call, err)
				}
			}
			outage.back(server)
			waitForBack(t, s)
			for call, err := range askAll(t.Context(), s) {
				if err != nil {
					t.Errorf("%s when Redis is back: %v", call, err)
				}
			}
		})
	}
}

// waitForBack waits until the store's connections work again: each of them has to
// find out by itself.
func waitForBack(t *testing.T, s *redis.Store) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for well := 0; well < 20; {
		well++
		for _, err := range askAll(t.Context(), s) {
			if err != nil {
				well = 0
			}
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("the store did not come back")
		}
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	server := redistest.Start(t)
	s := redis.New(client(t, server.Addr), redis.Options{Timeout: time.Hour})
	server.Pause()
	defer server.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Locks.Acquire(ctx, "l", "o", time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("acquire: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for call, err := range askAll(ended, s) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", call, err)
		}
	}
}

func TestACallGivenUpFailsNobodyElses(t *testing.T) {
	server := redistest.Start(t)
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, DisableCache: true, PipelineMultiplex: -1}) // one connection
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := redis.New(c, redis.Options{Timeout: 50 * time.Millisecond})
	useAll(t, s)
	server.Pause()
	var wg sync.WaitGroup
	// INCR is not tried again by the client: it fails with its connection.
	for range 20 {
		wg.Go(func() {
			if err := c.Do(context.Background(), c.B().Incr().Key("n").Build()).Error(); err != nil {
				t.Errorf("incr: %v", err)
			}
		})
	}
	for range 3 {
		for call, err := range askAll(t.Context(), s) {
			if err == nil {
				t.Errorf("%s was answered", call)
			}
		}
	}
	server.Resume()
	wg.Wait()
	if n := server.Do("GET", "n"); n != "20" {
		t.Fatalf("n = %s, want 20", n)
	}
}

func TestASubscriberConnectsAgain(t *testing.T) {
	server := redistest.Start(t)
	s := quiet(t, server.Addr)
	l := fleettest.Listen(t, s.Bus, "news")
	for range 3 {
		server.Do("CLIENT", "KILL", "TYPE", "pubsub")
		l.Await(s.Bus, "news")
	}
	server.Restart()
	l.Await(s.Bus, "news")
}

func TestAnOutageOfTheBusIsLoggedOnceAndNotWithEachTry(t *testing.T) {
	server := redistest.Start(t)
	var lines lines
	s := redis.New(client(t, server.Addr), redis.Options{Timeout: 300 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(&lines, nil))})
	l := fleettest.Listen(t, s.Bus, "news")
	for range 8 {
		server.Do("CLIENT", "KILL", "TYPE", "pubsub")
		l.Await(s.Bus, "news")
	}
	if n := lines.count("no messages of other nodes"); n < 1 || n > 4 { // each 10 s at most
		t.Errorf("8 lost connections are %d lines:\n%s", n, &lines)
	}
	if n := lines.count("messages of other nodes come again"); n < 1 || n > 4 {
		t.Errorf("%d lines say that they come again:\n%s", n, &lines)
	}
}

// lines is a log that several write and the test reads.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) count(text string) int { return strings.Count(l.String(), text) }

func TestASubscriberStartsBeforeRedisDoes(t *testing.T) {
	server := redistest.Start(t)
	s := quiet(t, server.Addr)
	server.Kill()
	ctx, cancel := context.WithCancel(t.Context())
	heard, done := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		done <- s.Bus.Subscribe(ctx, []string{"news"}, func(string, []byte) {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
	}()
	server.Restart()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for waiting := true; waiting; {
		select {
		case <-ticker.C:
			_ = s.Bus.Publish(t.Context(), "news", nil)
		case <-heard:
			waiting = false
		case <-deadline:
			t.Fatal("nothing was heard")
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestASubscriptionEndsWhileRedisIsAway(t *testing.T) {
	server := redistest.Start(t)
	s := quiet(t, server.Addr)
	silent := fleettest.Listen(t, s.Bus, "news")
	server.Pause()
	silent.Stop()
	server.Resume()
	gone := fleettest.Listen(t, s.Bus, "news")
	server.Kill()
	gone.Stop()
}

func TestNothingStaysSubscribed(t *testing.T) {
	server := redistest.Start(t)
	s := quiet(t, server.Addr)
	fleettest.Listen(t, s.Bus, "news", "weather").Stop()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(30 * time.Second)
	for server.Do("PUBSUB", "NUMSUB", "w:bus:news", "w:bus:weather") != "w:bus:news\n0\nw:bus:weather\n0" {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("Redis still has subscribers")
		}
	}
}

func TestInAClusterASubscriberConnectsToANodeThatIsThere(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	s := quiet(t, c.Addrs...)
	l := fleettest.Listen(t, s.Bus, "news")
	for _, node := range c.Nodes {
		node.Do("CLIENT", "KILL", "TYPE", "pubsub")
		l.Await(s.Bus, "news")
	}
	for _, node := range c.Nodes { // one after the other is away for a while
		node.Kill()
		node.Restart()
		c.WaitOK()
		l.Await(s.Bus, "news")
	}
}

func TestBehindSentinelAllGoesOnWithTheNextMaster(t *testing.T) {
	g := redistest.StartSentinel(t)
	var sentinels []string
	for _, s := range g.Sentinels {
		sentinels = append(sentinels, s.Addr)
	}
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: sentinels, DisableCache: true, Sentinel: rueidis.SentinelOption{MasterSet: "mymaster"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := redis.New(c, redis.Options{Timeout: 300 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)})
	l := fleettest.Listen(t, s.Bus, "news")
	for _, failover := range []func(){
		func() { g.Failover() }, // the old one lives on, as a replica
		func() { g.WaitFailover(g.KillMaster()) },
	} {
		failover()
		l.Await(s.Bus, "news")
		waitForBack(t, s)
	}
	l.Stop()
}
