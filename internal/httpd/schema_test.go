package httpd_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/httpd"
	"github.com/weir-analytics/weir/internal/insight"
	"github.com/weir-analytics/weir/internal/wire"
	"github.com/weir-analytics/weir/internal/wire/native"
)

// schema is a JSON schema as the OpenAPI document has it.
type schema struct {
	Ref         string `json:"$ref"`
	Type        any
	Description string
	OneOf       []schema
	AnyOf       []schema
	Items       *schema
	Properties  map[string]schema
	Required    []string
}

// described are the schemas of the document, and the one of each operation's
// 200, by its id.
func described(t *testing.T, f *fixture) (schemas, answers map[string]schema) {
	t.Helper()
	doc := decode[struct {
		Paths map[string]map[string]struct {
			OperationID string
			Responses   map[string]struct {
				Content map[string]struct{ Schema schema }
			}
		}
		Components struct{ Schemas map[string]schema }
	}](t, f.do("GET", "/openapi.json", ""))
	answers = map[string]schema{}
	for _, operations := range doc.Paths {
		for _, op := range operations {
			answers[op.OperationID] = op.Responses["200"].Content["application/json"].Schema
		}
	}
	return doc.Components.Schemas, answers
}

func TestAnswersAreDescribedByTheTypesThatTheyAre(t *testing.T) {
	_, answers := described(t, start(t))
	ref := func(name string) schema { return schema{Ref: "#/components/schemas/" + name} }
	var kinds []schema
	for _, shape := range insight.Shapes() {
		kinds = append(kinds, ref("Insight"+shape.Answer.Name()))
	}
	for operation, want := range map[string]schema{
		"stats-overview":     ref("StatsOverview"),
		"old-stats-overview": ref("StatsOverview"),
		"stats-trend":        ref("StatsTrend"),
		"old-stats-trend":    ref("StatsTrend"),
		"list-events":        ref("InsightEventPage"),
		"send-events":        ref("IngestReply"),
		"query":              {OneOf: kinds},
	} {
		if d := cmp.Diff(want, answers[operation]); d != "" {
			t.Errorf("%s: %s", operation, d)
		}
	}
}

func TestTheDescriptionSaysWhatMayBeNull(t *testing.T) {
	schemas, _ := described(t, start(t))
	for _, c := range []struct {
		schema, property string
		typ              any
	}{
		{"StatsOverview", "success_rate", []any{"number", "null"}},
		{"StatsOverview", "hot_apis", "array"},
		{"StatsTrend", "data", "array"},
		{"IngestReply", "rejected", "array"},
		{"InsightTrend", "series", "array"},
		{"InsightTrendSeries", "points", "array"},
		{"InsightTrendSeries", "total", []any{"number", "null"}},
		{"InsightPoint", "value", []any{"number", "null"}},
		{"InsightPage", "page_time_ms", []any{"number", "null"}},
		{"InsightPage", "bounce_rate", []any{"number", "null"}},
		{"InsightPages", "pages", "array"},
		{"InsightCalls", "groups", "array"},
		{"InsightCallGroup", "latency_p95_ms", []any{"number", "null"}},
		{"InsightCallGroup", "calls", "integer"},
		{"InsightGrowth", "points", "array"},
		{"InsightGrowthPoint", "signups_active", []any{"integer", "null"}},
		{"InsightEventPage", "events", "array"},
		{"InsightEventItem", "duration_ms", "integer"}, // left out rather than null
	} {
		if d := cmp.Diff(c.typ, schemas[c.schema].Properties[c.property].Type); d != "" {
			t.Errorf("%s.%s: %s", c.schema, c.property, d)
		}
	}
	for _, of := range []string{"InsightTrendSeries", "InsightCallGroup"} {
		breakdown := schemas[of].Properties["breakdown"]
		if d := cmp.Diff([]schema{{Type: "string"}, {Type: "null"}}, breakdown.AnyOf); d != "" || breakdown.Description == "" {
			t.Errorf("breakdown of %s: %+v %s", of, breakdown, d)
		}
	}
}

func TestAStructThatIsNotLeftOutMayBeNull(t *testing.T) {
	schemas, _ := described(t, start(t))
	for _, c := range []struct{ schema, property, of string }{
		{"SessionBody", "user", "UserBody"},
		{"Report", "counters", "ReportCounters"},
		{"Report", "difference", "ReportDifference"},
		{"ReportCompare", "day_before", "ReportComparison"},
		{"ReportCompare", "week_before", "ReportComparison"},
	} {
		want := []schema{{Ref: "#/components/schemas/" + c.of}, {Type: "null"}}
		if d := cmp.Diff(want, schemas[c.schema].Properties[c.property].AnyOf); d != "" {
			t.Errorf("%s.%s: %s", c.schema, c.property, d)
		}
	}
	if ref := schemas["InsightTrendSeries"].Properties["compare"].Ref; ref == "" {
		t.Error("a comparison is left out rather than null")
	}
}

// As a breakdown's type marshals itself, its schema is the one that could say
// something else.
func TestABreakdownIsAStringOrNull(t *testing.T) {
	f := start(t)
	line := insight.TrendSeries{Math: weir.MathTotal, Values: insight.Values{Points: []insight.Point{}}}
	de, none := line, line
	de.Breakdown, none.Breakdown = &insight.Group{Value: "DE"}, &insight.Group{None: true}
	f.series = []insight.TrendSeries{de, none, line}
	a := f.as(f.admin, "POST", f.path("/query"), `{"kind":"trend","from":"-7d"}`)
	wantStatus(t, a, 200)
	var got []string
	for _, s := range decode[struct{ Series []map[string]json.RawMessage }](t, a).Series {
		got = append(got, string(s["breakdown"]))
	}
	if d := cmp.Diff([]string{`"DE"`, `null`, ""}, got); d != "" {
		t.Error(d)
	}
}

// What is embedded in an answer has its members beside the answer's own.
func TestEveryMemberOfAnAnswerIsDescribed(t *testing.T) {
	schemas, _ := described(t, start(t))
	value, about := 1.0, insight.About{BotsLeftOut: new(int64(1))}
	for name, v := range map[string]any{
		"InsightTrend": insight.Trend{About: about},
		"InsightTrendSeries": insight.TrendSeries{
			Action: "x", Label: "x", Formula: "x", Of: "x", Property: "x", Breakdown: &insight.Group{}, Other: true, Values: insight.Values{Total: &value, Ignored: 1, Overflowed: 1}, Compare: &insight.Comparison{},
		},
		"InsightComparison":      insight.Comparison{Values: insight.Values{Ignored: 1, Overflowed: 1}},
		"InsightPages":           insight.Pages{About: about},
		"InsightPageTotals":      insight.PageTotals{Goal: &insight.GoalTotals{}},
		"InsightGoalTotals":      insight.GoalTotals{Revenue: map[string]float64{"EUR": 1}},
		"InsightPage":            insight.Page{Conversions: new(int64(1)), ConversionRate: &value},
		"InsightCalls":           insight.Calls{About: about, CallsOfRange: insight.CallsOfRange{Points: []insight.CallPoint{{}}}, Compare: &insight.CallsComparison{}},
		"InsightCallGroup":       insight.CallGroup{Other: true},
		"InsightCallPoint":       insight.CallPoint{},
		"InsightCallsComparison": insight.CallsComparison{CallsOfRange: insight.CallsOfRange{Points: []insight.CallPoint{{}}}},
		"InsightGrowth":          insight.Growth{About: about, Compare: &insight.GrowthComparison{}},
		"InsightGrowthPoint":     insight.GrowthPoint{},
		"InsightGrowthTotals":    insight.GrowthTotals{},
		"InsightLifecycle":       insight.Lifecycle{About: about},
		"InsightLifecyclePoint":  insight.LifecyclePoint{},
		"InsightStickiness":      insight.Stickiness{About: about},
		"InsightStickinessPoint": insight.StickinessPoint{},
		"InsightRetention":       insight.Retention{About: about},
		"InsightRetentionRow":    insight.RetentionRow{},
		"InsightFunnel":          insight.Funnel{About: about, Groups: []insight.FunnelGroup{{}}, Points: []insight.FunnelPoint{{}}},
		"InsightFunnelStep":      insight.FunnelStep{},
		"InsightFunnelGroup":     insight.FunnelGroup{Other: true},
		"InsightFunnelPoint":     insight.FunnelPoint{},
		"InsightEventPage":       insight.EventPage{NextCursor: "x"},
	} {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(raw, &members); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(keys(members), keys(schemas[name].Properties)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestAnEventAsDescribedIsReadWhole(t *testing.T) {
	sent := httpd.SentEvent{
		ID: "id", Name: weir.NameCall, TS: "2026-03-10T12:00:00Z", ProfileID: "profile", DeviceID: "device", SessionID: "session",
		URL: "https://a.example/b", Path: "/path", Title: "title", Referrer: "https://c.example/", IP: "198.51.100.7", UserAgent: "agent",
		Language: "de", Library: "lib/1", Revenue: 1.5, Currency: "EUR", Properties: json.RawMessage(`{"a":1}`),
		Origin: "https://o.example", UTMSource: "source", UTMMedium: "medium", UTMCampaign: "campaign", UTMTerm: "term", UTMContent: "content",
		Country: "DE", Region: "region", City: "city", Browser: "browser", BrowserVersion: "1", OS: "os", OSVersion: "2",
		DeviceType: weir.DeviceTablet, Bot: true, Groups: map[string]any{"company": "acme"},
		Call: &httpd.SentCall{Method: "GET", Route: "/r", Status: 200, LatencyMS: 2.5, Consumer: "consumer", RequestBytes: 3, ResponseBytes: 4, Error: "error", TraceID: "0af7651916cd43dd8448eb211c80319c"},
	}
	for _, v := range []reflect.Value{reflect.ValueOf(sent), reflect.ValueOf(*sent.Call)} {
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name != "_" && v.Field(i).IsZero() {
				t.Errorf("the test does not send %s", f.Name)
			}
		}
	}
	body, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	got, rejected, err := native.Decode(body, time.Date(2026, 3, 10, 13, 0, 0, 0, time.UTC), wire.DefaultLimits())
	if err != nil || len(rejected) > 0 {
		t.Fatalf("rejected: %v %v", rejected, err)
	}
	want := []weir.Incoming{{
		Event: weir.Event{
			ID: "id", Name: weir.NameCall, Time: time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC),
			ProfileID: "profile", DeviceID: "device", SessionID: "session", Path: "/path", Title: "title",
			Language: "de", Library: "lib/1", Revenue: weir.Known(1.5), Currency: "EUR", Properties: json.RawMessage(`{"$groups":{"company":"acme"},"a":1}`),
			Origin: "https://o.example", UTMSource: "source", UTMMedium: "medium", UTMCampaign: "campaign", UTMTerm: "term", UTMContent: "content",
			Country: "DE", Region: "region", City: "city", Browser: "browser", BrowserVersion: "1", OS: "os", OSVersion: "2",
			DeviceType: weir.DeviceTablet, Bot: true,
			Call: &weir.Call{Method: "GET", Route: "/r", Status: 200, LatencyMS: weir.Known(2.5), Consumer: "consumer", RequestBytes: weir.Known(3), ResponseBytes: weir.Known(4), Error: "error", TraceID: "0af7651916cd43dd8448eb211c80319c"},
		},
		Source: weir.Source{URL: "https://a.example/b", Referrer: "https://c.example/", IP: "198.51.100.7", UserAgent: "agent"},
	}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
