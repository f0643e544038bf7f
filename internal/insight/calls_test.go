package insight_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// called is a call some hours after the first of January in Berlin.
func called(hours float64, c weir.Call) weir.EventRow {
	e := view("", c.Route, hours)
	e.ID, e.Name, e.Path, e.Call = e.ID+e.Time.String(), weir.NameCall, "", &c
	return e
}

func callsQuery(change func(*weir.Calls)) weir.Calls {
	q := weir.Calls{Common: dayQuery().Common}
	q.Interval = ""
	change(&q)
	return q
}

func askCalls(t *testing.T, e *insight.Engine, change func(*weir.Calls)) *insight.Calls {
	t.Helper()
	a, err := insight.Ask[insight.Calls](t.Context(), e, berlin(t), callsQuery(change), 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// someCalls are five of two days; acme called a month before.
func someCalls() []weir.EventRow {
	return []weir.EventRow{
		called(-700, weir.Call{Route: "/a", Method: "GET", Status: 200, LatencyMS: weir.Known(1), Consumer: "acme"}),
		called(1, weir.Call{Route: "/a", Method: "GET", Status: 200, LatencyMS: weir.Known(100), Consumer: "acme"}),
		called(2, weir.Call{Route: "/a", Method: "GET", Status: 404, LatencyMS: weir.Known(1000), Consumer: "acme"}),
		called(3, weir.Call{Route: "/a", Method: "GET"}),
		called(30, weir.Call{Route: "/b", Method: "POST", Status: 503, LatencyMS: weir.Known(10), Consumer: "bell"}),
		called(31, weir.Call{Method: "POST", Status: 301, LatencyMS: weir.Known(1000)}),
	}
}

const noCalls = `"calls":0,"rate":0,"success_rate":null,"error_rate_4xx":null,"error_rate_5xx":null,"latency_mean_ms":null,"latency_p50_ms":null,
"latency_p90_ms":null,"latency_p95_ms":null,"latency_p99_ms":null,"apdex":null,"unknown":0`

func TestCallsAreGroupedByRouteWithTheirMeasures(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	a := askCalls(t, e, func(q *weir.Calls) { q.Compare = weir.ComparePrevious })
	sameJSON(t, a, `{"groups":[
{"breakdown":"/a","calls":3,"rate":`+number(3./172800)+`,"success_rate":0.5,"error_rate_4xx":0.5,"error_rate_5xx":0,"latency_mean_ms":550,"latency_p50_ms":550,
 "latency_p90_ms":910,"latency_p95_ms":955,"latency_p99_ms":991,"apdex":0.75,"unknown":1},
{"breakdown":"/b","calls":1,"rate":`+number(1./172800)+`,"success_rate":0,"error_rate_4xx":0,"error_rate_5xx":1,"latency_mean_ms":10,"latency_p50_ms":10,
 "latency_p90_ms":10,"latency_p95_ms":10,"latency_p99_ms":10,"apdex":0,"unknown":0},
{"breakdown":null,"calls":1,"rate":`+number(1./172800)+`,"success_rate":1,"error_rate_4xx":0,"error_rate_5xx":0,"latency_mean_ms":1000,"latency_p50_ms":1000,
 "latency_p90_ms":1000,"latency_p95_ms":1000,"latency_p99_ms":1000,"apdex":0.5,"unknown":0}],
"totals":{"calls":5,"rate":`+number(5./172800)+`,"success_rate":0.5,"error_rate_4xx":0.25,"error_rate_5xx":0.25,"latency_mean_ms":527.5,"latency_p50_ms":550,
 "latency_p90_ms":1000,"latency_p95_ms":1000,"latency_p99_ms":1000,"apdex":0.5,"unknown":1},
"consumers":{"active":2,"new":1,"returning":1},
"compare":{"from":"2025-12-30T00:00:00+01:00","to":"2026-01-01T00:00:00+01:00","groups":[{"breakdown":"/a",`+noCalls+`},{"breakdown":"/b",`+noCalls+`},
 {"breakdown":null,`+noCalls+`}],"totals":{`+noCalls+`},"consumers":{"active":0,"new":0,"returning":0}},
"kind":"calls","as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

func number(f float64) string {
	b, _ := json.Marshal(f)
	return string(b)
}

// names are the groups of an answer in their order.
func names(a *insight.Calls) string {
	var s []string
	for _, g := range a.Groups {
		name := g.Breakdown.Value
		if g.Breakdown.None {
			name = "none"
		}
		if g.Other {
			name = "(" + name + ")"
		}
		s = append(s, name)
	}
	return strings.Join(s, " ")
}

func TestCallsAreSortedByWhatIsAskedFor(t *testing.T) {
	e := newEngine(t, &barrier{}, append(someCalls(), called(4, weir.Call{Route: "/a", Status: 200}))...)
	for by, want := range map[weir.CallSort]string{
		"": "/a /b none", weir.SortCalls: "/a /b none", weir.SortErrors: "/a /b none", weir.SortErrorRate: "/b /a none", weir.SortLatency: "none /a /b",
	} {
		if got := names(askCalls(t, e, func(q *weir.Calls) { q.Sort = by })); got != want {
			t.Errorf("by %q: %s, want %s", by, got, want)
		}
	}
}

func TestCallsBeyondTheLimitAreOther(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	a := askCalls(t, e, func(q *weir.Calls) { q.Limit = 1 })
	if got := names(a); got != "/a (other)" {
		t.Fatalf("groups %s", got)
	}
	if o := a.Groups[1]; o.Calls != 2 || *o.P50 != 505 || *o.ErrorRate5xx != 0.5 || a.Totals.Calls != 5 {
		t.Errorf("other: %+v", o)
	}
}

func TestCallsByStatusClassAndByConsumer(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	for column, want := range map[string]string{
		"status_class": "2xx 3xx 4xx 5xx none", "status": "200 301 404 503 none", "consumer": "acme none bell", "method": "GET POST",
	} {
		if got := names(askCalls(t, e, func(q *weir.Calls) { q.Breakdown = column })); got != want {
			t.Errorf("by %s: %s, want %s", column, got, want)
		}
	}
}

func TestCallsHavePointsWhereAnIntervalIsAskedFor(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	a := askCalls(t, e, func(q *weir.Calls) { q.Interval = weir.Day })
	if len(a.Points) != 2 || a.Points[0].Calls != 3 || a.Points[1].Calls != 2 || *a.Points[1].P95 != 950.5 || a.Points[0].Rate != 3./86400 {
		t.Errorf("points: %+v", a.Points)
	}
	if got := a.Points[1].Time.Format(time.RFC3339); got != "2026-01-02T00:00:00+01:00" {
		t.Errorf("the second is at %s", got)
	}
}

func TestTheRateOfARangeThatGoesOnIsOverWhatHasPassed(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	a := askCalls(t, e, func(q *weir.Calls) { q.To, q.Interval = q.To.AddDate(0, 0, 7), weir.Day })
	passed := noon.Sub(a.Points[0].Time).Seconds()
	if got := a.Totals.Rate; got != 5/passed || a.Groups[0].Rate != 3/passed {
		t.Errorf("rate %v, want 5 calls over %v s", got, passed)
	}
}

func TestAFilterSaysWhichCallsAConsumerIsNewBy(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	a := askCalls(t, e, func(q *weir.Calls) {
		q.Filter = []weir.Condition{{Column: "status", Op: "=", Values: []string{"404"}}}
	})
	if d := cmp.Diff(insight.CallConsumers{Active: 1, New: 1}, a.Consumers); d != "" || a.Totals.Calls != 1 {
		t.Errorf("acme's first 404: %s, %+v", d, a.Totals)
	}
}

func TestAConsumerIsNewFromTheFirstInstantOfTheRangeToItsLast(t *testing.T) {
	e := newEngine(t, &barrier{},
		called(0, weir.Call{Route: "/a", Consumer: "at the start"}), called(47.999, weir.Call{Route: "/b", Consumer: "at the end"}),
		called(-0.001, weir.Call{Route: "/c", Consumer: "before"}), called(5, weir.Call{Route: "/c", Consumer: "before"}),
		called(48, weir.Call{Route: "/d", Consumer: "after"}), called(-1, weir.Call{Route: "/e", Consumer: "gone"}))
	for name, change := range map[string]func(*weir.Calls){
		"whole quarters": func(*weir.Calls) {},
		"microseconds":   func(q *weir.Calls) { q.To = q.To.Add(-time.Microsecond) },
	} {
		if d := cmp.Diff(insight.CallConsumers{Active: 3, New: 2, Returning: 1}, askCalls(t, e, change).Consumers); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestNoCallsAreAnAnswerToo(t *testing.T) {
	sameJSON(t, askCalls(t, newEngine(t, &barrier{}, rows()...), func(*weir.Calls) {}), `{"groups":[],"totals":{`+noCalls+`},
"consumers":{"active":0,"new":0,"returning":0},"kind":"calls","as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

func TestAKeptAnswerAboutCallsIsTheSame(t *testing.T) {
	e := newEngine(t, &barrier{}, someCalls()...)
	q := callsQuery(func(q *weir.Calls) { q.Interval, q.Compare, q.Limit = weir.Day, weir.CompareYear, 2 })
	first, err := insight.Ask[insight.Calls](t.Context(), e, berlin(t), q, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	second, err := insight.Ask[insight.Calls](t.Context(), e, berlin(t), q, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !second.Cached {
		t.Fatal("it was asked for again")
	}
	second.Cached = false
	if d := cmp.Diff(first, second, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
	q.Sort = weir.SortLatency
	if third, err := insight.Ask[insight.Calls](t.Context(), e, berlin(t), q, time.Minute); err != nil || third.Cached || names(third) == names(first) {
		t.Errorf("in another order: %v, %+v", err, third)
	}
}

func TestAQuestionAboutCallsThatIsNotAllowedSaysWhatIs(t *testing.T) {
	b := &barrier{}
	e := newEngine(t, b)
	for name, tt := range map[string]struct {
		change func(*weir.Calls)
		says   []string
	}{
		"an unknown sort":        {func(q *weir.Calls) { q.Sort = "name" }, []string{`"name"`, "error_rate", "latency"}},
		"an unknown column":      {func(q *weir.Calls) { q.Breakdown = "seq" }, []string{`"seq"`, "route"}},
		"an unknown filter":      {func(q *weir.Calls) { q.Filter = []weir.Condition{{Column: "seq", Op: "=", Values: []string{"1"}}} }, []string{`"seq"`}},
		"too many groups":        {func(q *weir.Calls) { q.Limit = 101 }, []string{"1 to 100"}},
		"fewer than none":        {func(q *weir.Calls) { q.Limit = -1 }, []string{"1 to 100"}},
		"an unknown interval":    {func(q *weir.Calls) { q.Interval = "year" }, []string{`"year"`, "month"}},
		"an unknown compare":     {func(q *weir.Calls) { q.Compare = "week" }, []string{`"week"`, "previous"}},
		"a range backwards":      {func(q *weir.Calls) { q.From, q.To = q.To, q.From }, []string{"before"}},
		"points backwards":       {func(q *weir.Calls) { q.From, q.To, q.Interval = q.To, q.From, weir.Day }, []string{"before"}},
		"more points than there": {func(q *weir.Calls) { q.To, q.Interval = q.To.AddDate(0, 0, 8), weir.Minute }, []string{"10000"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := insight.Ask[insight.Calls](t.Context(), e, berlin(t), callsQuery(tt.change), 0)
			invalid(t, err, tt.says...)
		})
	}
	if b.flushed != 0 {
		t.Error("it waited for the barrier")
	}
}

func TestLatencyOfZeroCountsInMeanAndApdex(t *testing.T) {
	rows := []weir.EventRow{called(1, weir.Call{Route: "/a", Status: 200, LatencyMS: weir.Known(1000)}), called(2, weir.Call{Route: "/a", Status: 200})}
	for range 9 {
		rows = append(rows, called(1, weir.Call{Route: "/a", Status: 200, LatencyMS: weir.Known(0)}))
	}
	v := askCalls(t, newEngine(t, &barrier{}, rows...), func(*weir.Calls) {}).Totals
	if *v.LatencyMean != 100 || *v.Apdex != 0.95 || *v.P50 != 0 || v.Calls != 11 {
		t.Errorf("mean %v, Apdex %v, median %v of %d calls", *v.LatencyMean, *v.Apdex, *v.P50, v.Calls)
	}
}
