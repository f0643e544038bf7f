package e2e_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/redistest"
)

// Two drains of one log: the first stands still between the reading of a batch
// and its intent, where nothing but the fence keeps it from writing. Meanwhile
// the second takes its shards over, drains them, and is gone.

func TestADeposedDrainWritesNothing(t *testing.T) {
	t.Parallel()
	if err := depose(t, func(s hot.Store) hot.Store { return s }); err != nil {
		t.Fatal(err)
	}
}

// The check must notice a log that lets a deposed owner go on.
func TestTheCheckNoticesALogWithoutFence(t *testing.T) {
	t.Parallel()
	err := depose(t, func(s hot.Store) hot.Store { return unfenced{s} })
	if !errors.Is(err, errTwice) {
		t.Fatalf("noticed: %v, want that an event is stored twice", err)
	}
	t.Log("noticed:", err)
}

// depose deposes a drain of the log, with a bug planted in what it is given, and
// checks what is stored.
func depose(t *testing.T, plant func(hot.Store) hot.Store) error {
	f := &fleet{t: t, hot: redistest.Start(t).URL(), data: t.TempDir()}
	log, closeLog, err := f.openLog()
	if err != nil {
		t.Fatal(err)
	}
	defer closeLog()
	store, err := duckdb.Open(filepath.Join(f.data, "cold.duckdb"), duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	l := newLoad(t, "c", 1, "")
	appendSome := func() {
		t.Helper()
		for range 5 {
			l.appendBatch(log, "p")
		}
	}

	appendSome()
	went := make(chan string, 1000)
	paused := &pausable{Store: plant(log), standing: make(chan struct{}), goOn: make(chan struct{})}
	stopFirst := runDrain(paused, store, drain.Options{
		Owner:     "first",
		Failed:    func(_ int, err error) { went <- "refused: " + err.Error() },
		Committed: func(drain.Commit) { went <- "committed" },
	})
	<-paused.standing
	appendSome()
	stopSecond := runDrain(log, store, drain.Options{Owner: "second"})
	until(t, "the second drains all", func() bool {
		n, err := waiting(t.Context(), log)
		if err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
	stopSecond()
	close(paused.goOn)
	t.Log("the first went on:", <-went)
	stopFirst()
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	return check(t, f, project{ID: "p"}, l)
}

// runDrain drains until stop is called.
func runDrain(log hot.Log, w cold.Writer, o drain.Options) (stop func()) {
	o.LeaseTTL, o.MaxAge, o.Poll = 300*time.Millisecond, 10*time.Millisecond, 5*time.Millisecond
	d := drain.New(log, w, o)
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { _ = d.Run(ctx) })
	return func() {
		cancel()
		done.Wait()
	}
}

// appendBatch appends what the only client does next.
func (l *load) appendBatch(log hot.Log, project string) {
	l.t.Helper()
	batch := l.clients[0].batch(1 + l.clients[0].rand.IntN(60))
	events, items := make([]weir.Event, len(batch)), make([]hot.Item, len(batch))
	for i, e := range batch {
		events[i] = weir.Event{ID: e.ID, ProjectID: project, Name: e.Name, Time: e.Time, ReceivedAt: time.Now().UTC(), DeviceID: e.Device, ProfileID: e.Profile, Path: e.Path}
		items[i] = hot.Item{Event: &events[i], Location: time.UTC}
	}
	if _, err := log.Append(l.t.Context(), items); err != nil {
		l.t.Fatal(err)
	}
	l.acked = append(l.acked, batch...)
}

// pausable is a log whose drain stands still before its first intents, and does
// not renew its leases meanwhile.
type pausable struct {
	hot.Store
	once           sync.Once
	standing, goOn chan struct{}
}

func (p *pausable) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	p.once.Do(func() { close(p.standing) })
	<-p.goOn
	return p.Store.Intend(ctx, l, in)
}

func (p *pausable) Renew(ctx context.Context, l hot.Lease, ttl time.Duration) error {
	select {
	case <-p.standing:
		<-p.goOn
	default:
	}
	return p.Store.Renew(ctx, l, ttl)
}

// unfenced is a log that refuses a deposed owner nothing.
type unfenced struct{ hot.Store }

func (u unfenced) Renew(ctx context.Context, l hot.Lease, ttl time.Duration) error {
	_ = u.Store.Renew(ctx, l, ttl)
	return nil
}

func (u unfenced) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	_ = u.Store.Intend(ctx, l, in)
	return nil
}

func (u unfenced) Commit(ctx context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error {
	_ = u.Store.Commit(ctx, l, in, changes)
	return nil
}
