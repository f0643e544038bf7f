package redis_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/redis/rueidis"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet/fleettest"
	"github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestStandalone(t *testing.T) {
	s := redistest.Start(t)
	fleettest.Run(t, open(s.Addr))
}

func TestCluster(t *testing.T) {
	c := redistest.StartCluster(t, 3, 0)
	fleettest.Run(t, open(c.Addrs...))
}

// open makes fleets that share servers, and differ by their prefixes.
func open(addrs ...string) fleettest.Open {
	var fleets atomic.Int64
	return func(t *testing.T, clock weir.Clock) func() fleettest.Node {
		prefix := fmt.Sprintf("w%d:", fleets.Add(1))
		return func() fleettest.Node {
			s := redis.New(client(t, addrs...), redis.Options{Prefix: prefix, Clock: clock, Logger: slog.New(slog.DiscardHandler)})
			return fleettest.Node{Cache: s.Cache, Limiter: s.Limiter, Locks: s.Locks, Bus: s.Bus, Roster: s.Roster}
		}
	}
}

func client(t *testing.T, addrs ...string) rueidis.Client {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: addrs, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
