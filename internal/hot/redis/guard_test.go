package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

func TestNodesThatMakeTheLogAtOnceMakeOne(t *testing.T) {
	t.Parallel()
	for range 5 {
		server := redistest.Start(t)
		const nodes = 6
		type opened struct {
			s   *store
			err error
		}
		all := make(chan opened, nodes)
		for i := range nodes {
			go func() {
				s, err := openStore(server.URL(), redis.Options{Shards: 2 + i})
				all <- opened{s, err}
			}()
		}
		ids, shards := map[string]bool{}, map[int]bool{}
		for range nodes {
			o := <-all
			if o.err != nil {
				t.Fatal(o.err)
			}
			t.Cleanup(func() { o.s.Close() })
			ids[o.s.ID()], shards[o.s.Shards()] = true, true
			if _, err := o.s.Append(t.Context(), []hot.Item{item(fmt.Sprint(len(ids), o.s.Shards()), "d")}); err != nil {
				t.Error(err)
			}
		}
		if len(ids) != 1 || len(shards) != 1 {
			t.Errorf("logs %v of %v shards", ids, shards)
		}
	}
}

func TestALogWhoseMakingWasCutOffIsMadeWhole(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 3})
	_ = s.Store.Close()
	server.Do("HDEL", "w:log", "made")
	server.Do("DEL", "{w1}", "{w2}")
	again := storeOn(t, server.URL(), redis.Options{})
	if again.ID() != s.ID() || again.Shards() != 3 {
		t.Errorf("log %s of %d shards, was %s of 3", again.ID(), again.Shards(), s.ID())
	}
	for shard := range 3 {
		if _, err := again.Head(t.Context(), shard); err != nil {
			t.Error(err)
		}
	}
	_ = again.Store.Close()
	// Now it is known to be whole.
	server.Do("DEL", "{w1}")
	if _, err := openStore(server.URL(), redis.Options{}); err == nil || !strings.Contains(err.Error(), "Redis has lost data of the hot tier") {
		t.Errorf("opened without a shard: %v", err)
	}
}

func TestWhatIsNotALogOfThisVersionIsNotOpened(t *testing.T) {
	server := redistest.Start(t)
	var err error
	refused := func(want string) {
		t.Helper()
		var s *store
		if s, err = openStore(server.URL(), redis.Options{}); err == nil {
			s.Close()
			t.Fatalf("opened, want %q", want)
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q in it", err, want)
		}
	}
	storeOn(t, server.URL(), redis.Options{})
	server.Do("HSET", "w:log", "format", "99")
	if refused("format 99"); !errors.Is(err, hot.ErrNewer) {
		t.Errorf("%v, want ErrNewer", err)
	}
	server.Do("HSET", "w:log", "format", "1", "shards", "many")
	refused("w:log is not what Weir has written")
	server.Do("HSET", "w:log", "shards", "0")
	refused("w:log is not what Weir has written")
	server.Do("FLUSHALL")
	server.Do("HSET", "w:log", "of", "somebody else")
	refused("hot: ")
	server.Do("FLUSHALL")
	server.Do("SET", "w:log", "x")
	refused("WRONGTYPE")
	server.Do("FLUSHALL")
	server.Do("SET", "{w0}", "x")
	refused("WRONGTYPE")
}

func TestStoresUnderTwoPrefixesDoNotTouchEachOther(t *testing.T) {
	server := redistest.Start(t)
	a, b := storeOn(t, server.URL()+"?prefix=a", redis.Options{}), storeOn(t, server.URL()+"?prefix=b", redis.Options{})
	ab := storeOn(t, server.URL()+"/1?prefix=a", redis.Options{}) // another database
	for _, s := range []*store{a, b, ab} {
		for i := range 20 {
			if known, err := s.Append(t.Context(), []hot.Item{item(fmt.Sprint(i), fmt.Sprint("d", i))}); err != nil || len(known) > 0 {
				t.Fatal(known, err)
			}
		}
		if got := contents(t, s); len(got) != 20 {
			t.Errorf("%d events, want 20", len(got))
		}
	}
	if a.ID() == b.ID() || a.ID() == ab.ID() {
		t.Error("they are one log")
	}
	for key := range strings.Lines(server.Do("KEYS", "*")) {
		if !strings.HasPrefix(key, "a:") && !strings.HasPrefix(key, "b:") && !strings.HasPrefix(key, "{a") && !strings.HasPrefix(key, "{b") {
			t.Errorf("a key without its prefix: %s", key)
		}
	}
}

func TestAnAppendThatNeedsAReplicaSaysThatThereIsNone(t *testing.T) {
	t.Parallel()
	s := storeOn(t, redistest.Start(t).URL(), redis.Options{AckReplica: true, Timeout: 500 * time.Millisecond})
	for range 2 {
		if _, err := s.Append(t.Context(), []hot.Item{item("1", "d")}); err == nil || !strings.Contains(err.Error(), "replicas have confirmed") {
			t.Errorf("%v, want it to say that the replicas do not have it", err)
		}
	}
}

func TestAnEventOfAnyTimeAndTextIsTaken(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{})
	now := time.Now()
	var items []hot.Item
	add := func(change func(*weir.Event)) {
		it := item(fmt.Sprint(len(items)), "d")
		change(it.Event)
		items = append(items, it)
	}
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0), time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), now.AddDate(300, 0, 0), now.AddDate(-300, 0, 0), now.Add(time.Hour), now.AddDate(1, 0, 0),
	} {
		add(func(e *weir.Event) { e.Time, e.Name = at, weir.NameScreenView })
	}
	for _, text := range []string{"", "other", "a b", "a\x00b", "\xff\xfe", "{w1}", "}:{", "ü\r\n$1\r\n", strings.Repeat("x", 10_000), "-1", "nil", "%s%d"} {
		add(func(e *weir.Event) { e.DeviceID = text })
		add(func(e *weir.Event) { e.ProjectID = text })
		add(func(e *weir.Event) {
			e.Name, e.Call = weir.NameCall, &weir.Call{Route: text, Consumer: text, Status: -5}
		})
		add(func(e *weir.Event) { e.Name, e.Path, e.Origin = weir.NameScreenView, text, text })
	}
	for _, it := range items { // each alone, and then all at once
		if known, err := s.Append(t.Context(), []hot.Item{it}); err != nil || len(known) > 0 {
			t.Fatalf("%+v: %v, %v", it.Event, known, err)
		}
	}
	if known, err := s.Append(t.Context(), items); err != nil || len(known) != len(items) {
		t.Fatalf("%d of %d are known: %v", len(known), len(items), err)
	}
	for i := range items {
		e := *items[i].Event
		e.ID = "again" + e.ID
		items[i].Event = &e
	}
	if known, err := s.Append(t.Context(), items); err != nil || len(known) > 0 {
		t.Fatal(known, err)
	}
	if got := contents(t, s); len(got) != 2*len(items) {
		t.Errorf("%d events, want %d", len(got), 2*len(items))
	}
	for _, it := range items {
		if _, err := s.Live(t.Context(), it.Event.ProjectID, now); err != nil {
			t.Error(err)
		}
		if _, err := s.Seen(t.Context(), it.Event.ProjectID, []hot.SeenQuery{{Device: it.Event.DeviceID, ID: it.Event.ID}}, now); err != nil {
			t.Error(err)
		}
		if _, err := s.Members(context.Background(), it.Event.ProjectID, hot.Day, hot.Route, now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), 0); err != nil {
			t.Error(err)
		}
	}
	for key := range strings.SplitSeq(server.Do("KEYS", "{w*}:uni:*"), "\n") {
		if !strings.Contains(key, "\r") && key != "" && !strings.ContainsAny(key, "$\x00") && server.Do("TTL", key) == "-1" {
			t.Errorf("%q is kept for ever", key)
		}
	}
}
