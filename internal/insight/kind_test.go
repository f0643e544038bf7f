package insight_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func TestFieldsThatTheKindDoesNotTakeAreRefused(t *testing.T) {
	for _, body := range []string{
		`{"kind":"nothing","from":"-7d"}`, `{"from":"-7d"}`, `[]`, `null`, `7`, `{"kind":7}`,
		`{"kind":"pages","from":"-7d","series":[{"math":"total"}]}`,
		`{"kind":"pages","from":"-7d","compare":"previous"}`,
		`{"kind":"pages","from":"-7d","breakdown":"country"}`,
		`{"kind":"pages","from":"-7d","sort":"calls"}`,
		`{"kind":"calls","from":"-7d","series":[{"math":"total"}]}`,
		`{"kind":"growth","from":"-7d","breakdown":"country"}`,
		`{"kind":"growth","from":"-7d","limit":3}`,
		`{"kind":"growth","from":"-7d","sort":"calls"}`,
		`{"kind":"trend","from":"-7d","sort":"calls"}`,
		`{"kind":"trend","from":"-7d","limit":"7"}`,
		`{"kind":"trend","from":"-7d","wat":1}`,
		`{"kind":"trend","from":"-7d","filter":[{"column":"path","op":"=","value":[1]}]}`,
	} {
		_, err := insight.Decode([]byte(body), noon, time.UTC)
		if weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v, want EINVALID", body, err)
		}
	}
}

func TestAnEmptyFieldOfAnotherKindIsAccepted(t *testing.T) {
	for _, test := range []struct{ kind, fields string }{
		{"trend", `"sort":null`},
		{"trend", `"sort":""`},
		{"pages", `"breakdown":""`},
		{"pages", `"breakdown":null,"compare":null,"sort":null,"series":null`},
		{"pages", `"series":[ ]`},
		{"pages", `"series":{}`},
		{"calls", `"series":[]`},
		{"calls", `"series":null`},
		{"growth", `"breakdown":"","limit":0,"sort":null`},
	} {
		plain := `{"kind":"` + test.kind + `","from":"-7d"`
		want, err := insight.Decode([]byte(plain+"}"), noon, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		got, err := insight.Decode([]byte(plain+","+test.fields+"}"), noon, time.UTC)
		if err != nil {
			t.Errorf("%s with %s: %v", test.kind, test.fields, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s with %s: %s", test.kind, test.fields, d)
		}
	}
}

func TestAnEmptyFieldThatNoKindTakesIsRefused(t *testing.T) {
	for _, fields := range []string{`"wat":null`, `"wat":""`, `"wat":[]`} {
		_, err := insight.Decode([]byte(`{"kind":"pages","from":"-7d",`+fields+`}`), noon, time.UTC)
		if weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v, want EINVALID", fields, err)
		}
	}
}

func TestNamesOfFieldsMayBeInAnyCase(t *testing.T) {
	want, err := insight.Decode([]byte(`{"kind":"trend","from":"-7d","to":"-1d","limit":3}`), noon, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{
		`{"Kind":"trend","from":"-7d","to":"-1d","limit":3}`,
		`{"kind":"trend","FROM":"-7d","To":"-1d","LIMIT":3,"Freshness":60}`,
		`{"kind":"trend","FROM":"-9d","from":"-7d","to":"-1d","limit":3,"Limit":4}`,
	} {
		got, err := insight.Decode([]byte(body), noon, time.UTC)
		if err != nil {
			t.Errorf("%s: %v", body, err)
		} else if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", body, d)
		}
	}
}

// What a question is stored as is what it is read from.
func TestAQuestionOfEachKindIsReadAsItIsWritten(t *testing.T) {
	base := weir.Common{
		From: noon.AddDate(0, 0, -7), To: noon, Interval: weir.Week, Bots: weir.BotsIn,
		Filter: weir.Filter{{Column: "country", Op: "in", Values: []string{"DE", "FR"}}, {Column: "status", Op: ">", Values: []string{"399"}}},
	}
	for _, q := range []weir.Question{
		weir.Trend{Common: base, Series: []weir.Series{{Event: "signup", Math: weir.MathUnique}, {Math: weir.MathP95, Property: "latency_ms"}}, Breakdown: "country", Compare: weir.ComparePrevious, Limit: 3},
		weir.Pages{Common: base, Limit: 3},
		weir.Calls{Common: base, Breakdown: "consumer", Sort: weir.SortErrors, Compare: weir.CompareYear, Limit: 3},
		weir.Growth{Common: base, Series: []weir.Series{{Event: "signup"}}, Of: "groups.company", Compare: weir.CompareYear},
		weir.Funnel{
			Common: base, Steps: []weir.Step{{Event: "a", Label: "first"}, {Action: "x", Optional: true}, {Filter: base.Filter}}, Order: weir.OrderStrict, Window: "3h", Over: weir.Day,
			Exclude: []weir.Exclusion{{Event: "b", From: 1, To: 3}}, Breakdown: "country", Attribution: "step:2", Limit: 3, Count: weir.CountVisits,
		},
	} {
		body, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var members map[string]any
		if err := json.Unmarshal(body, &members); err != nil {
			t.Fatal(err)
		}
		members["kind"] = q.Kind()
		if body, err = json.Marshal(members); err != nil {
			t.Fatal(err)
		}
		got, err := insight.Decode(body, noon.AddDate(1, 0, 0), time.UTC)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if d := cmp.Diff(q, got, cmp.Comparer(time.Time.Equal)); d != "" {
			t.Errorf("%s: %s", body, d)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestAQuestionWithoutToEndsWhereItsFromSays(t *testing.T) {
	for from, want := range map[string][2]time.Time{
		"-1h":                                 {noon.Add(-time.Hour), noon},
		"-7d":                                 {noon.AddDate(0, 0, -7), noon},
		"-1d/d":                               {noon.Truncate(24*time.Hour).AddDate(0, 0, -1), noon.Truncate(24 * time.Hour)},
		"today":                               {noon.Truncate(24 * time.Hour), noon.Truncate(24*time.Hour).AddDate(0, 0, 1)},
		noon.Format(time.DateOnly):            {noon.Truncate(24 * time.Hour), noon.Truncate(24*time.Hour).AddDate(0, 0, 1)}, // to the end of the day that goes on
		noon.Add(-1).Format(time.RFC3339Nano): {noon.Add(-1), noon.Truncate(24*time.Hour).AddDate(0, 0, 1)},
	} {
		q, err := insight.Decode([]byte(`{"kind":"trend","from":"`+from+`"}`), noon, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]time.Time{q.Base().From, q.Base().To}; got != want {
			t.Errorf("%s: %v, want %v", from, got, want)
		}
	}
}

func TestAQuestionSaysWhetherBotsCountInOneOfThreeWords(t *testing.T) {
	for in, want := range map[string]weir.Bots{`false`: weir.BotsOut, `true`: weir.BotsIn, `"only"`: weir.BotsOnly, `null`: weir.BotsByNumber} {
		q, err := insight.Decode([]byte(`{"kind":"trend","from":"-7d","bots":`+in+`}`), noon, time.UTC)
		if err != nil || q.Base().Bots != want {
			t.Errorf("%s: %+v, %v", in, q, err)
		}
	}
	for _, in := range []string{`"some"`, `1`, `[]`, `{"only":true}`} {
		if _, err := insight.Decode([]byte(`{"kind":"trend","from":"-7d","bots":`+in+`}`), noon, time.UTC); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v, want EINVALID", in, err)
		}
	}
}

func TestNumbersOfPeopleLeaveBotsOutAndNumbersOfEventsDoNot(t *testing.T) {
	crawl, both := named("crawler", "click", 5), named("daily", "click", 6)
	crawl.Bot, both.Bot = true, true // the second device is a person too
	e := newEngine(t, &barrier{}, named("daily", "click", 2), named("other", "click", 3), crawl, both)
	for word, want := range map[weir.Bots][3]float64{ // events, people, bots that are left out
		weir.BotsByNumber: {4, 2, 2}, weir.BotsOut: {2, 2, 2}, weir.BotsIn: {4, 3, -1}, weir.BotsOnly: {2, 2, -1},
	} {
		q := dayQuery(weir.Series{Math: weir.MathTotal}, weir.Series{Math: weir.MathUnique})
		q.Bots = word
		a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, 0)
		if err != nil {
			t.Fatal(err)
		}
		got := [3]float64{*a.Series[0].Total, *a.Series[1].Total, -1}
		if a.BotsLeftOut != nil {
			got[2] = float64(*a.BotsLeftOut)
		}
		if got != want {
			t.Errorf("bots %q: %v, want %v", word, got, want)
		}
	}
}
