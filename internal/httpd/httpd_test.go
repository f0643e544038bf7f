package httpd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/ingest"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/live"
	"github.com/weir-analytics/weir/internal/meta"
	"github.com/weir-analytics/weir/internal/receive"
	"github.com/weir-analytics/weir/internal/stats"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/protocols"
)

// backend is what stands behind the server: it answers what a test tells it to
// and remembers what it was asked.
type backend struct {
	mu     sync.Mutex
	err    error
	panics any
	takes  time.Duration // to take events in or to answer a trend
	idles  time.Duration // to find the project of a key

	ingest    ingest.Reply
	bodies    []string // of Weir's own and OpenTelemetry's requests
	remotes   []ingest.Remote
	project   *weir.Project // the last one asked about
	trend     stats.TrendQuery
	query     weir.Question
	events    insight.EventsQuery
	freshness time.Duration

	deliveries []delivery
	budget     *wire.Budget

	series []insight.TrendSeries // of the next trend

	consumers bool // one calls today

	days      []weir.Date // of reports that were asked for
	reports   int         // that there are
	breaks    error       // after them
	profiles  insight.ProfilesQuery
	discover  insight.Discovery
	column    string // whose values were asked for
	profile   string // the last one asked about
	by        string // who had it erased
	export    []string
	statement insight.Statement // the last one
}

// statistics and insights are the backend as Stats and as Insights.
type (
	statistics struct{ *backend }
	insights   struct{ *backend }
)

var (
	_ httpd.Directory  = (*meta.Store)(nil)
	_ receive.Ingester = (*ingest.Ingester)(nil)
	_ httpd.Stats      = (*stats.Stats)(nil)
	_ httpd.Insights   = (*insight.Engine)(nil)
	_ httpd.Usage      = (*ingest.Usages)(nil)
)

func (b *backend) asked(p *weir.Project) error {
	b.project = p
	if b.panics != nil {
		panic(b.panics)
	}
	return b.err
}

// asOf is how fresh the backend's answers are.
func asOf(p *weir.Project) time.Time {
	return time.Date(2026, 3, 10, 12, 34, 56, 0, time.UTC).In(p.Location())
}

// work takes its time.
func (b *backend) work(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(b.takes):
		return nil
	}
}

// spy is a protocol that notes its bodies and takes any, as one without events.
type spy struct {
	wire.Protocol
	backend *backend
}

func (s spy) Decode(r *wire.Request) (*wire.Decoded, error) {
	s.backend.mu.Lock()
	s.backend.bodies = append(s.backend.bodies, string(r.Body))
	s.backend.mu.Unlock()
	r.Body = nil // no events
	if wire.MediaType(r.Header.Get("Content-Type")) != protobuf {
		r.Body = []byte(`{"events":[]}`) // nor are there spans
	}
	return s.Protocol.Decode(r)
}

// protocols are those of senders, of which the ones with the key in the head are spied on.
func (b *backend) protocols() []wire.Protocol {
	all := protocols.All(nil)
	for i, p := range all {
		if p.Routes()[0].Project == wire.KeyInHead {
			all[i] = spy{p, b}
		}
	}
	return all
}

// idler is a directory that takes the backend's time.
type idler struct {
	*meta.Store
	backend *backend
}

func (d idler) ProjectByKey(ctx context.Context, key string) (*weir.Project, error) {
	<-time.After(d.backend.idles)
	return d.Store.ProjectByKey(ctx, key)
}

func (b statistics) Overview(_ context.Context, p *weir.Project) (*stats.Overview, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := &stats.Overview{HotAPIs: []stats.API{}, ErrorAPIs: []stats.ErrorAPI{}, TopConsumers: []stats.Consumer{}, AsOf: asOf(p)}
	o.Today.Date, o.Yesterday.Date, o.LastWeek.Date = "2026-03-10", "2026-03-09", "2026-03-03"
	if b.consumers {
		o.TopConsumers = append(o.TopConsumers, stats.Consumer{Consumer: "acme", Calls: 1})
	}
	return o, b.asked(p)
}

func (b statistics) Trend(_ context.Context, p *weir.Project, q stats.TrendQuery) (*stats.Trend, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trend = q
	return &stats.Trend{Range: q.Range, Data: []stats.Point{}, AsOf: asOf(p)}, b.asked(p)
}

// emptyAnswer returns an answer of a kind with empty lists.
func emptyAnswer(kind weir.Kind, about insight.About) insight.Answer {
	for _, shape := range insight.Shapes() {
		if shape.Kind != kind {
			continue
		}
		a := reflect.New(shape.Answer)
		for _, f := range reflect.VisibleFields(shape.Answer) {
			if f.Type.Kind() == reflect.Slice {
				a.Elem().FieldByIndex(f.Index).Set(reflect.MakeSlice(f.Type, 0, 0))
			}
		}
		a.Elem().FieldByName("About").Set(reflect.ValueOf(about))
		return a.Interface().(insight.Answer)
	}
	return nil
}

func (b insights) Ask(ctx context.Context, p *weir.Project, q weir.Question, freshness time.Duration) (insight.Answer, error) {
	if q.Kind() == weir.KindTrend {
		if err := b.work(ctx); err != nil {
			return nil, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.query, b.freshness = q, freshness
	a := emptyAnswer(q.Kind(), insight.About{Kind: q.Kind(), Meta: insight.Meta{AsOf: asOf(p)}})
	if trend, ok := a.(*insight.Trend); ok {
		trend.Series = append(trend.Series, b.series...)
	}
	return a, b.asked(p)
}

func (b insights) Events(_ context.Context, p *weir.Project, q insight.EventsQuery, freshness time.Duration) (*insight.EventPage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.events, b.freshness = q, freshness
	return &insight.EventPage{Events: []insight.EventItem{}, Meta: insight.Meta{AsOf: asOf(p)}}, b.asked(p)
}

func (b *backend) Usage(_ context.Context, p *weir.Project) (*ingest.Usage, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &ingest.Usage{Month: "2026-03", Over: weir.OverRefuse, AsOf: asOf(p)}, b.asked(p)
}

// logbook is a log that tests read.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// watch is a clock that tests set.
type watch struct {
	mu sync.Mutex
	t  time.Time
}

func (w *watch) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.t
}

func (w *watch) add(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = w.t.Add(d)
}

type fixture struct {
	deletions deletions
	*backend
	t        *testing.T
	meta     *meta.Store
	posts    posted
	hub      *live.Hub
	log      *logbook
	watch    *watch
	served   *httpd.Server
	document *document        // of served
	server   *httptest.Server // of served
	admin    string           // the admin token
	shop     *weir.Project
	key      string // shop's write key
	calls    int    // of call
}

// start serves a directory with one project, shop.
func start(t *testing.T, change ...func(*httpd.Config)) *fixture {
	t.Helper()
	f := prepare(t, change...)
	f.server = httptest.NewServer(f.served.Handler())
	t.Cleanup(f.server.Close)
	return f
}

// emptyStore is the file of a new meta store. All tests begin with a copy: to make one takes
// longer than most of them.
var emptyStore = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "meta")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "meta.db")
	s, err := meta.Open(context.Background(), file, time.Now)
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// prepare is start without a listener.
func prepare(t *testing.T, change ...func(*httpd.Config)) *fixture {
	t.Helper()
	f := &fixture{
		t: t, backend: &backend{budget: wire.NewBudget(64 << 20)}, hub: live.NewHub(16), log: &logbook{},
		watch: &watch{t: time.Date(2026, 3, 10, 12, 34, 56, 0, time.UTC)},
	}
	file := filepath.Join(t.TempDir(), "meta.db")
	empty, err := emptyStore()
	if err == nil {
		err = os.WriteFile(file, empty, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.meta, err = meta.Open(t.Context(), file, f.watch.now, meta.WithPasswordCost(8, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.meta.Close() })
	f.admin, _, err = f.meta.EnsureAdminToken(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	f.shop, f.key = f.newProject("Shop", "Europe/Berlin")
	cfg := httpd.Config{
		Directory: idler{f.meta, f.backend}, Ingest: f, Budget: f.budget, Protocols: f.protocols(), Usage: f, Stats: statistics{f.backend}, Insights: insights{f.backend}, Reports: reports{f.backend}, Profiles: f, Deletions: &f.deletions, Live: f.hub,
		Logger:  slog.New(slog.NewJSONHandler(f.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Clock:   f.watch.now,
		Version: "test",

		SetupCode: setupCode,
	}
	f.alertsOf(&cfg)
	for _, c := range change {
		c(&cfg)
	}
	f.served = httpd.New(cfg)
	f.document = documentOf(f.served)
	return f
}

func (f *fixture) newProject(name, zone string) (*weir.Project, string) {
	f.t.Helper()
	p, key, err := f.meta.CreateProject(f.t.Context(), meta.NewProject{Name: name, Timezone: zone})
	if err != nil {
		f.t.Fatal(err)
	}
	return p, key
}

// answer is a response, read.
type answer struct {
	status int
	header http.Header
	body   string
}

// code is the code of an error's body.
func (a answer) code() string {
	var e struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal([]byte(a.body), &e) != nil || e.Error.Message == "" {
		return "no error body: " + a.body
	}
	return e.Error.Code
}

// do sends a request. More are headers, name and value in turn.
func (f *fixture) do(method, path, body string, more ...string) answer {
	f.t.Helper()
	return f.doWith(http.DefaultClient, method, path, body, more...)
}

func (f *fixture) doWith(c *http.Client, method, path, body string, more ...string) answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(more); i += 2 {
		req.Header.Set(more[i], more[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	a := answer{res.StatusCode, res.Header, string(text)}
	if faults := f.document.faults(method, path, a); len(faults) > 0 {
		f.t.Errorf("%s %s: %d %s\nis not as the document describes it: %v", method, path, a.status, a.body, errors.Join(faults...))
	}
	return a
}

// as sends a request with a token or key.
func (f *fixture) as(token, method, path, body string) answer {
	f.t.Helper()
	return f.do(method, path, body, "Authorization", "Bearer "+token)
}

// path is a path in the project shop.
func (f *fixture) path(rest string) string { return "/api/v1/projects/" + f.shop.ID + rest }

// browser is a client that keeps cookies.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

const password = "correct horse"

// signedIn makes an account with a role in shop and signs it in.
func (f *fixture) signedIn(email string, role weir.Role, admin bool) *http.Client {
	f.t.Helper()
	u, err := f.meta.CreateUser(f.t.Context(), email, "U", password, admin)
	if err != nil {
		f.t.Fatal(err)
	}
	if role != weir.RoleNone {
		if err := f.meta.SetRole(f.t.Context(), u.ID, f.shop.ID, role); err != nil {
			f.t.Fatal(err)
		}
	}
	c := browser(f.t)
	if a := f.doWith(c, "POST", "/api/v1/login", `{"email":"`+email+`","password":"`+password+`"}`); a.status != 200 {
		f.t.Fatalf("login = %d %s", a.status, a.body)
	}
	return c
}

func wantStatus(t *testing.T, a answer, status int) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status = %d, want %d: %s", a.status, status, a.body)
	}
}

func wantError(t *testing.T, a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.code() != code {
		t.Fatalf("answer = %d %s, want %d %s: %s", a.status, a.code(), status, code, a.body)
	}
	if ct := a.header.Get("Content-Type"); !strings.HasPrefix(ct, "application/json") {
		t.Fatalf("an error of type %q", ct)
	}
}
