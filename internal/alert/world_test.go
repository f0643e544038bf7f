package alert_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/alert"
	"github.com/weir-analytics/weir/internal/deliver"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/meta"
)

// journal is a log that grows while tests read it.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// received is a request that a webhook got.
type received struct {
	header  http.Header
	body    []byte
	message weir.AlertMessage
}

// receiver is a webhook that answers what it is told to.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer int
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{answer: 200}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		in := received{header: req.Header, body: body}
		if err := json.Unmarshal(body, &in.message); err != nil {
			t.Errorf("posted %s: %v", body, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, in)
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = status
}

// take returns what was posted since the last time.
func (r *receiver) take() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// types are the types of messages, with their incidents.
func types(all []received) []string {
	out := []string{}
	for _, in := range all {
		out = append(out, fmt.Sprintf("%s %d", in.message.Type, in.message.Incident))
	}
	return out
}

// world is a meta store and a hot tier, and a node over them.
type world struct {
	t        *testing.T
	now      time.Time
	mu       sync.Mutex
	path     string
	meta     *meta.Store
	hot      *pebble.Store
	project  *weir.Project
	hook     *receiver
	insights alert.Insights
	mails    alert.Mails
	address  string // of the server
	locks    *local.Locks
	limiter  *local.Limiter
	log      journal
	sent     int
	node
}

// node is what one process has.
type node struct {
	reg       *prometheus.Registry
	rules     *alert.Rules
	evaluator *alert.Evaluator
	courier   *alert.Courier
}

// minute 0 of a world is a little after a full one.
func newWorld(t *testing.T, zone string) *world {
	t.Helper()
	w := &world{t: t, now: at("2026-03-10T12:00:20Z"), path: filepath.Join(t.TempDir(), "meta.db"), hook: newReceiver(t)}
	fleet := local.New(local.Options{Clock: w.clock})
	w.locks, w.limiter = fleet.Locks, fleet.Limiter
	w.meta = w.openMeta()
	store, err := pebble.Open(t.TempDir(), pebble.Options{Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w.hot = store
	if w.project, _, err = w.meta.CreateProject(t.Context(), meta.NewProject{Name: "Shop", Timezone: zone}); err != nil {
		t.Fatal(err)
	}
	w.node = w.newNode("one", w.meta)
	return w
}

func (w *world) openMeta() *meta.Store {
	w.t.Helper()
	m, err := meta.Open(w.t.Context(), w.path, w.clock, meta.WithPasswordCost(8, 1))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = m.Close() })
	return m
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) newNode(name string, m *meta.Store) node {
	w.t.Helper()
	n := node{reg: prometheus.NewRegistry()}
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	metrics := alert.NewMetrics(n.reg)
	allow := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	sender := &alert.Sender{
		Webhooks: deliver.NewWebhook(deliver.WebhookOptions{Allow: allow, Clock: w.clock}), Mails: w.mails,
		Limiter: w.limiter, MailsPerHour: 3, Texts: alert.English(), Address: w.address,
	}
	n.rules = alert.NewRules(alert.RulesConfig{Store: m, Counters: w.hot, Insights: w.insights, Allow: allow, Sender: sender, Clock: w.clock})
	n.courier = alert.NewCourier(m, sender, w.clock, log, metrics, func() float64 { return 0 })
	n.evaluator = alert.NewEvaluator(alert.Config{
		Store: m, Counters: w.hot, Insights: w.insights, Clock: w.clock, Log: log, Metrics: metrics, Texts: sender.Texts, Wake: n.courier.Wake,
		Once: func(ctx context.Context, what string, ttl time.Duration) (bool, error) {
			return w.locks.Acquire(ctx, what, name, ttl)
		},
	})
	return n
}

// newCourier is one over another outbox.
func (w *world) newCourier(o alert.Outbox) *alert.Courier {
	return alert.NewCourier(o, &alert.Sender{}, nil, slog.New(slog.NewTextHandler(&w.log, nil)), alert.NewMetrics(prometheus.NewRegistry()), nil)
}

// restart stands for a process that ended and another that began.
func (w *world) restart() {
	w.t.Helper()
	if err := w.meta.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.meta = w.openMeta()
	w.node = w.newNode("one", w.meta)
}

// calls appends calls of which some fail, in the minute that is under way.
func (w *world) calls(good, bad int) {
	w.t.Helper()
	var items []hot.Item
	for i := range good + bad {
		w.sent++
		status := 200
		if i < bad {
			status = 500
		}
		items = append(items, hot.Item{Location: w.project.Location(), Event: &weir.Event{
			ID: fmt.Sprint(w.sent), ProjectID: w.project.ID, Name: weir.NameCall, Time: w.clock(), ReceivedAt: w.clock(),
			DeviceID: fmt.Sprint("d", i%7), Call: &weir.Call{Method: "GET", Route: "/cart", Status: status},
		}})
	}
	if len(items) == 0 {
		return
	}
	if dups, err := w.hot.Append(w.t.Context(), items); err != nil || len(dups) > 0 {
		w.t.Fatal(dups, err)
	}
}

// minute lets a minute with calls pass, and all be checked and delivered.
func (w *world) minute(good, bad int) []string {
	w.t.Helper()
	w.calls(good, bad)
	w.wait(time.Minute)
	w.evaluator.Pass(w.t.Context())
	w.deliver()
	return types(w.hook.take())
}

func (w *world) deliver() {
	for w.courier.Deliver(w.t.Context()) > 0 {
	}
}

// makes makes an alert with a webhook.
func (w *world) makes(change func(*weir.AlertSpec)) *weir.Alert {
	w.t.Helper()
	s := weir.AlertSpec{
		Name: "Errors", Enabled: true, Measure: weir.AlertMeasure{Kind: weir.MeasureErrorRate}, Window: 1,
		Condition: weir.AlertCondition{Op: "above", Value: 0.1, Clear: 0.05},
		Channels:  []weir.AlertChannel{{Kind: weir.AlertByWebhook, URL: w.hook.URL + "/secret-path"}},
	}
	if change != nil {
		change(&s)
	}
	a, err := w.rules.Create(w.t.Context(), w.project, s)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) get(id string) *weir.Alert {
	w.t.Helper()
	a, err := w.rules.Get(w.t.Context(), w.project, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// moves are the entries of an alert's history, oldest first.
func (w *world) moves(id string) []string {
	w.t.Helper()
	entries, _, err := w.rules.History(w.t.Context(), w.project, id, 0, 500)
	if err != nil {
		w.t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append([]string{fmt.Sprintf("%s %s-%s %d", e.Kind, e.From, e.To, e.Incident)}, out...)
	}
	return out
}

// metric is the sum of a metric over its labels.
func (n *node) metric(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := n.reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return sum
}
