package redis_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// countingClient counts the reads of counters and presence that go to Redis.
type countingClient struct {
	rueidis.Client
	reads atomic.Int64
}

func (c *countingClient) DoMulti(ctx context.Context, cmds ...rueidis.Completed) []rueidis.RedisResult {
	switch cmds[0].Commands()[0] {
	case "ZRANGE", "ZCOUNT", "GETRANGE", "PFCOUNT":
		c.reads.Add(1)
	}
	return c.Client.DoMulti(ctx, cmds...)
}

func countingStore(t *testing.T, url string) (*redis.Store, *countingClient) {
	t.Helper()
	u, err := redisconn.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	const timeout = 300 * time.Millisecond
	client, err := redisconn.Open(t.Context(), u, redisconn.Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	counting := &countingClient{Client: client}
	s, err := redis.Open(t.Context(), counting, u.Prefix, redis.Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, counting
}

// readAll asks everything that needs all shards, and returns the errors by name.
func readAll(ctx context.Context, s *redis.Store) map[string]error {
	errs, to := map[string]error{}, time.Now()
	from := to.Add(-time.Hour)
	_, errs["series"] = s.Series(ctx, "p", hot.Minute, hot.Total, "", from, to)
	_, errs["members"] = s.Members(ctx, "p", hot.Minute, hot.Name, from, to, 10)
	_, errs["uniques"] = s.Uniques(ctx, "p", hot.Minute, from, to)
	_, errs["live"] = s.Live(ctx, "p", to)
	_, errs["inquire"] = s.Inquire(ctx, "p", hot.Inquiry{Live: to})
	return errs
}

func TestReadsFailAtOnceWhileRedisIsKnownToBeAway(t *testing.T) {
	t.Parallel()
	for name, outage := range map[string]struct{ away, back func(*redistest.Server) }{
		"silent": {(*redistest.Server).Pause, (*redistest.Server).Resume},
		"gone":   {(*redistest.Server).Kill, (*redistest.Server).Restart},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
			s, client := countingStore(t, server.URL())
			for range 2 {
				outage.away(server)
				if _, err := s.Live(t.Context(), "p", time.Now()); weir.ErrorCode(err) != weir.EUNAVAILABLE {
					t.Fatalf("the read that finds the outage: %v", err)
				}
				before := client.reads.Load()
				for range 5 {
					for what, err := range readAll(t.Context(), s) {
						if weir.ErrorCode(err) != weir.EUNAVAILABLE {
							t.Errorf("%s while Redis is away: %v", what, err)
						}
					}
				}
				if n := client.reads.Load() - before; n != 0 {
					t.Errorf("%d reads went to a Redis that is known to be away", n)
				}
				outage.back(server)
				soon(t, "Redis is read again", func() bool {
					for _, err := range readAll(t.Context(), s) {
						if err != nil {
							return false
						}
					}
					return true
				})
			}
		})
	}
}

func TestCallerThatGivesUpDoesNotMakeRedisAway(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	s, client := countingStore(t, server.URL())
	server.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Live(ctx, "p", time.Now()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a caller without time: %v", err)
	}
	server.Resume()
	before := client.reads.Load()
	for what, err := range readAll(t.Context(), s) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if client.reads.Load() == before {
		t.Error("no read went to Redis")
	}
}
