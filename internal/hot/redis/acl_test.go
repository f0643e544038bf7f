package redis_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	fleetredis "github.com/weir-analytics/weir/internal/fleet/redis"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// permissions returns the words after ACL SETUSER that the manual tells people to
// type, with a password: on the servers, and on sentinels.
func permissions(t *testing.T) (servers, sentinels []string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?m)^    ACL SETUSER weir (.*\n(?:     .*\n)*)`).FindAllStringSubmatch(string(text), -1)
	if len(blocks) != 2 {
		t.Fatalf("docs/redis.md has %d ACL SETUSER, want 2", len(blocks))
	}
	words := func(i int) []string { return strings.Fields(strings.Replace(blocks[i][1], ">PASSWORD", ">secret", 1)) }
	return words(0), words(1)
}

// confined makes the user on each server and returns url as that user.
func confined(t *testing.T, url string, servers ...*redistest.Server) string {
	t.Helper()
	words, _ := permissions(t)
	for _, s := range servers {
		s.Do(append([]string{"ACL", "SETUSER", "weir"}, words...)...)
	}
	return strings.Replace(url, "://", "://weir:secret@", 1)
}

// asked returns the commands that servers have run, as ACLs name them.
func asked(servers ...*redistest.Server) map[string]bool {
	names := map[string]bool{}
	for _, s := range servers {
		for _, m := range regexp.MustCompile(`(?m)^cmdstat_([a-z|-]+):calls=[1-9]`).FindAllStringSubmatch(s.Do("INFO", "commandstats"), -1) {
			names[m[1]] = true
		}
	}
	return names
}

func noneDenied(t *testing.T, servers ...*redistest.Server) {
	t.Helper()
	for _, s := range servers {
		if log := s.Do("ACL", "LOG"); log != "" {
			t.Errorf("%s has refused something: %s", s.Addr, strings.ReplaceAll(log, "\n", " "))
		}
	}
}

// TestThePermissionsOfTheManualAreEnoughAndNoneIsTooMuch does all that Weir does
// with Redis as the user of the manual.
func TestThePermissionsOfTheManualAreEnoughAndNoneIsTooMuch(t *testing.T) {
	used := map[string]bool{}
	t.Run("standalone", func(t *testing.T) {
		server := redistest.Start(t)
		useLog(t, confined(t, server.URL(), server)+"/2", server)
		maps.Copy(used, asked(server))
		noneDenied(t, server)
	})
	t.Run("sentinel", func(t *testing.T) {
		group := redistest.StartSentinel(t)
		for _, s := range group.Sentinels {
			_, words := permissions(t)
			s.Do(append([]string{"ACL", "SETUSER", "weir"}, words...)...)
		}
		url := confined(t, group.URL(), group.Servers...) + "?sentinel_user=weir&sentinel_password=secret"
		s := opened(t, url, redis.Options{AckReplica: true})
		appended(t, s, "d", 1, time.Now())
		healthOf(t, s)
		maps.Copy(used, asked(group.Servers...))
		noneDenied(t, group.Servers...)
		noneDenied(t, group.Sentinels...)
		master := group.Failover()
		waitHealth(t, s, "the new master is asked", func(h redis.Health, err error) bool {
			return err == nil && h.Up && h.Nodes[0].Addr == master.Addr
		})
		noneDenied(t, group.Sentinels...)
	})
	t.Run("cluster", func(t *testing.T) {
		cluster := redistest.StartCluster(t, 3, 0)
		s := opened(t, confined(t, cluster.URL(), cluster.Nodes...), redis.Options{})
		appended(t, s, "d", 1, time.Now())
		healthOf(t, s)
		maps.Copy(used, asked(cluster.Nodes...))
		noneDenied(t, cluster.Nodes...)
	})
	t.Run("cache", func(t *testing.T) {
		server := redistest.Start(t)
		server.Do(append([]string{"ACL", "SETUSER", "weir", "on", ">secret"}, strings.Fields("~w:* -@all +ping +info +select +get +set")...)...)
		u, err := redisconn.Parse(strings.Replace(server.URL(), "://", "://weir:secret@", 1) + "/1")
		if err != nil {
			t.Fatal(err)
		}
		client, err := redisconn.Open(t.Context(), u, redisconn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		cache := fleetredis.New(client, fleetredis.Options{}).Cache
		if err := cache.Set(t.Context(), "k", []byte("v"), time.Minute); err != nil {
			t.Error(err)
		}
		if _, ok, err := cache.Get(t.Context(), "k"); !ok || err != nil {
			t.Error(ok, err)
		}
		noneDenied(t, server)
	})
	words, _ := permissions(t) // sentinels do not tell what was asked of them
	for _, word := range words {
		if command, ok := strings.CutPrefix(word, "+"); ok && !used[command] {
			t.Errorf("the manual grants %s, which nothing here needs", command)
		}
	}
}

// useLog calls all methods of a store, and what nodes share beside it, so that
// each command of each script is sent.
func useLog(t *testing.T, url string, server *redistest.Server) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	s := opened(t, url, redis.Options{Shards: 2, Window: time.Hour, MaxMembers: 3, Clock: func() time.Time { return now }})
	batch := func(device string, n int) (items []hot.Item) {
		for i := range n {
			items = append(items, hot.Item{Location: time.UTC, Event: &weir.Event{
				ID: fmt.Sprint(device, i), ProjectID: "p", Name: fmt.Sprintf("name %d", i%8), Time: now, ReceivedAt: now, DeviceID: device, Path: "/p",
			}})
		}
		items[0].Event.Name = "screen_view"
		return items
	}
	for range 3 { // the first, again, and again in the next generation of ids
		_, err := s.Append(t.Context(), batch("d", 150))
		must(err)
		_, err = s.Append(t.Context(), batch("e", 2))
		must(err)
		_, err = s.Append(t.Context(), slices.Concat(batch("e", 2), batch("f", 2)))
		must(err)
		server.Do("SCRIPT", "FLUSH")
		now = now.Add(time.Hour)
	}
	for range 3 {
		now = now.Add(time.Hour)
		_, err := s.Append(t.Context(), batch(fmt.Sprint("g", now.Unix()), 200))
		must(err)
	}
	for i := range 240 {
		_, err := s.Append(t.Context(), batch(fmt.Sprint("h", i), 1))
		must(err)
	}
	must(s.Sweep())

	for shard := range s.Shards() {
		head, err := s.Head(t.Context(), shard)
		must(err)
		_, err = s.Read(t.Context(), shard, 0, hot.Limit{})
		must(err)
		l, err := s.Claim(t.Context(), shard, "me", time.Minute)
		must(err)
		must(s.Renew(t.Context(), l, time.Minute))
		in := hot.Intent{First: 1, Last: head, Now: now}
		must(s.Intend(t.Context(), l, in))
		_, err = s.Progress(t.Context(), shard)
		must(err)
		must(s.Commit(t.Context(), l, in, []hot.Change{{Key: "a", Value: []byte("b")}, {Key: "c"}}))
		_, err = s.States(t.Context(), shard, []string{"a", "c"})
		must(err)
		_, _, err = s.ScanState(t.Context(), shard, "", 10)
		must(err)
		must(s.Release(t.Context(), l))
	}

	from, to := now.Add(-24*time.Hour), now.Add(24*time.Hour)
	_, err := s.Series(t.Context(), "p", hot.Hour, hot.Name, "x", from, to)
	must(err)
	_, err = s.Members(t.Context(), "p", hot.Hour, hot.Name, from, to, 10)
	must(err)
	_, err = s.Uniques(t.Context(), "p", hot.Hour, from, to)
	must(err)
	_, err = s.Inquire(t.Context(), "p", hot.Inquiry{
		Live: now, Devices: []hot.Bucket{{Grain: hot.Day, Start: hot.Day.Start(now, time.UTC).Unix()}},
		Tables: []hot.Question{{Grain: hot.Day, Dimension: hot.Name, Starts: []time.Time{hot.Day.Start(now, time.UTC)}}},
	})
	must(err)
	_, err = s.Live(t.Context(), "p", now)
	must(err)
	_, err = s.Seen(t.Context(), "p", []hot.SeenQuery{{Device: "d"}}, now)
	must(err)
	day := hot.Bucket{Grain: hot.Day, Start: hot.Day.Start(now, time.UTC).Unix()}
	rows := []weir.EventRow{{Event: *batch("d", 1)[0].Event}}
	must(s.Subtract(t.Context(), "p", hot.Step{ID: "x", Number: 1}, hot.Amounts(rows, time.UTC)))
	must(s.ClearUniques(t.Context(), "p", []hot.Bucket{day}))
	must(s.AddUniques(t.Context(), "p", []hot.Unique{{Bucket: day, Device: "d"}}))
	must(s.DropIDs(t.Context(), rows))
	_, err = s.Bind(t.Context(), "meta", false)
	must(err)
	if h := healthOf(t, s); len(h.Notes) > 0 {
		t.Errorf("health leaves out: %q", h.Notes)
	}

	f := fleetredis.New(s.client, fleetredis.Options{})
	must(f.Cache.Set(t.Context(), "k", []byte("v"), time.Minute))
	_, _, err = f.Cache.Get(t.Context(), "k")
	must(err)
	_, _, err = f.Limiter.Take(t.Context(), "k", fleet.Limit{Every: time.Second, Burst: 6}, 3)
	must(err)
	must(f.Limiter.Forget(t.Context(), "k"))
	_, err = f.Locks.Acquire(t.Context(), "l", "o", time.Minute)
	must(err)
	must(f.Locks.Release(t.Context(), "l", "o"))
	_, err = f.Roster.Announce(t.Context(), "g", "a", time.Minute)
	must(err)
	must(f.Roster.Leave(t.Context(), "g", "a"))
	heard, left := make(chan struct{}, 1), make(chan struct{})
	ctx, leave := context.WithCancel(t.Context())
	go func() {
		defer close(left)
		_ = f.Bus.Subscribe(ctx, []string{"t"}, func(string, []byte) {
			select {
			case heard <- struct{}{}:
			default:
			}
		})
	}()
	waitFor(t, "a message", func() bool {
		must(f.Bus.Publish(t.Context(), "t", []byte("m")))
		return len(heard) > 0
	})
	leave()
	<-left
	must(f.Bus.Publish(t.Context(), "t", nil))
}
