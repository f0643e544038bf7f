package insight_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// tablesOf are the tables of a page of the manual, each row as its cells, without the headings.
func tablesOf(page string) (tables [][][]string) {
	inside := false
	for line := range strings.Lines(page) {
		if !strings.HasPrefix(line, "|") {
			inside = false
			continue
		}
		if !inside {
			inside, tables = true, append(tables, nil)
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		tables[len(tables)-1] = append(tables[len(tables)-1], cells)
	}
	for i := range tables {
		tables[i] = tables[i][2:]
	}
	return tables
}

// The example of docs/insights/funnel.md: a person who loops, an exclusion that voids one attempt
// of two, steps in the same instant, and the end of the window.
func TestTheFunnelOfTheManualIsAnswered(t *testing.T) {
	raw, err := os.ReadFile("../../docs/insights/funnel.md")
	if err != nil {
		t.Fatal(err)
	}
	tables := tablesOf(string(raw))
	var rows []weir.EventRow
	for _, cells := range tables[0] {
		at, err := time.Parse(time.DateTime, "2026-01-02 "+cells[0])
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, weir.EventRow{Event: weir.Event{ID: cells[1] + cells[0] + cells[2], Name: cells[2], DeviceID: cells[1], SessionID: cells[1], Time: at}})
	}
	e := newEngine(t, &barrier{}, rows...)
	_, rest, _ := strings.Cut(string(raw), "\n    {")
	body, _, _ := strings.Cut(rest, "\n")
	q, err := insight.Decode([]byte("{"+body), noon, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	a, err := insight.Ask[insight.Funnel](t.Context(), e, &weir.Project{ID: "p", Timezone: "UTC"}, q, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, s := range a.Steps {
		line := []string{s.Label}
		for _, v := range []any{s.Count, s.Rate, s.FromPrevious, s.Dropped, s.MeanMS, s.MedianMS} {
			cell, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			line = append(line, string(cell))
		}
		got = append(got, line)
	}
	if d := cmp.Diff(tables[1], got); d != "" {
		t.Errorf("(-manual +answer):\n%s", d)
	}
}

func TestAWrongFunnelIsRefusedWithThePlace(t *testing.T) {
	e := newEngine(t, &barrier{})
	for body, place := range map[string]string{
		`"steps":[]`:                                                                   "steps",
		`"steps":[{"event":"a"}]`:                                                      "steps",
		`"steps":[{},{}],"order":"backwards"`:                                          "order",
		`"steps":[{},{}],"count":"events"`:                                             "count",
		`"steps":[{"optional":true},{}]`:                                               "steps[0].optional",
		`"steps":[{},{"optional":true}],"order":"any"`:                                 "steps[1].optional",
		`"steps":[{},{"event":"a","action":"b"}]`:                                      "steps[1].action",
		`"steps":[{},{"action":"nothing"}]`:                                            "steps[1].action",
		`"steps":[{},{"filter":[{"column":"nothing","op":"=","value":"x"}]}]`:          "steps[1].filter[0].column",
		`"steps":[{},{"filter":[{"column":"path","op":">","value":"x"}]}]`:             "steps[1].filter[0].op",
		`"steps":[{},{"filter":[{"column":"path","op":"like","value":"x"}]}]`:          "steps[1].filter[0].op",
		`"steps":[{},{}],"window":"two weeks"`:                                         "window",
		`"steps":[{},{}],"window":"1.5h"`:                                              "window",
		`"steps":[{},{}],"window":"0s"`:                                                "window",
		`"steps":[{},{}],"window":"91d"`:                                               "window",
		`"steps":[{},{}],"window":"99999999999999999999d"`:                             "window",
		`"steps":[{},{}],"exclude":[{}]`:                                               "exclude[0].event",
		`"steps":[{},{}],"exclude":[{"event":"x","from_step":2}]`:                      "exclude[0].from_step",
		`"steps":[{},{}],"exclude":[{"event":"x","to_step":1}]`:                        "exclude[0].to_step",
		`"steps":[{},{}],"exclude":[{"event":"x","to_step":3}]`:                        "exclude[0].to_step",
		`"steps":[{},{}],"exclude":[{"filter":[{"column":"n","op":"=","value":"x"}]}]`: "exclude[0].filter[0].column",
		`"steps":[{},{}],"breakdown":"nothing"`:                                        "breakdown",
		`"steps":[{},{}],"breakdown":"path","attribution":"step:3"`:                    "attribution",
		`"steps":[{},{}],"breakdown":"path","attribution":"middle"`:                    "attribution",
		`"steps":[{},{}],"breakdown":"path","limit":101`:                               "limit",
		`"steps":[{},{}],"over":"year"`:                                                "over",
		`"steps":[{},{}],"filter":[{"column":"nothing","op":"=","value":"x"}]`:         "filter[0].column",
	} {
		q, err := insight.Decode([]byte(`{"kind":"funnel","from":"2026-01-02",`+body+`}`), noon, time.UTC)
		if err == nil {
			_, err = e.Ask(t.Context(), berlin(t), q, 0)
		}
		if weir.ErrorCode(err) != weir.EINVALID || !strings.HasPrefix(weir.ErrorMessage(err), place+": ") {
			t.Errorf("%s: %v, want EINVALID at %s", body, err, place)
		}
	}
}

func TestFunnelsThatAreWrittenInAnotherWayAreTheSame(t *testing.T) {
	q := weir.Funnel{Common: dayQuery().Common, Steps: []weir.Step{{Event: "a"}, {Event: "b"}}, Exclude: []weir.Exclusion{{Event: "x"}}, Breakdown: "country"}
	long := q
	long.Order, long.Window, long.Count, long.Attribution, long.Limit, long.Bots = weir.OrderOrdered, "336h", weir.CountPersons, "step:1", 10, weir.BotsOut
	long.Exclude = []weir.Exclusion{{Event: "x", From: 1, To: 2}}
	if d := cmp.Diff(q.Canonical(), long.Canonical()); d != "" {
		t.Error(d)
	}
	other := q
	other.Window = "13d"
	if cmp.Diff(q.Canonical(), other.Canonical()) == "" {
		t.Error("another window is another question")
	}
}
