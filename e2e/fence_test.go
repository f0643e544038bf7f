package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// Two nodes drain the same log in Redis into the same cold tier. One of them
// stops dead while it writes a batch, longer than its lease; the other takes
// over and does the batch; then the first goes on where it was.

// tokens is a cold tier in memory, which keeps a token once.
type tokens struct {
	mu      sync.Mutex
	batches map[string]*cold.Batch
	again   int      // writes of a token that was there
	differ  []string // tokens whose second write had other rows
}

func (l *tokens) Spacing() time.Duration { return 0 }

func (l *tokens) Erased(context.Context, time.Time) (cold.Erased, error) { return nil, nil }

func (l *tokens) Write(_ context.Context, b *cold.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if old := l.batches[b.Token]; old != nil {
		l.again++
		if fmt.Sprint(old.Events, old.Visits) != fmt.Sprint(b.Events, b.Visits) {
			l.differ = append(l.differ, b.Token)
		}
		return nil
	}
	c := *b
	c.Events, c.Visits = slices.Clone(b.Events), slices.Clone(b.Visits)
	l.batches[b.Token] = &c
	return nil
}

// check checks that each of the events is there once, in visits too.
func (l *tokens) check(t *testing.T, sent int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	rows, seqs, inVisits := map[string]int{}, map[string]int{}, 0
	for _, b := range l.batches {
		for _, e := range b.Events {
			rows[e.ID]++
			seqs[fmt.Sprint(e.Shard, "/", e.Seq)]++
		}
		for _, v := range b.Visits {
			inVisits += int(v.Sign) * int(v.Events)
		}
	}
	for id, n := range rows {
		if n != 1 {
			t.Errorf("event %s stands %d times", id, n)
		}
	}
	for seq, n := range seqs {
		if n != 1 {
			t.Errorf("seq %s stands %d times", seq, n)
		}
	}
	if len(rows) != sent || inVisits != sent {
		t.Errorf("%d events and %d in visits of %d sent", len(rows), inVisits, sent)
	}
	if len(l.differ) > 0 {
		t.Errorf("done again with other rows: %v", l.differ)
	}
}

func (l *tokens) stored() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.batches {
		n += len(b.Events)
	}
	return n
}

// sleeper is a node's way to its stores, which the node can be stopped on: then
// nothing passes, whoever in the node it comes from.
type sleeper struct {
	hot.Log
	cold.Writer
	awake sync.RWMutex // held for writing while the node is stopped

	once   sync.Once
	asleep chan struct{} // closed when it has stopped
	after  bool          // it stops when the first write is done, and not before it
}

// sleep stops the node, in the goroutine that writes.
func (s *sleeper) sleep() {
	s.once.Do(func() {
		s.awake.Lock()
		close(s.asleep)
	})
	s.pass()()
}

// pass waits until the node is awake. The function that it returns ends the
// passage.
func (s *sleeper) pass() func() {
	s.awake.RLock()
	return s.awake.RUnlock
}

func (s *sleeper) Write(ctx context.Context, b *cold.Batch) error {
	if !s.after {
		s.sleep()
	}
	err := s.Writer.Write(context.WithoutCancel(ctx), b) // what is sent is sent
	if s.after {
		s.sleep()
	}
	return err
}

func (s *sleeper) Head(ctx context.Context, shard int) (uint64, error) {
	defer s.pass()()
	return s.Log.Head(ctx, shard)
}

func (s *sleeper) Read(ctx context.Context, shard int, after uint64, limit hot.Limit) ([]hot.Record, error) {
	defer s.pass()()
	return s.Log.Read(ctx, shard, after, limit)
}

func (s *sleeper) Claim(ctx context.Context, shard int, owner string, ttl time.Duration) (hot.Lease, error) {
	defer s.pass()()
	return s.Log.Claim(ctx, shard, owner, ttl)
}

func (s *sleeper) Renew(ctx context.Context, l hot.Lease, ttl time.Duration) error {
	defer s.pass()()
	return s.Log.Renew(ctx, l, ttl)
}

func (s *sleeper) Release(ctx context.Context, l hot.Lease) error {
	defer s.pass()()
	return s.Log.Release(ctx, l)
}

func (s *sleeper) Progress(ctx context.Context, shard int) (hot.Progress, error) {
	defer s.pass()()
	return s.Log.Progress(ctx, shard)
}

func (s *sleeper) States(ctx context.Context, shard int, keys []string) ([][]byte, error) {
	defer s.pass()()
	return s.Log.States(ctx, shard, keys)
}

func (s *sleeper) ScanState(ctx context.Context, shard int, cursor string, limit int) ([]hot.Change, string, error) {
	defer s.pass()()
	return s.Log.ScanState(ctx, shard, cursor, limit)
}

func (s *sleeper) Intend(ctx context.Context, l hot.Lease, in hot.Intent) error {
	defer s.pass()()
	return s.Log.Intend(ctx, l, in)
}

func (s *sleeper) Commit(ctx context.Context, l hot.Lease, in hot.Intent, changes []hot.Change) error {
	defer s.pass()()
	return s.Log.Commit(ctx, l, in, changes)
}

func TestANodeThatSleepsWhileItWritesDoublesNothing(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]bool{
		"before its batch is there": false,
		"after its batch is there":  true,
	} {
		t.Run(name, func(t *testing.T) {
			server := redistest.Start(t)
			node := func() hot.Store {
				u, err := redisconn.Parse(server.URL())
				if err != nil {
					t.Fatal(err)
				}
				client, err := redisconn.Open(t.Context(), u, redisconn.Options{Durable: true})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(client.Close)
				s, err := redis.Open(t.Context(), client, u.Prefix, redis.Options{})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				return s
			}
			first, second := node(), node()
			ledger := &tokens{batches: map[string]*cold.Batch{}}
			a := &sleeper{Log: first, Writer: ledger, asleep: make(chan struct{}), after: after}

			sent := 0
			send := func(n int) {
				t.Helper()
				items := make([]hot.Item, n)
				for i := range items {
					now := time.Now().UTC().Truncate(time.Microsecond)
					items[i] = hot.Item{Location: time.UTC, Event: &weir.Event{
						ID: fmt.Sprint(sent), ProjectID: "p", Name: weir.NameScreenView, Time: now, ReceivedAt: now,
						DeviceID: fmt.Sprint("d", sent%20), Path: fmt.Sprint("/", sent%7),
					}}
					sent++
				}
				if _, err := second.Append(t.Context(), items); err != nil {
					t.Fatal(err)
				}
			}
			run := func(log hot.Log, w cold.Writer, owner string) <-chan error {
				failed := make(chan error, 1000)
				d := drain.New(log, w, drain.Options{
					Owner: owner, MaxBatch: 50, MaxAge: 10 * time.Millisecond, Poll: 2 * time.Millisecond,
					LeaseTTL: 300 * time.Millisecond, SweepEvery: time.Hour,
					Failed: func(_ int, err error) {
						select {
						case failed <- err:
						default: // enough of them
						}
					},
				})
				ctx, cancel := context.WithCancel(context.Background())
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = d.Run(ctx)
				}()
				t.Cleanup(func() {
					cancel()
					<-done
				})
				return failed
			}
			send(200)
			failed := run(a, a, "a")
			<-a.asleep
			var wake sync.Once
			t.Cleanup(func() { wake.Do(a.awake.Unlock) })
			run(second, ledger, "b")
			waitUntil(t, "the second node has drained all", func() bool { return ledger.stored() == sent })
			send(200)
			waitUntil(t, "the second node goes on", func() bool { return ledger.stored() == sent })
			if ledger.again == 0 && after {
				t.Error("the second node did not find the batch that the first had written")
			}
			wake.Do(a.awake.Unlock)
			// Its write passes, its commit does not. It may find before that the log
			// holds nothing any more of what it was to read.
			for fenced, late := false, time.After(30*time.Second); !fenced; {
				select {
				case err := <-failed:
					fenced = errors.Is(err, hot.ErrFenced)
				case <-late:
					t.Fatal("the first node woke up, and was not told that it is fenced off")
				}
			}
			waitUntil(t, "both have done the same batch", func() bool {
				ledger.mu.Lock()
				defer ledger.mu.Unlock()
				return ledger.again > 0
			})
			send(500)
			waitUntil(t, "all is drained", func() bool { return ledger.stored() >= sent })
			ledger.check(t, sent)
		})
	}
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("%s: not in half a minute", what)
		}
	}
}
