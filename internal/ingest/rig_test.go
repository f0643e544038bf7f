package ingest_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/enrich"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/body"
	"github.com/weir-analytics/weir/internal/wire/native"
	"github.com/weir-analytics/weir/internal/wire/otlp"
)

// browser is a visitor's request; its address is one for documentation.
var browser = ingest.Remote{
	IP:        "192.0.2.7",
	UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
}

// rig is an Ingester over a real hot tier, with a clock that tests move.
type rig struct {
	*ingest.Ingester
	t        *testing.T
	now      time.Time
	store    *pebble.Store
	log      *log
	salts    *salts
	feed     *feed
	registry *prometheus.Registry
	project  *weir.Project
	sentAt   time.Time // when the sender's clock says that it sends; zero if it does not say

	counters  *counters
	ledger    *ledger
	overflows *ingest.Overflows
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC), registry: prometheus.NewRegistry()}
	clock := func() time.Time { return r.now }
	store, err := pebble.Open(t.TempDir(), pebble.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	enricher, err := enrich.New(enrich.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := enricher.Close(); err != nil {
			t.Error(err)
		}
	})
	r.store, r.log, r.salts, r.feed = store, &log{Log: store, of: store.Shards()}, &salts{first: r.now.AddDate(0, 0, -7)}, &feed{}
	r.project = &weir.Project{ID: "p", Timezone: "UTC"}
	if err := r.project.Resolve(); err != nil {
		t.Fatal(err)
	}
	r.counters, r.ledger = &counters{Store: store}, &ledger{events: map[string]int64{}}
	quiet := slog.New(slog.DiscardHandler)
	r.overflows = ingest.NewOverflows(r.ledger, quiet)
	r.Ingester = ingest.New(ingest.Config{
		Log: r.log, Salts: r.salts, Enrich: enricher, Feed: r.feed,
		Clock: clock, Registry: r.registry,
		Limiter: ingest.NewLimiter(ingest.LimiterConfig{Clock: clock, Logger: quiet}),
		Quotas:  ingest.NewQuotas(r.counters, clock, quiet, r.registry), Overflows: r.overflows,
	})
	return r
}

// Ingest takes a request of Weir's own protocol, as package receive does.
func (r *rig) Ingest(ctx context.Context, p *weir.Project, body io.Reader, encoding string, from ingest.Remote) (ingest.Reply, error) {
	request := &wire.Request{}
	if !r.sentAt.IsZero() {
		request.RawQuery = fmt.Sprintf("sent_at=%d", r.sentAt.UnixMilli())
	}
	return r.receive(ctx, p, native.Protocol{}, request, body, encoding, from)
}

// Traces takes a request of OpenTelemetry's in JSON, as package receive does.
func (r *rig) Traces(ctx context.Context, p *weir.Project, body io.Reader, encoding string, from ingest.Remote) (ingest.Reply, error) {
	return r.receive(ctx, p, otlp.Protocol{}, &wire.Request{}, body, encoding, from)
}

func (r *rig) receive(ctx context.Context, p *weir.Project, protocol wire.Protocol, request *wire.Request, sent io.Reader, encoding string, from ingest.Remote) (ingest.Reply, error) {
	request.Now, request.Limits, request.Header = r.now, wire.DefaultLimits(), http.Header{}
	b, err := body.Read(sent, encoding, request.Limits)
	if err != nil {
		r.Refused(err)
		return ingest.Reply{}, err
	}
	defer b.Release()
	request.Body = b.Bytes()
	decoded, err := protocol.Decode(request)
	if err != nil {
		r.Refused(err)
		return ingest.Reply{}, err
	}
	return r.Deliver(ctx, p, decoded.Parts[0].Events, decoded.Parts[0].Rejected, from)
}

// send ingests a body that must be taken as a whole.
func (r *rig) send(body string, from ingest.Remote) ingest.Reply {
	r.t.Helper()
	reply, err := r.Ingest(r.t.Context(), r.project, strings.NewReader(body), "", from)
	if err != nil {
		r.t.Fatalf("%s: %v", body, err)
	}
	return reply
}

// sent ingests one event and returns it as the log has it.
func (r *rig) sent(body string, from ingest.Remote) weir.Event {
	r.t.Helper()
	if reply := r.send(body, from); reply.Accepted != 1 {
		r.t.Fatalf("%s: %+v", body, reply)
	}
	return r.last()
}

// last is the event accepted last.
func (r *rig) last() weir.Event {
	r.t.Helper()
	events := r.newest(1)
	if len(events) != 1 {
		r.t.Fatal("the log is empty")
	}
	return events[0]
}

// newest are the last n events that were accepted, as the log has them, the newest first.
func (r *rig) newest(n int) (events []weir.Event) {
	r.t.Helper()
	tails := make([][]hot.Record, r.store.Shards())
	for shard := range tails {
		head, err := r.store.Head(r.t.Context(), shard)
		if err != nil {
			r.t.Fatal(err)
		}
		tails[shard], err = r.store.Read(r.t.Context(), shard, head-min(head, uint64(n)), hot.Limit{Events: n})
		if err != nil {
			r.t.Fatal(err)
		}
	}
	for _, shard := range slices.Backward(r.log.shards) {
		if len(events) == n {
			break
		}
		end := len(tails[shard]) - 1
		events = append(events, tails[shard][end].Event)
		tails[shard] = tails[shard][:end]
	}
	return events
}

// stored is the number of events in the log.
func (r *rig) stored() (n uint64) {
	r.t.Helper()
	for shard := range r.store.Shards() {
		head, err := r.store.Head(r.t.Context(), shard)
		if err != nil {
			r.t.Fatal(err)
		}
		n += head
	}
	return n
}

// metric is a counter's value, summed over the series that carry the label's
// value; "" is any.
func (r *rig) metric(name, label string) float64 {
	r.t.Helper()
	families, err := r.registry.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		var sum float64
		for _, m := range f.GetMetric() {
			if label == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label {
				sum += m.GetCounter().GetValue()
			}
		}
		return sum
	}
	r.t.Fatalf("no metric %s", name)
	return 0
}

// log is the hot tier, unless it is told to fail.
type log struct {
	ingest.Log
	fail  error // of Append
	calls int
	asked []int // devices of each call of Seen

	of     int   // shards of the log
	shards []int // of each accepted event, in order
}

func (l *log) Seen(ctx context.Context, project string, asked []hot.SeenQuery, now time.Time) ([]hot.SeenResult, error) {
	l.asked = append(l.asked, len(asked))
	return l.Log.Seen(ctx, project, asked, now)
}

func (l *log) Append(ctx context.Context, items []hot.Item) ([]int, error) {
	l.calls++
	if l.fail != nil {
		return nil, l.fail
	}
	duplicates, err := l.Log.Append(ctx, items)
	for i, it := range items {
		if err == nil && !slices.Contains(duplicates, i) {
			l.shards = append(l.shards, hot.ShardOf(it.Event, l.of))
		}
	}
	return duplicates, err
}

// counters are the hot tier's, unless they are told to fail.
type counters struct {
	*pebble.Store
	fail  error
	reads int
}

func (c *counters) Series(ctx context.Context, project string, g hot.Grain, d hot.Dimension, member string, from, to time.Time) ([]hot.Point, error) {
	c.reads++
	if c.fail != nil {
		return nil, c.fail
	}
	return c.Store.Series(ctx, project, g, d, member, from, to)
}

// ledger keeps what it is given, unless it is told to fail.
type ledger struct {
	mu     sync.Mutex
	fail   error
	events map[string]int64 // by "project month reason"
}

func (l *ledger) AddOverflow(_ context.Context, project, month, reason string, events int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail == nil {
		l.events[project+" "+month+" "+reason] += events
	}
	return l.fail
}

func (l *ledger) Overflow(_ context.Context, project, month string) (map[string]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]int64{}
	for key, n := range l.events {
		if reason, ok := strings.CutPrefix(key, project+" "+month+" "); ok {
			out[reason] = n
		}
	}
	return out, l.fail
}

// salts has one for each day from the first on. Like those of meta they are made for a
// day when it is first asked for, and ten minutes before.
type salts struct {
	first, last time.Time
	fail        error
}

func (s *salts) Salts(_ context.Context, day time.Time) (today []byte, others [][]byte, err error) {
	if s.fail != nil {
		return nil, nil, s.fail
	}
	if ahead := day.Add(10 * time.Minute); ahead.After(s.last) {
		s.last = ahead
	}
	salt := func(t time.Time) []byte { return []byte(t.UTC().Format(time.DateOnly)) }
	if before := day.AddDate(0, 0, -1); !before.Before(s.first) {
		others = append(others, salt(before))
	}
	if after := day.AddDate(0, 0, 1).Truncate(24 * time.Hour); !after.After(s.last) {
		others = append(others, salt(after))
	}
	return salt(day), others, nil
}

func (s *salts) ImportSalt(_ context.Context, projectID string) ([]byte, error) {
	return []byte("import " + projectID), s.fail
}

// feed notes what it is told.
type feed struct {
	mu       sync.Mutex
	watching bool
	names    []string
}

func (f *feed) Watched(string) bool { return f.watching }

func (f *feed) Received(_ string, events []*weir.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range events {
		f.names = append(f.names, e.Name)
	}
}
