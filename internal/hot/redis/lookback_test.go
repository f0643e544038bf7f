package redis_test

import (
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

// calls is how often a command has been called on the server.
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
