package report_test

import (
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/report"
)

func sample(api string) *weir.Report {
	rate, change := 0.25, -0.5
	from := time.Date(2026, 3, 10, 0, 0, 0, 0, time.UTC)
	a := &weir.Report{
		Date: "2026-03-10", Timezone: "UTC", From: from, To: from.AddDate(0, 0, 1), Revision: 2,
		ComputedAt: from.Add(25 * time.Hour), AsOf: from.Add(25 * time.Hour),
		Totals:   weir.ReportTotals{Events: 30, Calls: 12, Visitors: 3},
		Growth:   weir.ReportGrowth{Net: -4},
		Counters: &weir.ReportCounters{Events: 31, Calls: 12},
		Difference: &weir.ReportDifference{Events: 1, Reasons: []weir.ReportReason{
			{Reason: weir.ReasonDeadLetters, Events: 2}, {Reason: weir.ReasonNotCounted, Events: -1},
		}},
		Compare: &weir.ReportCompare{DayBefore: &weir.ReportComparison{Change: weir.ReportChange{Events: &change}}},
	}
	a.Calls.Calls, a.Calls.SuccessRate = 12, &rate
	a.Calls.ByAPI = []weir.ReportAPI{
		{API: &api, CallFigures: weir.CallFigures{Calls: 7}},
		{CallFigures: weir.CallFigures{Calls: 4}},
		{Other: true, CallFigures: weir.CallFigures{Calls: 1}},
	}
	return a
}

func written(t testing.TB, apis bool, reports ...*weir.Report) string {
	t.Helper()
	var b strings.Builder
	c := report.NewCSV(&b, apis)
	err := c.Header()
	for _, a := range reports {
		if err == nil {
			err = c.Report(a)
		}
	}
	if err == nil {
		err = c.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// read are the rows as maps from column to cell.
func read(t testing.TB, text string) (rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, c := range cells {
			if c != "" {
				row[all[0][i]] = c
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func TestADayIsARow(t *testing.T) {
	text := written(t, false, sample("/a"), sample("/a"))
	rows := read(t, text)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	for column, want := range map[string]string{
		"date": "2026-03-10", "revision": "2", "events": "30", "visitors": "3", "calls": "12", "success_rate": "0.25", "apdex": "",
		"net_growth": "-4", "counted_events": "31", "difference_events": "1", "difference_reasons": "dead_letters 2; not_counted -1",
		"day_before_events_change": "-0.5", "week_before_events_change": "", "api": "", "from": "2026-03-10T00:00:00Z",
	} {
		if got := rows[0][column]; got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	if strings.Count(text, "\r\n") != 3 || strings.Count(text, "\n") != 3 {
		t.Errorf("lines do not end as RFC 4180 says: %q", text)
	}
}

func TestCSVHasTheRowsOfAPIsAfterTheirDay(t *testing.T) {
	rows := read(t, written(t, true, sample("/a")))
	var got []string
	for _, r := range rows {
		got = append(got, r["row"]+" "+r["api"]+" "+r["calls"]+" "+r["events"])
	}
	if d := cmp.Diff([]string{"day  12 30", "api /a 7 ", "none  4 ", "other  1 "}, got); d != "" {
		t.Error(d)
	}
}

func TestTheNamesOfColumnsAreDistinct(t *testing.T) {
	all, err := csv.NewReader(strings.NewReader(written(t, true))).Read()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != len(all) {
		t.Errorf("%d of %d: %v", n, len(all), all)
	}
}

func TestTextIsNoFormula(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "/a": "/a", "GET /a": "GET /a", "a=b": "a=b",
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "'=1": "''=1", "=cmd|' /C calc'!A0": "'=cmd|' /C calc'!A0",
		"\t=1": "' =1", "\r=1": "' =1", "\n=1": "' =1", "a\r\nb": "a  b", " =1": "' =1", "＝1": "'＝1", "\xff=1": "' =1", "|x": "'|x", "%x": "'%x",
		`"=1"`: `'"=1"`,
		"a;=1": "a;'=1", "a; =1;b": "a;' =1;b", "=1;+1": "'=1;'+1", "a;'=1": "a;''=1", "a;b": "a;b", `a;"=1"`: `a;'"=1"`, ";": ";",
	} {
		if got := report.Text(in); got != want {
			t.Errorf("%q is %q, want %q", in, got, want)
		}
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"/a", "=1+1", `a"b,c`, "a\r\nb", "\xff", "'", "－1", ";=1", "\"\t=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, api string) {
		text := written(t, true, sample(api))
		rows := read(t, text)
		if len(rows) != 4 || strings.Count(text, "\n") != 5 {
			t.Fatalf("%q makes %d rows: %q", api, len(rows), text)
		}
		cell := rows[1]["api"]
		if cell != report.Text(api) {
			t.Errorf("%q is read as %q, not %q", api, cell, report.Text(api))
		}
		if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") {
			t.Errorf("%q is a formula: %q", api, cell)
		}
		if plain := strings.TrimPrefix(cell, "'"); cell != plain && strings.ToValidUTF8(api, " ") == plain && plain == "" {
			t.Errorf("%q lost its text", api)
		}
	})
}
