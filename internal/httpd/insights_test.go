package httpd_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/stats"
)

func berlin(t *testing.T, s string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", s, loc)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestStatsAreAskedOfTheProjectUnderBothNames(t *testing.T) {
	f := start(t)
	for _, path := range []string{
		f.path("/stats/overview"), "/api/admin/stats/overview?project=" + f.shop.ID,
		f.path("/stats/trend?range=minute"), "/api/admin/stats/trend?project=" + f.shop.ID + "&range=minute",
	} {
		f.project = nil
		a := f.as(f.admin, "GET", path, "")
		wantStatus(t, a, 200)
		if !strings.Contains(a.body, `"as_of":"2026-03-10T13:34:56+01:00"`) || f.project == nil || f.project.ID != f.shop.ID {
			t.Errorf("%s: %s", path, a.body)
		}
		if a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control = %q", path, a.header.Get("Cache-Control"))
		}
		f.err = weir.Errorf(weir.EUNAVAILABLE, "down")
		wantError(t, f.as(f.admin, "GET", path, ""), 503, weir.EUNAVAILABLE)
		f.err = nil
	}
	if f.trend.Range != "minute" {
		t.Errorf("range = %q", f.trend.Range)
	}
}

func TestTheTrendOfStatsTakesARangeAndAnEvent(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "GET", f.path("/stats/trend?range=day&event=sign%20up"), ""), 200)
	if want := (stats.TrendQuery{Range: "day", Event: "sign up", Top: 10}); f.trend != want {
		t.Errorf("asked for %+v, want %+v", f.trend, want)
	}
	for _, path := range []string{f.path("/stats/trend?by=consumer&top=3"), "/api/admin/stats/trend?by=consumer&top=3&project=" + f.shop.ID} {
		wantStatus(t, f.as(f.admin, "GET", path, ""), 200)
		if want := (stats.TrendQuery{Range: "day", By: "consumer", Top: 3}); f.trend != want {
			t.Errorf("%s asked for %+v, want %+v", path, f.trend, want)
		}
	}
	for _, wrong := range []string{"by=country", "by=api&top=0", "by=api&top=51"} {
		wantError(t, f.as(f.admin, "GET", f.path("/stats/trend?"+wrong), ""), 400, weir.EINVALID)
	}
	wantError(t, f.as(f.admin, "GET", f.path("/stats/trend?range=year"), ""), 400, weir.EINVALID)
}

func TestAQueryIsReadInTheProjectsTimezone(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "POST", f.path("/query"), `{
		"kind":"trend","from":"2026-03-01","to":"2026-03-07","interval":"hour",
		"series":[{"event":"sign_up"},{"math":"p95","property":"latency_ms"}],
		"breakdown":"properties.plan",
		"filter":[{"column":"country","op":"in","values":["DE","FR"]},{"column":"status","op":">","value":499},
			{"column":"properties.trial","op":"=","value":true},{"column":"path","op":"contains","value":"/a"}],
		"compare":"previous","freshness":90,"limit":7,"bots":true}`)
	wantStatus(t, a, 200)
	want := weir.Trend{Common: weir.Common{From: berlin(t, "2026-03-01 00:00:00"), To: berlin(t, "2026-03-08 00:00:00"), Interval: weir.Hour, Filter: []weir.Condition{
		{Column: "country", Op: "in", Values: []string{"DE", "FR"}},
		{Column: "status", Op: ">", Values: []string{"499"}},
		{Column: "properties.trial", Op: "=", Values: []string{"true"}},
		{Column: "path", Op: "contains", Values: []string{"/a"}},
	}, Bots: weir.BotsIn}, Series: []weir.Series{{Event: "sign_up", Math: weir.MathTotal}, {Math: weir.MathP95, Property: "latency_ms"}}, Breakdown: "properties.plan", Compare: weir.ComparePrevious, Limit: 7}
	if d := cmp.Diff(weir.Question(want), f.query, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
	if f.freshness != 90*time.Second {
		t.Errorf("freshness = %v", f.freshness)
	}
}

func TestWhatAQueryLeavesOutHasADefault(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"-7d"}`), 200)
	now := berlin(t, "2026-03-10 13:34:56")
	want := weir.Trend{Common: weir.Common{From: now.AddDate(0, 0, -7), To: now, Interval: weir.Day}, Series: []weir.Series{{Math: weir.MathTotal}}}
	if d := cmp.Diff(weir.Question(want), f.query, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
	if f.freshness != 0 {
		t.Errorf("freshness = %v", f.freshness)
	}
	wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"pages","from":"2026-03-01"}`), 200)
	if f.query.Kind() != weir.KindPages {
		t.Errorf("query = %+v", f.query)
	}
	wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"calls","from":"2026-03-01"}`), 200)
	if q, ok := f.query.(weir.Calls); !ok || q.Interval != "" || q.Sort != "" {
		t.Errorf("query = %+v: calls have points only where an interval is asked for", f.query)
	}
	wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"growth","from":"2026-03-01"}`), 200)
	if q, ok := f.query.(weir.Growth); !ok || q.Interval != weir.Day || q.Series != nil {
		t.Errorf("query = %+v", f.query)
	}
}

func TestCallsAreSortedAsTheQuerySays(t *testing.T) {
	f := start(t)
	for _, by := range []weir.CallSort{weir.SortCalls, weir.SortErrors, weir.SortErrorRate, weir.SortLatency} {
		wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"calls","from":"-7d","interval":"hour","sort":"`+string(by)+`"}`), 200)
		if q, ok := f.query.(weir.Calls); !ok || q.Sort != by || q.Interval != weir.Hour {
			t.Errorf("query = %+v", f.query)
		}
	}
}

func TestAnEmptyFieldOfAnotherKindIsAccepted(t *testing.T) {
	f := start(t)
	for _, body := range []string{
		`{"kind":"pages","from":"-7d","breakdown":"","series":[],"compare":null,"sort":null}`,
		`{"Kind":"calls","From":"-7d","series":null}`,
		`{"kind":"growth","from":"-7d","breakdown":"","limit":0}`,
	} {
		wantStatus(t, f.as(f.admin, "POST", f.path("/query"), body), 200)
	}
	wantError(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"pages","from":"-7d","wat":""}`), 400, weir.EINVALID)
}

func TestFreshnessIsSecondsOrADuration(t *testing.T) {
	f := start(t)
	for in, want := range map[string]time.Duration{
		`0`: 0, `1.5`: 1500 * time.Millisecond, `"2m"`: 2 * time.Minute, `"30"`: 30 * time.Second, `1e300`: 24 * time.Hour, `"1000h"`: 24 * time.Hour,
	} {
		wantStatus(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"-7d","freshness":`+in+`}`), 200)
		if f.freshness != want {
			t.Errorf("%s: %v, want %v", in, f.freshness, want)
		}
	}
	for _, in := range []string{`-1`, `"-2m"`, `"soon"`, `true`, `[1]`, `"NaN"`, `"Inf"`} {
		a := f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"-7d","freshness":`+in+`}`)
		wantError(t, a, 400, weir.EINVALID)
		if !strings.Contains(a.body, `"details":[{"location":"`) {
			t.Errorf("%s: %s: want what is wrong in details too", in, a.body)
		}
	}
}

func TestQueriesAreRefusedForBadInput(t *testing.T) {
	f := start(t)
	for _, body := range []string{
		``, `{`, `null`, `[]`, `{"from":"-7d"}`, `{"kind":"trend"}`, `{"kind":"nothing","from":"-7d"}`,
		`{"kind":"trend","from":"someday"}`, `{"kind":"trend","from":""}`, `{"kind":"trend","from":7}`,
		`{"kind":"trend","from":"-7d","to":"later"}`,
		`{"kind":"trend","from":"2026-03-02","to":"2026-03-01"}`,
		`{"kind":"trend","from":"2026-03-01T00:00:00Z","to":"2026-03-01T00:00:00Z"}`,
		`{"kind":"trend","from":"-7d","interval":"second"}`,
		`{"kind":"trend","from":"-7d","series":[{"math":"mode"}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"="}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"=","value":"a","values":["b"]}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"=","values":["a","b"]}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"in","values":[]}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"like","value":"a"}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"=","value":{"a":1}}]}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"=","value":null}]}`,
		`{"kind":"trend","from":"-7d","compare":"future"}`,
		`{"kind":"trend","from":"-7d","limit":-1}`, `{"kind":"calls","from":"-7d","sort":"name"}`,
		`{"kind":"trend","from":"-7d","wat":1}`,
	} {
		f.project = nil
		wantError(t, f.as(f.admin, "POST", f.path("/query"), body), 400, weir.EINVALID)
		if f.project != nil {
			t.Errorf("%s was asked", body)
		}
	}
}

func TestAQuerysErrorNamesThePlace(t *testing.T) {
	f := start(t)
	a := f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"-7d","interval":"second"}`)
	if !strings.Contains(a.body, `"location":"interval"`) || !strings.Contains(a.body, `"details"`) {
		t.Errorf("answer = %s", a.body)
	}
	a = f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"soon"}`)
	if !strings.Contains(a.body, "from: ") {
		t.Errorf("answer = %s", a.body)
	}
}

func TestABodyOfAQueryIsBounded(t *testing.T) {
	f := start(t, func(c *httpd.Config) { c.MaxBody = 1000 })
	a := f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"`+strings.Repeat("x", 1000)+`"}`)
	wantError(t, a, 413, weir.ETOOLARGE)
}

func TestEventsAreAskedForByTheirParameters(t *testing.T) {
	f := start(t)
	wantStatus(t, f.as(f.admin, "GET", f.path("/events?from=2026-03-01&to=2026-03-01&name=sign%20up&profile_id=7&device_id=d&limit=5&cursor=abc&freshness=1m"), ""), 200)
	want := insight.EventsQuery{
		From: berlin(t, "2026-03-01 00:00:00"), To: berlin(t, "2026-03-02 00:00:00"),
		Name: "sign up", ProfileID: "7", DeviceID: "d", Limit: 5, Cursor: "abc",
	}
	if d := cmp.Diff(want, f.events, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
	if f.freshness != time.Minute {
		t.Errorf("freshness = %v", f.freshness)
	}
	wantStatus(t, f.as(f.admin, "GET", f.path("/events"), ""), 200)
	if d := cmp.Diff(insight.EventsQuery{Limit: 50}, f.events); d != "" {
		t.Error(d)
	}
	for _, q := range []string{"from=x", "to=x", "limit=0", "limit=1001", "limit=ten", "freshness=-1", "from=2026-03-02&to=2026-03-01"} {
		wantError(t, f.as(f.admin, "GET", f.path("/events?"+q), ""), 400, weir.EINVALID)
	}
}

func TestEachKindOfQuestionGetsItsOwnAnswer(t *testing.T) {
	f := start(t)
	members := map[weir.Kind]string{weir.KindTrend: `"series":`, weir.KindPages: `"totals":`, weir.KindCalls: `"consumers":`, weir.KindGrowth: `"points":`, weir.KindLifecycle: `"points":`, weir.KindStickiness: `"dau_wau":`, weir.KindRetention: `"rows":`, weir.KindFunnel: `"steps":`}
	needs := map[weir.Kind]string{weir.KindFunnel: `,"steps":[{"event":"a"},{"event":"b"}]`}
	for _, shape := range insight.Shapes() {
		kind, member := shape.Kind, members[shape.Kind]
		f.query = nil
		a := f.as(f.admin, "POST", f.path("/query"), `{"kind":"`+string(kind)+`","from":"-7d"`+needs[kind]+`}`)
		wantStatus(t, a, 200)
		if f.query == nil || f.query.Kind() != kind || !strings.Contains(a.body, member) || !strings.Contains(a.body, `"kind":"`+string(kind)+`"`) {
			t.Errorf("%s: asked %+v, answered %s", kind, f.query, a.body)
		}
		f.err = weir.Errorf(weir.EINVALID, "no such column")
		wantError(t, f.as(f.admin, "POST", f.path("/query"), `{"kind":"`+string(kind)+`","from":"-7d"`+needs[kind]+`}`), 400, weir.EINVALID)
		f.err = nil
	}
}
