package redis_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redistest"
)

// tiny returns events that are not much more than their ids: numbers from one to,
// but not including, another.
func tiny(from, to int) []hot.Item {
	now := time.Now()
	items := make([]hot.Item, 0, to-from)
	for i := from; i < to; i++ {
		e := &weir.Event{ID: strconv.Itoa(i), ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: strconv.Itoa(i % 16)}
		items = append(items, hot.Item{Event: e, Location: time.UTC})
	}
	return items
}

// feed appends tiny events and returns how many were duplicates.
func feed(t testing.TB, s *store, from, to int) (known int) {
	t.Helper()
	const each = 4000
	for ; from < to; from += each {
		k, err := s.Append(t.Context(), tiny(from, min(from+each, to)))
		if err != nil {
			t.Fatal(err)
		}
		known += len(k)
	}
	return known
}

// sets counts the sets of ids by generation.
func sets(t testing.TB, server *redistest.Server) map[int64]int {
	t.Helper()
	got := map[int64]int{}
	for key := range strings.Lines(server.Do("KEYS", "{w*}:*.*")) {
		if key = strings.TrimSpace(key); idSet.MatchString(key) {
			_, name, _ := strings.Cut(key, ":")
			text, _, _ := strings.Cut(name, ".")
			generation, err := strconv.ParseInt(text, 36, 64)
			if err != nil {
				t.Fatal(err)
			}
			got[generation]++
		}
	}
	return got
}

func fieldOf(t testing.TB, server *redistest.Server, name string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(server.Do("HGET", "{w0}", name), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// generations is a store of one shard whose clock a test turns.
type generations struct {
	*store
	t      *testing.T
	server *redistest.Server
	now    time.Time
	first  int64 // number of the generation that it began in
}

func newGenerations(t *testing.T) *generations {
	const first = 500_000
	// Synced each time: with everysec a busy Redis puts off its write, and loses it when it is killed.
	g := &generations{t: t, server: redistest.Start(t, "--appendfsync", "always"), now: time.UnixMicro(first * twoHours.Microseconds()), first: first}
	g.store = storeOn(t, g.server.URL(), redis.Options{Shards: 1, Window: twoHours, Clock: func() time.Time { return g.now }})
	return g
}

const twoHours = 2 * time.Hour

// want checks how many of the ids in a range are known; the others are from now
// on.
func (g *generations) want(known, from, to int) {
	g.t.Helper()
	if got := feed(g.t, g.store, from, to); got != known {
		g.t.Errorf("%d of the ids from %d to %d are known, want %d", got, from, to, known)
	}
}

// left checks how many sets of which generations, counted from the first, are
// left after a sweep, and the bits that tell the sets of the current one apart.
// 0 sets are any number of them.
func (g *generations) left(bits int, want map[int64]int) {
	g.t.Helper()
	if err := g.Sweep(); err != nil {
		g.t.Fatal(err)
	}
	if got := g.server.Do("HGET", "{w0}", "bits"); got != strconv.Itoa(bits) {
		g.t.Errorf("%s bits, want %d", got, bits)
	}
	got := sets(g.t, g.server)
	for generation, n := range want {
		if of := got[g.first+generation]; of == 0 || n != 0 && of != n {
			g.t.Errorf("generation %d has %d sets, want %d", generation, of, n)
		}
		delete(got, g.first+generation)
	}
	if len(got) > 0 {
		g.t.Errorf("sets of other generations are left: %v", got)
	}
	if fields := g.server.Do("HKEYS", "{w0}"); strings.Contains(fields, "old:") {
		g.t.Errorf("old generations are still noted: %q", fields)
	}
}

func TestIdsAreKnownForOneToTwoWindowsAndThenDeleted(t *testing.T) {
	t.Parallel()
	g := newGenerations(t)
	g.want(0, 0, 100)
	g.now = g.now.Add(twoHours - time.Second)
	g.want(100, 0, 100)
	g.left(13, map[int64]int{0: 0})
	g.now = g.now.Add(time.Second)
	g.want(100, 0, 100) // the last moment of the window, and known by the generation before
	g.want(0, 1000, 41_000)
	g.left(13, map[int64]int{0: 0, 1: 0})
	g.now = g.now.Add(twoHours - time.Second)
	g.want(100, 0, 100)
	g.now = g.now.Add(time.Second)
	g.want(40_000, 1000, 41_000)
	g.want(0, 0, 100) // two windows have passed
	g.want(0, 50_000, 55_000)
	g.left(13, map[int64]int{1: 0, 2: 0})
	g.now = g.now.Add(twoHours)
	g.want(5000, 50_000, 55_000)
	g.want(0, 1000, 1005)
	g.left(13, map[int64]int{2: 0, 3: 0})
	g.now = g.now.Add(twoHours)
	g.want(5, 1000, 1005)
	g.left(13, map[int64]int{3: 0}) // in this one came nothing new
	g.now = g.now.Add(twoHours)
	g.want(0, 1000, 1005)
	g.left(13, map[int64]int{5: 0})
	g.now = g.now.Add(50 * twoHours) // nobody was here, or the clock jumped
	g.want(5, 1000, 1005)
	g.left(13, map[int64]int{5: 0})
	g.now = g.now.Add(twoHours)
	g.want(0, 1000, 1005)
	g.left(13, map[int64]int{7: 0})
}

func TestTheSetsOfAGenerationAreAsManyAsTheOneBeforeNeeded(t *testing.T) {
	t.Parallel()
	g := newGenerations(t)
	g.want(0, 0, 40_000)
	// As if 1.1 million more had come: more than 128 each in 8192 sets.
	g.server.Do("HINCRBY", "{w0}", "began", "-1100000")
	g.now = g.now.Add(twoHours)
	g.want(0, 50_000, 90_000)
	g.want(5000, 0, 5000)
	g.left(14, map[int64]int{0: 0, 1: 0})
	g.now = g.now.Add(twoHours)
	g.want(0, 100_000, 140_000)
	g.want(40_000, 50_000, 90_000)
	g.left(13, map[int64]int{1: 0, 2: 0})
}

func TestAGenerationThatNobodySweptIsDeletedLater(t *testing.T) {
	g := newGenerations(t)
	for i := range 5 {
		g.want(0, 1000*i, 1000*i+500)
		g.now = g.now.Add(twoHours)
	}
	g.want(500, 4000, 4500)
	g.want(0, 5000, 5001)
	g.left(13, map[int64]int{4: 0, 5: 1})
}

func TestAClockThatIsSetBackTurnsNothingBack(t *testing.T) {
	g := newGenerations(t)
	g.want(0, 0, 100)
	g.now = g.now.Add(twoHours)
	g.want(0, 100, 200)
	g.now = g.now.Add(-100 * twoHours)
	g.want(200, 0, 200)
	g.want(0, 200, 300)
	g.now = g.now.Add(100 * twoHours)
	g.want(300, 0, 300)
	g.left(13, map[int64]int{0: 0, 1: 0})
}

// What a writer remembers of the generation before is no longer true when Redis
// has ended, and what Redis remembers is.
func TestIdsAreKnownAfterARestartInTheNextGeneration(t *testing.T) {
	g := newGenerations(t)
	g.want(0, 0, 5000)
	g.now = g.now.Add(twoHours)
	for i := range 5 {
		g.want(5000, 0, 5000)
		g.want(0, 10_000+i, 10_001+i)
		g.server.Restart()
		soon(t, "Redis is back", func() bool {
			_, err := g.Append(t.Context(), tiny(0, 1))
			return err == nil
		})
	}
	g.want(5, 10_000, 10_005)
}

// Without an injected clock the nodes' clocks do not matter: the generation is
// that of the clock of Redis.
func TestTheClockOfRedisTurnsTheGenerations(t *testing.T) {
	server := redistest.Start(t)
	s := storeOn(t, server.URL(), redis.Options{Shards: 1})
	seconds := func() int64 {
		text, _, _ := strings.Cut(server.Do("TIME"), "\n")
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const day = 24 * 60 * 60
	from := seconds() / day
	feed(t, s, 0, 10)
	to := seconds() / day
	gen, err := strconv.ParseInt(server.Do("HGET", "{w0}", "gen"), 10, 64)
	if err != nil || gen < from || gen > to {
		t.Errorf("generation %d, want %d to %d", gen, from, to)
	}
	// So do leases end.
	l, err := s.Claim(t.Context(), 0, "me", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	until, err := strconv.ParseInt(server.Do("HGET", "{w0}", "until"), 10, 64)
	if left := until/1_000_000 - seconds(); err != nil || left < 3500 || left > 3601 {
		t.Errorf("the lease of an hour ends in %d s (%v)", left, err)
	}
	if err := s.Release(t.Context(), l); err != nil {
		t.Error(err)
	}
}

func TestIdsAreToldApartExactly(t *testing.T) {
	t.Parallel()
	const n = 200_000
	server := redistest.Start(t, "--appendonly", "no")
	now := time.Unix(1_800_000_000, 0)
	s := storeOn(t, server.URL(), redis.Options{Shards: 2, Clock: func() time.Time { return now }})
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same in each run
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%x%x", random.Uint64(), random.Uint32())
	}
	send := func(want bool) {
		t.Helper()
		for from := 0; from < n; from += 4000 {
			items := make([]hot.Item, 4000)
			for i := range items {
				items[i] = hot.Item{Location: time.UTC, Event: &weir.Event{
					ID: ids[from+i], ProjectID: "p", Name: "x", Time: now, ReceivedAt: now, DeviceID: strconv.Itoa(i % 16),
				}}
			}
			known, err := s.Append(t.Context(), items)
			if err != nil {
				t.Fatal(err)
			}
			if want && len(known) != len(items) || !want && len(known) != 0 {
				t.Fatalf("of %d ids %d are known; known before: %v", len(items), len(known), want)
			}
		}
	}
	send(false)
	send(true)
	now = now.Add(24 * time.Hour)
	send(true)
	if n := fieldOf(t, server, "known"); n == 0 {
		t.Error("no duplicate was noted")
	}
}
