package transfer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/transfer"
)

func openServer(t testing.TB, url string) *clickhouse.Store {
	t.Helper()
	u, err := clickhouse.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	s, err := clickhouse.Open(context.Background(), u, clickhouse.Options{Wait: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// today is small by the clock of the machine: ClickHouse deletes what is a week old.
func today() transfer.Options {
	o := small()
	o.Clock = nil
	return o
}

// complete is the barrier of a store that nobody writes to.
type complete struct{}

func (complete) Flush(context.Context) (time.Time, error) { return clock(), nil }
func (complete) AsOf() time.Time                          { return clock() }

// answers are what the dashboard would show of the shop.
func answers(t *testing.T, s cold.Reader) []any {
	t.Helper()
	p := &weir.Project{ID: "shop", Timezone: "Europe/Berlin"}
	if err := p.Resolve(); err != nil {
		t.Fatal(err)
	}
	e := insight.New(s, complete{}, clock, insight.Options{})
	q := weir.Trend{Common: weir.Common{From: monday, To: monday.AddDate(0, 0, 3), Interval: weir.Hour}, Series: []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}}}
	trend, err := insight.Ask[insight.Trend](t.Context(), e, p, q, 0)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := insight.Ask[insight.Pages](t.Context(), e, p, weir.Pages{Common: q.Common}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return []any{trend, pages}
}

// TestOverAServer is what needs ClickHouse and does not harm the server.
func TestOverAServer(t *testing.T) {
	server := clickhousetest.Start(t)
	n := 0
	open := func(t *testing.T) cold.Store {
		n++
		return openServer(t, server.URL(fmt.Sprint("weir_", n)))
	}
	t.Run("there and back all is as it was", func(t *testing.T) { testThereAndBack(t, server) })
	t.Run("what ClickHouse lost of a batch is added, whoever else has its shard and seq", func(t *testing.T) { testLostRows(t, server) })
	t.Run("a server on the new tier goes on with visits while the past comes", func(t *testing.T) { testServerGoesOn(t, server) })
	t.Run("who is erased in the source is erased in the destination by the next copy", func(t *testing.T) { testErasedInTheSource(t, open) })
	t.Run("who is erased in the destination is there once, however often it is copied", func(t *testing.T) { testErasedInTheDestination(t, open) })
	t.Run("a visit that who was erased comes back into is copied", func(t *testing.T) { testComesBack(t, open) })
	t.Run("both sides of any moves are what one store would be", func(t *testing.T) { testBothSides(t, 6, 18, open) }) // it takes seconds to erase somebody
}

func testThereAndBack(t *testing.T, server *clickhousetest.Server) {
	const db = "back"
	from, there, back := newFilled(t), openServer(t, server.URL(db)), newFile(t)
	again := openServer(t, server.URL("second"))
	for i, way := range []struct {
		from cold.Reader
		to   transfer.Store
	}{{from, there}, {there, again}, {again, back}} {
		rep := copyAll(t, way.from, way.to, today())
		if rep.Events != filled {
			t.Errorf("way %d: report %+v", i, rep)
		}
		same(t, from, way.to)
		if diff := cmp.Diff(answers(t, from), answers(t, way.to), cmpopts.IgnoreTypes(insight.Meta{}), cmpopts.EquateApprox(1e-9, 1e-9)); diff != "" {
			t.Errorf("way %d: (-before +after):\n%s", i, diff)
		}
	}
	// Merges leave nothing to be copied or missed.
	for _, table := range []string{"events", "visits", "identities", "sightings"} {
		server.Do("OPTIMIZE TABLE " + db + "." + table + " FINAL")
	}
	if rep := copyAll(t, from, there, today()); rep.Before != rep.Days {
		t.Errorf("after merges: report %+v", rep)
	}
	if rep := copyAll(t, there, back, today()); rep.Before != rep.Days {
		t.Errorf("after merges, from ClickHouse: report %+v", rep)
	}
	server.Do("TRUNCATE TABLE " + db + ".batches") // as when a week has passed
	copyAll(t, from, there, today())
	same(t, from, there)
}

func TestACopyIntoACluster(t *testing.T) {
	cluster := clickhousetest.StartCluster(t, 2, 1)
	from, to := newFilled(t), openServer(t, cluster.URL("weir")+"?cluster=weir")
	r := rand.New(rand.NewPCG(4, 4))
	copyAll(t, from, &unreliable{Store: to, after: func(int, *cold.Batch) error {
		if r.IntN(20) == 0 {
			return errors.New("the answer is lost")
		}
		return nil
	}}, today())
	same(t, from, to)

	// The shard of an event is its device's, and of an erased one nobody's.
	err := from.Erase(t.Context(), cold.Erasure{ProjectID: "a/b %", ProfileID: "user-0", At: clock(), By: "user 1"})
	if err != nil {
		t.Fatal(err)
	}
	copyAll(t, from, to, today())
	same(t, from, to)
}

func TestAServerThatDiesDuringTheCopyLosesAndDoublesNothing(t *testing.T) {
	server := clickhousetest.Start(t)
	from, to := newFilled(t), openServer(t, server.URL("weir"))
	r := rand.New(rand.NewPCG(3, 3))
	var deaths []*time.Timer
	var starting sync.Mutex // it dies when it runs, and not while it starts
	die := func() {
		if starting.TryLock() {
			defer starting.Unlock()
			server.Kill()
		}
	}
	revive := func() {
		starting.Lock()
		defer starting.Unlock()
		if server.PID() == 0 {
			server.Restart()
		}
	}
	o := today()
	o.Pause = func(ctx context.Context, _ time.Duration) error {
		revive()
		return ctx.Err()
	}
	copyAll(t, from, &unreliable{Store: to, before: func(int, *cold.Batch) error {
		if len(deaths) < 4 && r.IntN(15) == 0 {
			deaths = append(deaths, time.AfterFunc(time.Duration(r.IntN(30))*time.Millisecond, die))
		}
		return nil
	}}, o)
	if len(deaths) == 0 {
		t.Fatal("it never died")
	}
	for _, death := range deaths {
		death.Stop()
	}
	revive()
	same(t, from, to)
}

func testLostRows(t *testing.T, server *clickhousetest.Server) {
	const db = "lost"
	from, to := newFile(t), openServer(t, server.URL(db))
	for i, log := range []string{"one", "two", "three"} {
		newDrain(log).write(t, from, mix("shop", int64(i+1), 1, 200), 100)
	}
	// The copy ends before the day is marked as done.
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := transfer.Run(ctx, from, &unreliable{Store: to, before: func(_ int, b *cold.Batch) error {
		if strings.HasPrefix(b.Token, "migrate-done/") {
			cancel()
			return context.Canceled
		}
		return nil
	}}, today())
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	// A crash: the server knows the inserts by their tokens, and has not all rows.
	server.Do("ALTER TABLE " + db + ".batches DELETE WHERE token LIKE 'migrate/%' SETTINGS mutations_sync = 2")
	server.Do("ALTER TABLE " + db + ".events DELETE WHERE cityHash64(id) % 3 = 0 SETTINGS mutations_sync = 2")
	if n := server.Do("SELECT count() FROM " + db + ".events"); n == "600" {
		t.Fatal("nothing is lost")
	}
	copyAll(t, from, openServer(t, server.URL(db)), today())
	same(t, from, to)
}

func testServerGoesOn(t *testing.T, server *clickhousetest.Server) {
	const db = "open"
	events := mix("shop", 1, 2, 600)
	whole := newFile(t)
	newDrain("log").write(t, whole, events, 150)
	from, to := newFile(t), openServer(t, server.URL(db))
	d := newDrain("log")
	d.write(t, from, events[:300], 150)
	d.write(t, to, events[300:], 150)
	copyAll(t, from, to, today())
	same(t, whole, to)
	server.Do("OPTIMIZE TABLE " + db + ".visits FINAL")
	o := today()
	o.Recheck = true
	copyAll(t, from, to, o)
	same(t, whole, to)
	// And all of it to a third.
	third := openFile(t, filepath.Join(t.TempDir(), "third.duckdb"))
	copyAll(t, to, third, today())
	same(t, whole, third)
	// And back to where it came from: what is new is added, and visits are as far as
	// they are now.
	copyAll(t, to, from, today())
	same(t, whole, from)
}
