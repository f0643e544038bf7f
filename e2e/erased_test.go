package e2e_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/clickhousetest"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/cold/clickhouse"
	"github.com/weir-analytics/weir/internal/cold/duckdb"
	"github.com/weir-analytics/weir/internal/drain"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/hot/redis"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/redisconn"
	"github.com/weir-analytics/weir/internal/redistest"
)

// People who share devices are erased at random moments, among their events and in the
// midst of visits, while writes fail and drains start over. Each event has a word of its
// own in all that it says. An oracle that knows whose each event is tells which words
// must be nowhere, and which must still be there.

func TestErasureRemovesThePersonEverywhereAndNobodyElse(t *testing.T) {
	t.Parallel()
	t.Run("pebble and duckdb", func(t *testing.T) {
		t.Parallel()
		log, err := pebble.Open(t.TempDir(), pebble.Options{Shards: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		store, err := duckdb.Open(filepath.Join(t.TempDir(), "cold.duckdb"), duckdb.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		newErasing(t, log, store, func(s *shaky) cold.Writer {
			return struct {
				*shaky
				cold.Holder
			}{s, store}
		}).run(longer(40, 400))
	})
	t.Run("redis and clickhouse", func(t *testing.T) {
		t.Parallel()
		at, err := redisconn.Parse(redistest.Start(t).URL())
		if err != nil {
			t.Fatal(err)
		}
		client, err := redisconn.Open(t.Context(), at, redisconn.Options{Durable: true})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		log, err := redis.Open(t.Context(), client, at.Prefix, redis.Options{Shards: 2})
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		u, err := clickhouse.Parse(clickhousetest.Start(t).URL("weir"))
		if err != nil {
			t.Fatal(err)
		}
		store, err := clickhouse.Open(t.Context(), u, clickhouse.Options{Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		// An erasure waits for about ten changes of tables there, and each batch of a few events for as many inserts.
		newErasing(t, log, store, func(s *shaky) cold.Writer { return s }).run(longer(20, 400))
	})
}

// shaky is a cold tier whose writes fail at random, before or after they were done.
type shaky struct {
	cold.Store
	mu   sync.Mutex
	rand *rand.Rand
}

func (s *shaky) Write(ctx context.Context, b *cold.Batch) error {
	s.mu.Lock()
	n := s.rand.IntN(8)
	s.mu.Unlock()
	if n == 0 {
		return errors.New("nothing was written")
	}
	if err := s.Store.Write(ctx, b); err != nil || n > 1 {
		return err
	}
	return errors.New("nobody knows what was written")
}

// said is an event of the oracle's.
type said struct {
	word            string
	profile, device string
	ts, received    time.Time
	gone            bool
}

type erasing struct {
	*testing.T
	rand    *rand.Rand
	log     hot.Store
	store   cold.Store
	writer  cold.Writer
	project *weir.Project
	ahead   atomic.Int64 // of the clock
	said    []*said
	stop    func()
	engine  *insight.Engine
}

func newErasing(t *testing.T, log hot.Store, store cold.Store, writer func(*shaky) cold.Writer) *erasing {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	e := &erasing{T: t, rand: rand.New(rand.NewPCG(seed, 1)), log: log, store: store, project: &weir.Project{ID: "p", Timezone: "UTC"}}
	if err := e.project.Resolve(); err != nil {
		t.Fatal(err)
	}
	e.writer = writer(&shaky{Store: store, rand: rand.New(rand.NewPCG(seed, 2))})
	return e
}

func (e *erasing) now() time.Time {
	return time.Now().Add(time.Duration(e.ahead.Load())).UTC().Truncate(time.Microsecond)
}

// start starts a drain, in place of the one before.
func (e *erasing) start() {
	if e.stop != nil {
		e.stop()
	}
	ctx, cancel := context.WithCancel(context.Background())
	d := drain.New(e.log, e.writer, drain.Options{
		MaxBatch: 1 + e.rand.IntN(12), MaxAge: 5 * time.Millisecond, Poll: time.Millisecond, Backoff: time.Millisecond, BarrierWait: time.Minute,
		// A sweep would drop the visits before anybody could join one.
		SweepEvery: []time.Duration{20 * time.Millisecond, time.Hour, time.Hour}[e.rand.IntN(3)], Clock: e.now,
	})
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Run(ctx) }()
	e.stop = func() { cancel(); <-done }
	e.engine = insight.New(e.store, d, e.now, insight.Options{})
}

func (e *erasing) run(rounds int) {
	e.start()
	defer func() { e.stop() }()
	for round := range rounds {
		switch e.rand.IntN(8) {
		case 0:
			e.erase(fmt.Sprint("u", e.rand.IntN(4)))
			for range e.rand.IntN(6) {
				e.send(e.event())
			}
			e.check(round)
		case 1:
			e.ahead.Add(int64(time.Duration(e.rand.IntN(45)) * time.Minute))
		case 2:
			e.start()
		default:
			for range 1 + e.rand.IntN(12) {
				e.send(e.event())
			}
		}
		if e.Failed() {
			return
		}
	}
	e.erase("u0")
	e.check(rounds)
}

func (e *erasing) event() *said {
	s := &said{word: fmt.Sprintf("w%dw", len(e.said)), device: fmt.Sprint("d", e.rand.IntN(3)), received: e.now()}
	if e.rand.IntN(3) > 0 {
		s.profile = fmt.Sprint("u", e.rand.IntN(4))
	}
	if s.ts = s.received; e.rand.IntN(4) == 0 {
		s.ts = s.ts.Add(-time.Duration(e.rand.IntN(90)) * time.Minute)
	}
	return s
}

func (e *erasing) send(s *said) {
	e.said = append(e.said, s)
	ev := &weir.Event{
		ID: "id-" + s.word, ProjectID: e.project.ID, ProfileID: s.profile, DeviceID: s.device, Time: s.ts, ReceivedAt: s.received,
		Name:  []string{weir.NameScreenView, weir.NameScreenView, weir.NameScreenLeave, "click", weir.NameIdentify, weir.NameCall}[e.rand.IntN(6)],
		Title: s.word, Referrer: s.word, UTMCampaign: s.word, City: s.word, Properties: []byte(`{"p":"` + s.word + `"}`),
	}
	if ev.IsScreenView() {
		ev.Path, ev.Origin = "/"+s.word, "https://"+s.word
	}
	if ev.Name == weir.NameCall {
		ev.Call = &weir.Call{Method: "GET", Route: "/r", Status: 200, Consumer: s.word}
	}
	if e.rand.IntN(3) == 0 {
		ev.SessionID = fmt.Sprint("s", e.rand.IntN(2))
	}
	if _, err := e.log.Append(context.Background(), []hot.Item{{Event: ev, Location: time.UTC}}); err != nil {
		e.Fatal(err)
	}
}

// owner is whose anonymous events of a device are.
func (e *erasing) owner(device string) (owner string) {
	var first *said
	for _, s := range e.said {
		if s.gone || s.device != device || s.profile == "" {
			continue
		}
		if first == nil || s.ts.Before(first.ts) || s.ts.Equal(first.ts) && s.profile < first.profile {
			first = s
		}
	}
	if first == nil {
		return ""
	}
	return first.profile
}

func (e *erasing) erase(profile string) {
	owned := map[string]bool{}
	for i := range 3 {
		device := fmt.Sprint("d", i)
		owned[device] = e.owner(device) == profile
	}
	// Others go on meanwhile, and so may the person.
	var sent sync.WaitGroup
	var some []*said
	for i := range e.rand.IntN(8) {
		s := e.event()
		s.profile, s.word = fmt.Sprint("u", e.rand.IntN(4)), fmt.Sprintf("x%dx%d", len(e.said), i)
		if e.owner(s.device) != "" { // else it depends on the moment whose the device is
			some = append(some, s)
		}
	}
	began := e.now()
	sent.Go(func() {
		for _, s := range some {
			s.received = e.now()
			s.ts = s.received
			e.send(s)
		}
	})
	a, err := e.engine.Erase(context.Background(), e.project, e.store, e.log, profile, "test")
	sent.Wait()
	if err != nil {
		e.Fatalf("erase %s: %v", profile, err)
	}
	if a.ErasedAt.Before(began.Add(-time.Second)) {
		e.Errorf("erased up to %v, asked at %v", a.ErasedAt, began)
	}
	for _, s := range e.said {
		if s.received.Before(a.ErasedAt) && (s.profile == profile || s.profile == "" && owned[s.device]) {
			s.gone = true
		}
	}
}

var word = regexp.MustCompile(`[wx][0-9]+[wx][0-9]*`)

// check compares all that is stored, and what each profile is given, with the oracle.
func (e *erasing) check(round int) {
	ctx := context.Background()
	if _, err := e.engine.Events(ctx, e.project, insight.EventsQuery{}, 0); err != nil { // the barrier
		e.Fatal(err)
	}
	gone, kept := map[string]bool{}, map[string]bool{}
	for _, s := range e.said {
		if s.gone {
			gone[s.word] = true
		} else {
			kept[s.word] = true
		}
	}
	look := func(where, text string) {
		for _, w := range word.FindAllString(text, -1) {
			if gone[w] {
				e.Errorf("round %d: %s of who was erased is in %s: %s", round, w, where, text)
			}
		}
	}
	titles, n := map[string]bool{}, 0
	for table, columns := range map[string]string{
		"events":       "title, id, path, origin, referrer, utm_campaign, city, properties, inherited_from, closes_event_id, closes_path, consumer",
		"visits":       "entry, exit, referrer, utm_campaign, city, session_id, device_id, profile_id",
		"traits":       "text, place",
		"dead_letters": "event",
	} {
		e.rows("SELECT "+columns+" FROM "+table, func(values []string) {
			look(table, strings.Join(values, " | "))
			if table == "events" {
				n++
				if values[0] != "" {
					titles[values[0]] = true
				}
			}
		})
	}
	if n != len(e.said) {
		e.Errorf("round %d: %d events are stored, %d were sent", round, n, len(e.said))
	}
	if d := cmp.Diff(kept, titles); d != "" {
		e.Errorf("round %d: events with their person (-want +stored)\n%s", round, d)
	}
	links, linked := map[string]int64{}, map[string]int64{}
	for _, s := range e.said {
		key := s.device + " " + s.profile
		if at, ok := links[key]; !s.gone && s.profile != "" && (!ok || s.ts.UnixMicro() < at) {
			links[key] = s.ts.UnixMicro()
		}
	}
	rows, err := e.store.Query(ctx, "SELECT device_id, profile_id, MIN("+e.store.Dialect().Micros("linked_at")+") FROM identities GROUP BY device_id, profile_id")
	if err != nil {
		e.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var device, profile string
		var us int64
		if err := rows.Scan(&device, &profile, &us); err != nil {
			e.Fatal(err)
		}
		linked[device+" "+profile] = us
	}
	if d := cmp.Diff(links, linked); d != "" {
		e.Errorf("round %d: links (-want +stored)\n%s", round, d)
	}
	e.rows("SELECT device_id, session_id, CAST(version AS VARCHAR), CAST(SUM(sign) AS VARCHAR) FROM visits GROUP BY device_id, session_id, version, start_at HAVING SUM(sign) < 0 OR SUM(sign) > 1", func(values []string) {
		e.Errorf("round %d: a visit's state does not add up: %v", round, values)
	})
	// A visit on both sides of an erasure would be left out by a copy to another cold tier.
	erased, err := e.store.Erased(ctx, time.Time{})
	if err != nil {
		e.Fatal(err)
	}
	e.rows("SELECT project_id, device_id, session_id, profile_id, beside, CAST("+e.store.Dialect().Micros("received_at")+" AS VARCHAR) FROM visits WHERE sign > 0", func(values []string) {
		us, err := strconv.ParseInt(values[5], 10, 64)
		v := weir.VisitRow{ProjectID: values[0], DeviceID: values[1], SessionID: values[2], ProfileID: values[3], Beside: weir.Beside(values[4]), ReceivedAt: time.UnixMicro(us)}
		if err != nil || erased.In(&v) {
			e.Errorf("round %d: a visit is on both sides of an erasure: %q, error %v", round, values, err)
		}
	})
	for i := range 4 {
		var b bytes.Buffer
		profile := fmt.Sprint("u", i)
		if err := e.engine.Export(ctx, e.project, profile, &b); err != nil && weir.ErrorCode(err) != weir.ENOTFOUND {
			e.Fatal(err)
		}
		look("the export of "+profile, b.String())
	}
}

func (e *erasing) rows(query string, f func([]string)) {
	rows, err := e.store.Query(context.Background(), query)
	if err != nil {
		e.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		e.Fatal(err)
	}
	for rows.Next() {
		values, into, text := make([]sql.NullString, len(names)), make([]any, len(names)), make([]string, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			e.Fatal(err)
		}
		for i, v := range values {
			text[i] = v.String
		}
		f(text)
	}
	if err := rows.Err(); err != nil {
		e.Fatal(err)
	}
}
