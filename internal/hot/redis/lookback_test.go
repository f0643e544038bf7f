package redis_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// calls returns how often a command has been called on the server.
func calls(s *redistest.Server, command string) int {
	var n int
	stat := redisconn.ParseInfo(s.Do("INFO", "commandstats"))["cmdstat_"+command]
	_, _ = fmt.Sscanf(strings.Split(stat, ",")[0], "calls=%d", &n)
	return n
}

func TestTheGenerationBeforeIsAskedForFewIDs(t *testing.T) {
	server := redistest.Start(t)
	var hours atomic.Int64
	began := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	clock := func() time.Time { return began.Add(time.Duration(hours.Load()) * time.Hour) }
	s, err := openStore(server.URL(), redis.Options{Clock: clock, Window: 2 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var next int
	batch := func(prefix string, n int) []hot.Item {
		items := make([]hot.Item, n)
		for i := range items {
			items[i] = item(fmt.Sprint(prefix, i), fmt.Sprint("d", i))
		}
		return items
	}
	known := func(items []hot.Item) int {
		t.Helper()
		d, err := s.Append(t.Context(), items)
		if err != nil {
			t.Fatal(err)
		}
		return len(d)
	}
	if n := known(batch("first", 5000)); n != 0 {
		t.Fatalf("%d new ids are known", n)
	}
	hours.Add(2)
	// Until the filter is read all ids are asked for, and then nearly none.
	for end := time.Now().Add(20 * time.Second); ; next++ {
		before := calls(server, "sismember")
		if n := known(batch(fmt.Sprint("probe", next, "-"), 400)); n != 0 {
			t.Fatalf("%d new ids are known", n)
		}
		if asked := calls(server, "sismember") - before; asked < 40 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("all ids are still asked for")
		}
	}
	if n := known(batch("first", 5000)); n != 5000 {
		t.Fatalf("%d of 5000 ids of the generation before are known", n)
	}
	if n := known(batch("second", 5000)); n != 0 {
		t.Fatalf("%d new ids are known", n)
	}
	// In the next generation those of the first are gone, and these are before.
	hours.Add(2)
	if n := known(batch("second", 5000)); n != 5000 {
		t.Fatalf("%d of 5000 ids are known in the generation after", n)
	}
	if n := known(batch("first", 5000)); n != 0 {
		t.Fatalf("%d ids of two generations before are known", n)
	}
}

// turned returns a store whose writer has read the ids of the generation before.
func turned(t *testing.T, server *redistest.Server) *store {
	t.Helper()
	var hours atomic.Int64
	began := time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	s := storeOn(t, server.URL(), redis.Options{
		Shards: 1, Window: twoHours, Clock: func() time.Time { return began.Add(time.Duration(hours.Load()) * time.Hour) },
	})
	feed(t, s, 0, 100)
	hours.Add(2)
	feed(t, s, 100, 101)
	soon(t, "the ids of the generation before are read", func() bool { return calls(server, "smembers") >= 1<<13 })
	return s
}

func TestRefusedAppendsReadNoIDsOut(t *testing.T) {
	server := redistest.Start(t)
	s := turned(t, server)
	server.Do("CONFIG", "SET", "maxmemory", "1")
	had := calls(server, "smembers")
	for i := range 300 {
		if _, err := s.Append(t.Context(), tiny(1000+i, 1001+i)); !errors.Is(err, hot.ErrFull) {
			t.Fatalf("append to a full Redis: %v", err)
		}
	}
	server.Do("CONFIG", "SET", "maxmemory", "0")
	feed(t, s, 2000, 2001)
	if n := calls(server, "smembers") - had; n > 0 {
		t.Errorf("300 refused appends made Redis read out %d sets of ids", n)
	}
}

func TestALostConnectionToTheSameServerReadsNoIDsOut(t *testing.T) {
	server := redistest.Start(t)
	s := turned(t, server)
	had := calls(server, "smembers")
	for i := range 5 {
		server.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
		soon(t, "Redis takes events again", func() bool {
			_, err := s.Append(t.Context(), tiny(1000+i, 1001+i))
			return err == nil
		})
	}
	if n := calls(server, "smembers") - had; n > 0 {
		t.Errorf("five lost connections made Redis read out %d sets of ids", n)
	}
	server.Restart() // and counts from 0
	soon(t, "another process of Redis is asked for its ids", func() bool {
		_, err := s.Append(t.Context(), tiny(2000, 2001))
		return err == nil && calls(server, "smembers") >= 1<<13
	})
}
