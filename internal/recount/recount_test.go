package recount_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/recount"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// jobs is a recount.Meta with at most one recount.
type jobs struct {
	mu  sync.Mutex
	job *weir.Recount
}

func (j *jobs) Recounts(context.Context) ([]weir.Recount, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.job == nil {
		return nil, nil
	}
	return []weir.Recount{*j.job}, nil
}

func (j *jobs) SaveRecount(_ context.Context, r weir.Recount) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.job == nil || j.job.ID != r.ID {
		return false, nil
	}
	j.job.Done = r.Done
	return true, nil
}

func (j *jobs) EndRecount(context.Context, weir.Recount) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.job = nil
	return nil
}

// failing is a hot tier that fails at some of the calls of a recount, before or after they are done.
type failing struct {
	recount.Hot
	random *rand.Rand // nil: it does not fail
}

var errCrash = errors.New("crash")

func (f *failing) crash(run func() error) error {
	if f.random == nil {
		return run()
	}
	switch f.random.IntN(25) {
	case 0:
		return errCrash
	case 1:
		_ = run()
		return errCrash
	}
	return run()
}

func (f *failing) Empty(ctx context.Context, project, id string, buckets []hot.Bucket) (heads []uint64, err error) {
	err = f.crash(func() error { heads, err = f.Hot.Empty(ctx, project, id, buckets); return err })
	return heads, err
}

func (f *failing) Refill(ctx context.Context, project string, step hot.Step, amounts []hot.Amount, unique []hot.Unique) error {
	return f.crash(func() error { return f.Hot.Refill(ctx, project, step, amounts, unique) })
}

func openPebble(t *testing.T) hot.Store {
	s, err := pebble.Open(t.TempDir(), pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openRedis(t *testing.T) hot.Store {
	u, err := redisconn.Parse(redistest.Start(t).URL())
	if err != nil {
		t.Fatal(err)
	}
	client, err := redisconn.Open(t.Context(), u, redisconn.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s, err := redis.Open(t.Context(), client, "", redis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// world has two projects with the same events: moved gets another timezone, and always had it.
type world struct {
	t        *testing.T
	hot      hot.Store
	failing  *failing
	jobs     *jobs
	config   recount.Config
	from, to *time.Location
	random   *rand.Rand
	n        int
}

func openDuckDB(t *testing.T) cold.Store {
	c, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func openClickHouse(t *testing.T) cold.Store {
	to, err := clickhouse.Parse(clickhousetest.Start(t).URL("weir"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := clickhouse.Open(t.Context(), to, clickhouse.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func newWorld(t *testing.T, store hot.Store, c cold.Store, from, to string) *world {
	t.Helper()
	var err error
	t.Cleanup(func() { _ = c.Close() })
	t.Cleanup(func() { _ = store.Close() })
	d := drain.New(store, c, drain.Options{BarrierWait: time.Minute})
	ctx, stop := context.WithCancel(t.Context())
	var drained sync.WaitGroup
	drained.Go(func() { _ = d.Run(ctx) })
	t.Cleanup(func() { stop(); drained.Wait() })
	w := &world{t: t, hot: store, failing: &failing{Hot: store}, jobs: &jobs{}, random: rand.New(rand.NewPCG(7, 8))}
	for name, loc := range map[string]**time.Location{from: &w.from, to: &w.to} {
		if *loc, err = time.LoadLocation(name); err != nil {
			t.Fatal(err)
		}
	}
	w.config = recount.Config{Meta: w.jobs, Hot: w.failing, Cold: c, Barrier: d, Locks: local.New(local.Options{}).Locks, Owner: "test", Settle: time.Hour}
	return w
}

// append appends n random events to both projects, to moved in loc.
func (w *world) append(ctx context.Context, n int, loc *time.Location) error {
	now := time.Now()
	ages := []time.Duration{0, 0, 20 * time.Minute, 7 * time.Hour, 19 * time.Hour, 26 * time.Hour, 150 * time.Hour, 151 * time.Hour, 600 * time.Hour, 1000 * time.Hour, 1018 * time.Hour, 8500 * time.Hour}
	var items []hot.Item
	for range n {
		w.n++
		e := weir.Event{
			ID: fmt.Sprint(w.n), Name: fmt.Sprint("name", w.random.IntN(4)), ReceivedAt: now, Bot: w.random.IntN(4) == 0,
			Time: now.Add(-ages[w.random.IntN(len(ages))]), DeviceID: []string{"", "a", "b", "c", "d"}[w.random.IntN(5)],
		}
		if w.random.IntN(2) == 0 {
			e.Name, e.Call = weir.NameCall, &weir.Call{
				Method: []string{"", "GET"}[w.random.IntN(2)], Route: fmt.Sprint([]string{"", "/a", "/b"}[w.random.IntN(3)]),
				Status: []int{0, 200, 404, 503, 700}[w.random.IntN(5)], Consumer: []string{"", "acme"}[w.random.IntN(2)],
			}
		}
		moved, always := e, e
		moved.ProjectID, always.ProjectID = "moved", "always"
		items = append(items, hot.Item{Event: &moved, Location: loc}, hot.Item{Event: &always, Location: w.to})
	}
	_, err := w.hot.Append(ctx, items)
	return err
}

func (w *world) check() {
	w.t.Helper()
	if d := cmp.Diff(w.numbers("always"), w.numbers("moved")); d != "" {
		w.t.Fatalf("always in %s (-), moved from %s (+)\n%s", w.to, w.from, d)
	}
}

// numbers returns all counters of a project.
func (w *world) numbers(project string) map[string]int64 {
	w.t.Helper()
	got := map[string]int64{}
	for _, g := range hot.Grains {
		points, err := w.hot.Series(w.t.Context(), project, g, hot.Total, "", time.Unix(0, 0), time.Now().Add(48*time.Hour))
		if err != nil {
			w.t.Fatal(err)
		}
		for _, p := range points {
			if g == hot.Minute {
				got[fmt.Sprint("minute ", p.Start)] = p.Count
				continue
			}
			for _, d := range hot.Dimensions {
				members, err := w.hot.Members(w.t.Context(), project, g, d, p.Start, p.Start.Add(time.Second), 0)
				if err != nil {
					w.t.Fatal(err)
				}
				for _, m := range members {
					got[fmt.Sprintf("%c %s by %c %s", g, p.Start, d, m.Name)] = m.Count
				}
			}
			for _, crowd := range []string{project, hot.BotsOf(project)} {
				n, err := w.hot.Uniques(w.t.Context(), crowd, g, p.Start, p.Start.Add(time.Second))
				if err != nil {
					w.t.Fatal(err)
				}
				got[fmt.Sprintf("%c %s unique, bots: %v", g, p.Start, crowd != project)] = n
			}
		}
	}
	return got
}

// look looks until it does not fail.
func (w *world) look() {
	w.t.Helper()
	for range 10_000 {
		err := recount.New(w.config).Look(w.t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, errCrash) {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("it does not stop failing")
}

func (w *world) change() {
	w.jobs.job = &weir.Recount{ID: fmt.Sprint(w.n), ProjectID: "moved", Timezone: w.to.String(), AskedAt: time.Now()}
}

func TestAfterATimezoneChangesTheCountersAreThoseOfAProjectThatAlwaysHadIt(t *testing.T) {
	for _, c := range []struct {
		name string
		hot  func(*testing.T) hot.Store
		cold func(*testing.T) cold.Store
	}{{"Pebble and DuckDB", openPebble, openDuckDB}, {"Redis and DuckDB", openRedis, openDuckDB}, {"Pebble and ClickHouse", openPebble, openClickHouse}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.hot(t), c.cold(t), "America/St_Johns", "Asia/Kathmandu")
			for range 4 {
				if err := w.append(t.Context(), 100, w.from); err != nil {
					t.Fatal(err)
				}
			}
			w.change()
			w.failing.random = w.random
			// Events come in meanwhile, in the new timezone.
			var writer sync.WaitGroup
			meanwhile := &world{hot: w.hot, to: w.to, random: rand.New(rand.NewPCG(9, 10)), n: 1_000_000}
			writer.Go(func() {
				for range 40 {
					if err := meanwhile.append(context.Background(), 5, w.to); err != nil {
						t.Error(err)
						return
					}
				}
			})
			w.look()
			writer.Wait()
			if r := weir.RecountingOf(w.jobs.job.Done); r != (weir.Recounting{Percent: 100}) {
				t.Fatalf("%+v", r)
			}
			w.check()

			// A node that has not seen the change yet counts in the former timezone.
			if err := w.append(t.Context(), 20, w.from); err != nil {
				t.Fatal(err)
			}
			w.look()
			if w.jobs.job == nil {
				t.Fatal("the recount ended before all nodes have seen the change")
			}
			w.config.Settle = time.Nanosecond
			w.look()
			if w.jobs.job != nil {
				t.Fatalf("the recount goes on: %+v", w.jobs.job)
			}
			w.check()
		})
	}
}

func TestOneCorrectionOfAProjectRunsAtATime(t *testing.T) {
	w := newWorld(t, openPebble(t), openDuckDB(t), "UTC", "Europe/Berlin")
	w.change()
	if ok, err := w.config.Locks.Acquire(t.Context(), hot.CorrectionLock("moved"), "another", time.Hour); err != nil || !ok {
		t.Fatal(ok, err)
	}
	w.look()
	if w.jobs.job.Done != 0 {
		t.Fatalf("%d days are done while another correction runs", w.jobs.job.Done)
	}
	if err := w.config.Locks.Release(t.Context(), hot.CorrectionLock("moved"), "another"); err != nil {
		t.Fatal(err)
	}
	w.look()
	if w.jobs.job.Done != weir.RecountDays {
		t.Fatalf("%d days are done", w.jobs.job.Done)
	}
	if ok, err := w.config.Locks.Acquire(t.Context(), hot.CorrectionLock("moved"), "another", time.Hour); err != nil || !ok {
		t.Fatal("the lock was not released", err)
	}
}
