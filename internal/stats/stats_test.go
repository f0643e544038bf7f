package stats_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
	"github.com/weir-analytics/weir/internal/hot/pebble"
	"github.com/weir-analytics/weir/internal/stats"
)

// rig is a Stats over a real hot tier, at a time and in a zone.
type rig struct {
	*stats.Stats
	t       *testing.T
	now     time.Time
	store   *pebble.Store
	project *weir.Project
	sent    int
}

func newRig(t *testing.T, zone, now string, change ...func(*pebble.Options)) *rig {
	t.Helper()
	r := &rig{t: t, now: instant(t, now), project: &weir.Project{ID: "p", Timezone: zone}}
	if err := r.project.Resolve(); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return r.now }
	o := pebble.Options{Clock: clock}
	for _, c := range change {
		c(&o)
	}
	store, err := pebble.Open(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	r.store, r.Stats = store, stats.New(store, clock)
	return r
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}

// add appends an event of a name at a time.
func (r *rig) add(name, at string, change ...func(*weir.Event)) {
	r.t.Helper()
	r.sent++
	e := weir.Event{ID: fmt.Sprint(r.sent), ProjectID: "p", Name: name, Time: instant(r.t, at), ReceivedAt: r.now}
	for _, c := range change {
		c(&e)
	}
	dups, err := r.store.Append(r.t.Context(), []hot.Item{{Event: &e, Location: r.project.Location()}})
	if err != nil || len(dups) > 0 {
		r.t.Fatalf("append: %v, duplicates %v", err, dups)
	}
}

// call appends a call.
func (r *rig) call(route string, status int, at string, change ...func(*weir.Event)) {
	r.t.Helper()
	is := func(e *weir.Event) { e.Call = &weir.Call{Method: "GET", Route: route, Status: status} }
	r.add(weir.NameCall, at, append([]func(*weir.Event){is}, change...)...)
}

func of(device string) func(*weir.Event) { return func(e *weir.Event) { e.DeviceID = device } }

func (r *rig) overview() *stats.Overview {
	r.t.Helper()
	o, err := r.Overview(r.t.Context(), r.project)
	if err != nil {
		r.t.Fatal(err)
	}
	return o
}

func TestTodayAndThisHourAreTheProjects(t *testing.T) {
	for _, c := range []struct {
		because, zone, now string
		calls              []string // times of calls
		today, hour        int64
		date               string
		clock              int
	}{
		{
			"UTC", "UTC", "2026-03-14T10:30:00Z",
			[]string{"2026-03-13T23:59:59Z", "2026-03-14T00:00:00Z", "2026-03-14T09:59:59Z", "2026-03-14T10:00:00Z"},
			3, 1, "2026-03-14", 10,
		},
		{
			"a day and an hour that begin at half past in UTC", "Asia/Kolkata", "2026-03-14T20:00:00Z",
			[]string{"2026-03-14T18:29:59Z", "2026-03-14T18:30:00Z", "2026-03-14T19:29:59Z", "2026-03-14T19:30:00Z"},
			3, 1, "2026-03-15", 1,
		},
		{
			"the day that lost an hour", "America/New_York", "2026-03-08T07:15:00Z",
			[]string{"2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z"},
			3, 1, "2026-03-08", 3,
		},
		{
			"the first of the two hours called one", "America/New_York", "2026-11-01T05:45:00Z",
			[]string{"2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z"},
			3, 2, "2026-11-01", 1,
		},
		{
			"the second of the two", "America/New_York", "2026-11-01T06:45:00Z",
			[]string{"2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z"},
			3, 1, "2026-11-01", 1,
		},
		{
			"the last minute of a day of 25 hours", "America/New_York", "2026-11-02T04:59:30Z",
			[]string{"2026-11-01T03:59:59Z", "2026-11-01T04:00:00Z", "2026-11-02T03:59:59Z", "2026-11-02T04:00:00Z"},
			3, 1, "2026-11-01", 23,
		},
		{
			"a day without midnight", "America/Santiago", "2026-09-06T04:30:00Z",
			[]string{"2026-09-06T03:59:59Z", "2026-09-06T04:00:00Z", "2026-09-06T04:29:00Z"},
			2, 2, "2026-09-06", 1,
		},
	} {
		r := newRig(t, c.zone, c.now)
		for _, at := range c.calls {
			r.call("/x", 200, at)
		}
		o := r.overview()
		if o.Today.Calls != c.today || o.Today.Date != c.date {
			t.Errorf("%s: today %+v, want %d calls on %s", c.because, o.Today, c.today, c.date)
		}
		if o.CurrentHour.Calls != c.hour || o.CurrentHour.Hour != c.clock {
			t.Errorf("%s: this hour %+v, want %d calls at %d", c.because, o.CurrentHour, c.hour, c.clock)
		}
		if !o.AsOf.Equal(r.now) || o.AsOf.Location() != r.project.Location() {
			t.Errorf("%s: as of %v", c.because, o.AsOf)
		}
	}
}

func TestOtherEventsAreEventsAndNoCalls(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	r.call("/x", 200, "2026-03-14T10:00:00Z")
	r.add("signup", "2026-03-14T10:00:00Z")
	r.add("signup", "2026-03-14T09:00:00Z")
	o := r.overview()
	if o.Today.Events != 3 || o.Today.Calls != 1 || o.CurrentHour.Events != 2 || o.CurrentHour.Calls != 1 {
		t.Fatalf("today %+v, this hour %+v", o.Today, o.CurrentHour)
	}
}

func TestVisitorsAreDevicesOfTodayAndLiveOnesOfTheLastFiveMinutes(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	r.add("x", "2026-03-13T10:00:00Z", of("yesterday"))
	r.add("x", "2026-03-14T10:00:00Z", of("earlier"))
	r.add("x", "2026-03-14T10:25:01Z", of("a"))
	r.add("x", "2026-03-14T10:29:00Z", of("a"))
	r.add("x", "2026-03-14T10:29:00Z", of("b"))
	if o := r.overview(); o.Today.Visitors != 3 || o.LiveVisitors != 2 {
		t.Fatalf("%d visitors today, %d live", o.Today.Visitors, o.LiveVisitors)
	}
}

func TestSuccessIsTheShareOfKnownStatusesBelow400(t *testing.T) {
	for _, c := range []struct {
		statuses []int
		want     float64 // NaN is none
	}{
		{nil, math.NaN()},
		{[]int{0, 0, 999}, math.NaN()},
		{[]int{200}, 1},
		{[]int{200, 302, 101, 404, 500}, 0.6},
		{[]int{200, 0, 503, 0}, 0.5},
		{[]int{500}, 0},
	} {
		r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
		r.call("/x", 200, "2026-03-13T10:00:00Z") // yesterday's counts for nothing
		for _, s := range c.statuses {
			r.call("/x", s, "2026-03-14T10:00:00Z")
		}
		got := math.NaN()
		if rate := r.overview().SuccessRate; rate != nil {
			got = *rate
		}
		if got != c.want && !(math.IsNaN(got) && math.IsNaN(c.want)) {
			t.Errorf("%v: %v, want %v", c.statuses, got, c.want)
		}
	}
}

func TestHotAPIsAreTheTenMostCalledOfToday(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	if got := r.overview().HotAPIs; got == nil || len(got) != 0 {
		t.Fatalf("%v before any call, want an empty list", got)
	}
	for i := range 12 {
		for range 1 + i/2 {
			r.call(fmt.Sprintf("/%02d", i), 200, "2026-03-14T10:00:00Z")
		}
	}
	for range 9 {
		r.call("/yesterday", 200, "2026-03-13T10:00:00Z")
	}
	want := []stats.API{
		api("/10", 6), api("/11", 6), api("/08", 5), api("/09", 5), api("/06", 4), api("/07", 4), api("/04", 3), api("/05", 3), api("/02", 2), api("/03", 2),
	}
	if d := cmp.Diff(want, r.overview().HotAPIs); d != "" {
		t.Fatal(d)
	}
}

func api(name string, calls int64) stats.API { return stats.API{API: name, Calls: calls} }

func by(consumer string) func(*weir.Event) { return func(e *weir.Event) { e.Call.Consumer = consumer } }

func TestErrorAPIsAreThoseWithTheMostFailedCallsOfToday(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	if o := r.overview(); o.ErrorAPIs == nil || len(o.ErrorAPIs) != 0 || o.TopConsumers == nil || len(o.TopConsumers) != 0 {
		t.Fatalf("%v, %v before any call, want empty lists", o.ErrorAPIs, o.TopConsumers)
	}
	for route, statuses := range map[string][]int{
		"/never": {200, 302, 0, 600}, "/twice": {500, 404, 200, 200}, "/always": {400}, "/thrice": {599, 499, 500, 200, 0, 200}, "": {500, 500, 500, 500},
	} {
		for _, status := range statuses {
			r.call(route, status, "2026-03-14T09:00:00Z")
		}
	}
	r.call("/always", 500, "2026-03-13T09:00:00Z") // yesterday's
	want := []stats.ErrorAPI{
		{API: "/thrice", Calls: 6, Errors: 3, ErrorRate: 0.5}, {API: "/twice", Calls: 4, Errors: 2, ErrorRate: 0.5}, {API: "/always", Calls: 1, Errors: 1, ErrorRate: 1},
	}
	if d := cmp.Diff(want, r.overview().ErrorAPIs); d != "" {
		t.Fatal(d)
	}
}

func TestTopConsumersAreTheTenThatCallMostToday(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	r.call("/x", 200, "2026-03-14T10:00:00Z") // nobody's
	for i := range 12 {
		for range 12 - i {
			r.call("/x", 200, "2026-03-14T10:00:00Z", by(fmt.Sprintf("c%02d", i)))
		}
	}
	o := r.overview()
	if len(o.TopConsumers) != 10 || o.TopConsumers[0] != (stats.Consumer{Consumer: "c00", Calls: 12}) || o.TopConsumers[9] != (stats.Consumer{Consumer: "c09", Calls: 3}) {
		t.Fatal(o.TopConsumers)
	}
}

func TestWhatIsBeyondTheCapIsListedAsOtherBesideARealAPIOfThatName(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z", func(o *pebble.Options) { o.MaxMembers = 2 })
	for _, name := range []string{"other", "a", "b", "c", "other"} {
		r.call(name, 500, "2026-03-14T10:00:00Z", by(name))
	}
	o := r.overview()
	if d := cmp.Diff([]stats.API{api("other", 2), api("a", 1), {API: "other", Calls: 2, Other: true}}, o.HotAPIs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]stats.ErrorAPI{
		{API: "other", Calls: 2, Errors: 2, ErrorRate: 1}, {API: "a", Calls: 1, Errors: 1, ErrorRate: 1}, {API: "other", Calls: 2, Errors: 2, ErrorRate: 1, Other: true},
	}, o.ErrorAPIs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]stats.Consumer{{Consumer: "other", Calls: 2}, {Consumer: "a", Calls: 1}, {Consumer: "other", Calls: 2, Other: true}}, o.TopConsumers); d != "" {
		t.Error(d)
	}
}

func TestAStoreThatFailsIsAnError(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	if err := r.store.Close(); err != nil {
		t.Fatal(err)
	}
	if o, err := r.Overview(t.Context(), r.project); !errors.Is(err, hot.ErrClosed) || o != nil {
		t.Errorf("overview: %v, %v", o, err)
	}
	if tr, err := r.Trend(t.Context(), r.project, stats.TrendQuery{Range: "day"}); !errors.Is(err, hot.ErrClosed) || tr != nil {
		t.Errorf("trend: %v, %v", tr, err)
	}
}

// The counters have /p/1 and /p/2; whoever reads has one page, with its calls that did not fail.
func TestRoutesThatAreOnePageByTheURLRulesAreListedAsOne(t *testing.T) {
	r := newRig(t, "UTC", "2026-03-14T10:30:00Z")
	for route, statuses := range map[string][]int{"/p/1": {200, 500}, "/p/2/": {200, 200}, "/P/3": {404}, "/q": {200, 500}} {
		for _, status := range statuses {
			r.call(route, status, "2026-03-14T10:30:00Z")
		}
	}
	r.project.URLRules = weir.URLRules{StripSlash: true, LowerCase: true, Rules: []weir.URLRule{{From: "/p/*", To: "/p/:id"}}}
	o := r.overview()
	if d := cmp.Diff([]stats.API{api("/p/:id", 5), api("/q", 2)}, o.HotAPIs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]stats.ErrorAPI{{API: "/p/:id", Calls: 5, Errors: 2, ErrorRate: 0.4}, {API: "/q", Calls: 2, Errors: 1, ErrorRate: 0.5}}, o.ErrorAPIs); d != "" {
		t.Error(d)
	}
	tr, err := r.Trend(t.Context(), r.project, stats.TrendQuery{Range: "minute", By: "api", Top: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(tr.Series) != 2 || tr.Series[0].Name != "/p/:id" || tr.Series[0].Total != 5 || !tr.Series[1].Other || tr.Series[1].Total != 2 {
		t.Errorf("%+v", tr.Series)
	}
}
