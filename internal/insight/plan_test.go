package insight_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func TestAQueryThatIsNotAllowedSaysWhatIs(t *testing.T) {
	e := newEngine(t, &barrier{})
	total := weir.Series{Math: weir.MathTotal}
	trend := func(change func(*weir.Trend)) weir.Question { return with(dayQuery(total), change) }
	filter := func(column, op string, values ...string) func(*weir.Trend) {
		return func(q *weir.Trend) { q.Filter = []weir.Condition{{Column: column, Op: op, Values: values}} }
	}
	series := func(s ...weir.Series) func(*weir.Trend) { return func(q *weir.Trend) { q.Series = s } }
	type refused struct {
		q    weir.Question
		says []string
	}
	pages := func(change func(*weir.Pages)) weir.Question { return with(dayPages(), change) }
	for name, tt := range map[string]refused{
		"no series":                   {trend(series()), []string{"1 to 10"}},
		"too many series":             {trend(series(make([]weir.Series, 11)...)), []string{"1 to 10", "11"}},
		"an unknown math":             {trend(series(weir.Series{Math: "p50"})), []string{`"p50"`, `"median"`}},
		"a sum of nothing":            {trend(series(weir.Series{Math: weir.MathSum})), []string{`"sum"`, "latency_ms", "properties.NAME"}},
		"a total of a property":       {trend(series(weir.Series{Math: weir.MathTotal, Property: "revenue"})), []string{`"total"`, "no property"}},
		"a sum of text":               {trend(series(weir.Series{Math: weir.MathSum, Property: "country"})), []string{`"country"`, "latency_ms"}},
		"a sum of the unknown":        {trend(series(weir.Series{Math: weir.MathSum, Property: "price"})), []string{`"price"`, "properties.NAME"}},
		"an event that is not UTF-8":  {trend(series(weir.Series{Event: "\xff", Math: weir.MathTotal})), []string{"event", "UTF-8"}},
		"a column that is not UTF-8":  {trend(func(q *weir.Trend) { q.Breakdown = "properties.\xff" }), []string{"column", "UTF-8"}},
		"an unknown interval":         {trend(func(q *weir.Trend) { q.Interval = "year" }), []string{`"year"`, "month"}},
		"an unknown compare":          {trend(func(q *weir.Trend) { q.Compare = "week" }), []string{`"week"`, "previous", "year"}},
		"a range backwards":           {trend(func(q *weir.Trend) { q.From, q.To = q.To, q.From }), []string{"before"}},
		"too many points":             {trend(func(q *weir.Trend) { q.Interval, q.To = weir.Minute, q.From.AddDate(0, 0, 8) }), []string{"11521", "10000", "longer interval"}},
		"too many groups":             {trend(func(q *weir.Trend) { q.Limit = 101 }), []string{"1 to 100"}},
		"a breakdown of unknown":      {trend(func(q *weir.Trend) { q.Breakdown = "x; DROP TABLE events" }), []string{"unknown column", "country", "properties.NAME"}},
		"a sum of a trait":            {trend(series(weir.Series{Math: weir.MathSum, Property: "traits.plan"})), []string{"traits.plan", "filter"}},
		"a trait with no name":        {trend(func(q *weir.Trend) { q.Breakdown = "traits." }), []string{`traits.`}},
		"a trait that is not UTF-8":   {trend(filter("traits.\xff", "=", "1")), []string{"UTF-8"}},
		"another operator of a trait": {trend(filter("traits.a", "~", "b")), []string{`"~"`, `">"`}},
		"two values of a trait":       {trend(filter("traits.a", "=", "a", "b")), []string{"one value", "2"}},
		"too many traits": {trend(func(q *weir.Trend) {
			q.Filter = slices.Repeat([]weir.Condition{{Column: "traits.a", Op: "=", Values: []string{"x"}}}, 21)
		}), []string{"20", "21"}},
		"a property with no name":   {trend(func(q *weir.Trend) { q.Breakdown = "properties." }), []string{`"properties."`}},
		"a column of another table": {trend(filter("seq", "=", "1")), []string{`"seq"`, "country"}},
		"an unknown operator":       {trend(filter("country", "like", "D%")), []string{`"like"`, `"contains"`}},
		"more than text":            {trend(filter("country", ">", "DE")), []string{`"country"`, `">"`, `"in"`}},
		"a part of a number":        {trend(filter("status", "contains", "4")), []string{`"status"`, `"contains"`, `"<"`}},
		"a status that is none":     {trend(filter("status", "=", "4xx")), []string{"status", `"4xx"`}},
		"a status in fractions":     {trend(filter("status", ">", "1.5")), []string{`"1.5"`}},
		"an endless latency":        {trend(filter("latency_ms", ">", "inf")), []string{`"inf"`}},
		"more than a word":          {trend(filter("properties.a", ">", "b")), []string{"properties.a", `"b"`}},
		"another operator of one":   {trend(filter("properties.a", "~", "b")), []string{`"~"`, `">"`}},
		"half a bot":                {trend(filter("bot", "=", "maybe")), []string{`"maybe"`, "true or false"}},
		"more than a bot":           {trend(filter("bot", "in", "true")), []string{`"in"`, `"!="`}},
		"no value":                  {trend(filter("country", "=")), []string{"country", "one value", "0"}},
		"two values":                {trend(filter("country", "=", "a", "b")), []string{"one value", "2"}},
		"in nothing":                {trend(filter("country", "in")), []string{"1 to 100"}},
		"in too much":               {trend(filter("country", "in", make([]string, 101)...)), []string{"1 to 100", "101"}},
		"a value that is not UTF-8": {trend(filter("country", "=", "\xff")), []string{"UTF-8"}},
		"too many conditions":       {trend(func(q *weir.Trend) { q.Filter = make([]weir.Condition, 21) }), []string{"20", "21"}},
		"pages backwards":           {pages(func(q *weir.Pages) { q.From, q.To = q.To, q.From }), []string{"before"}},
		"too many pages":            {pages(func(q *weir.Pages) { q.Limit = 1001 }), []string{"1 to 1000"}},
		"pages of the unknown":      {pages(func(q *weir.Pages) { q.Filter = weir.Filter{{Column: "seq", Op: "=", Values: []string{"1"}}} }), []string{`"seq"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.Ask(t.Context(), berlin(t), tt.q, 0)
			invalid(t, err, tt.says...)
		})
	}
}

// The error of a question names the place of what is wrong, from the question's top.
func TestAQueryThatIsNotAllowedSaysWhereInIt(t *testing.T) {
	e := newEngine(t, &barrier{})
	unknown := weir.Filter{{Column: "name", Op: "=", Values: []string{"a"}}, {Any: weir.Filter{{Column: "nothing", Op: "=", Values: []string{"a"}}}}}
	c := threeDays()
	filtered := c
	filtered.Filter = unknown
	selected := weir.Selector{Filter: unknown}
	total := []weir.Series{{Math: weir.MathTotal}}
	for place, q := range map[string]weir.Question{
		"filter[1].any[0].column":           weir.Trend{Common: filtered, Series: total},
		"series[0].filter[1].any[0].column": weir.Trend{Common: c, Series: []weir.Series{{Math: weir.MathTotal, Filter: unknown}}},
		"series[0].property":                weir.Trend{Common: c, Series: []weir.Series{{Math: weir.MathSum, Property: "nothing"}}},
		"series[0].of":                      weir.Trend{Common: c, Series: []weir.Series{{Math: weir.MathUnique, Of: "nothing"}}},
		"breakdown":                         weir.Trend{Common: c, Series: total, Breakdown: "nothing"},
		"start.filter[1].any[0].column":     weir.Retention{Common: c, Mode: weir.RetentionFirst, Periods: 2, AtLeast: 1, Start: selected},
		"steps[1].filter[1].any[0].column":  weir.Funnel{Common: c, Steps: []weir.Step{{}, {Filter: unknown}}},
	} {
		_, err := e.Ask(t.Context(), berlin(t), q, 0)
		domain, ok := errors.AsType[*weir.Error](err)
		if !ok || domain.Code != weir.EINVALID {
			t.Errorf("%s: %v", place, err)
			continue
		}
		if faults, _ := domain.Details.([]weir.Fault); len(faults) != 1 || faults[0].Location != place {
			t.Errorf("details = %+v, want the place %s", domain.Details, place)
		}
	}
	for name, q := range map[string]weir.Question{
		"pages": weir.Pages{Common: filtered}, "calls": weir.Calls{Common: filtered}, "growth": weir.Growth{Common: filtered},
		"lifecycle": weir.Lifecycle{Common: filtered}, "stickiness": weir.Stickiness{Common: filtered}, "funnel": weir.Funnel{Common: filtered, Steps: make([]weir.Step, 2)},
	} {
		_, err := e.Ask(t.Context(), berlin(t), q, 0)
		if domain, ok := errors.AsType[*weir.Error](err); !ok || len(domain.Details.([]weir.Fault)) != 1 || domain.Details.([]weir.Fault)[0].Location != "filter[1].any[0].column" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// invalid tests that an error is EINVALID and tells the client some words.
func invalid(t *testing.T, err error, says ...string) {
	t.Helper()
	if weir.ErrorCode(err) != weir.EINVALID {
		t.Fatalf("error %v, want EINVALID", err)
	}
	for _, s := range says {
		if !strings.Contains(weir.ErrorMessage(err), s) {
			t.Errorf("message %q does not say %q", weir.ErrorMessage(err), s)
		}
	}
}

func TestAnEventsQueryThatIsNotAllowedSaysWhatIs(t *testing.T) {
	e := newEngine(t, &barrier{})
	for name, tt := range map[string]struct {
		q    insight.EventsQuery
		says string
	}{
		"too many":                 {insight.EventsQuery{Limit: 1001}, "1 to 1000"},
		"a range backwards":        {insight.EventsQuery{From: noon, To: noon}, "before"},
		"an unknown column":        {insight.EventsQuery{Filter: []weir.Condition{{Column: "x", Op: "=", Values: []string{""}}}}, `"x"`},
		"a name that is not UTF-8": {insight.EventsQuery{Name: "\xff"}, "name"},
		"a cursor of others":       {insight.EventsQuery{Cursor: "abc"}, "cursor"},
		"a cursor out of time":     {insight.EventsQuery{Cursor: strings.Repeat("_", 32)}, "cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := e.Events(t.Context(), berlin(t), tt.q, 0)
			invalid(t, err, tt.says)
		})
	}
}

// FuzzFilter: whatever a client sends as a condition is answered, or the client is
// told what was wrong with it; the engine never sees SQL that it refuses.
func FuzzFilter(f *testing.F) {
	for _, c := range []string{"name", "bot", "status", "latency_ms", "properties.a", "properties.'", `properties."`, "properties.a.b/c~", "traits.x", "1=1", ""} {
		for _, op := range []string{"=", "!=", "in", "contains", ">", "<", "OR"} {
			f.Add(c, op, "1")
		}
	}
	f.Add("properties.?", "=", "?")
	f.Add("properties.@", "=", "@")
	f.Add("country", "contains", "'; DROP TABLE events; --\x00")
	e := newEngine(f, &barrier{}, rows()...)
	p := berlin(f)
	f.Fuzz(func(t *testing.T, column, op, value string) {
		q := dayQuery(weir.Series{Math: weir.MathTotal})
		q.Filter = []weir.Condition{{Column: column, Op: op, Values: []string{value}}}
		q.Breakdown = column
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, q, 0)
		if err != nil {
			invalid(t, err)
			return
		}
		var n float64
		for _, s := range a.Series {
			n += *s.Total
		}
		if n > 3 {
			t.Errorf("%v events of 3 pass", n)
		}
	})
}

// FuzzCursor: a cursor is one of ours or refused.
func FuzzCursor(f *testing.F) {
	e := newEngine(f, &barrier{}, rows()...)
	p := berlin(f)
	page, err := e.Events(f.Context(), p, insight.EventsQuery{Limit: 1}, 0)
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{page.NextCursor, page.NextCursor + "A", "=", "////", strings.Repeat("A", 32), strings.Repeat("B", 32), strings.Repeat("f", 32)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, cursor string) {
		a, err := e.Events(t.Context(), p, insight.EventsQuery{Cursor: cursor}, 0)
		if err != nil {
			invalid(t, err, "cursor")
			return
		}
		if len(a.Events) > 3 {
			t.Errorf("%d events of 3", len(a.Events))
		}
	})
}

// FuzzPoints: the points of a trend go up, the first is the last that is not
// after from, and all are before to.
func FuzzPoints(f *testing.F) {
	zones := []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Havana", "Africa/Cairo", "Asia/Tehran", "America/St_Johns"}
	intervals := []weir.Interval{weir.Minute, weir.Hour, weir.Day, weir.Week, weir.Month}
	f.Add(int64(1_762_000_000), int64(86400*40), uint8(2), uint8(2))
	f.Add(int64(1_743_800_000), int64(86400*3), uint8(3), uint8(1))
	f.Add(int64(1_325_000_000), int64(86400*9), uint8(5), uint8(2)) // Apia left out a day
	f.Add(int64(1_762_000_000), int64(1), uint8(9), uint8(4))
	e := newEngine(f, &barrier{})
	f.Fuzz(func(t *testing.T, from, seconds int64, zone, interval uint8) {
		const longest = 400 * 86400
		from, seconds = from%4_000_000_000, 1+(seconds%longest+longest)%longest
		p := &weir.Project{ID: "p", Timezone: zones[int(zone)%len(zones)]}
		if err := p.Resolve(); err != nil {
			t.Fatal(err)
		}
		q := weir.Trend{Common: weir.Common{From: time.Unix(from, 0), To: time.Unix(from+seconds, 0), Interval: intervals[int(interval)%len(intervals)]}, Series: []weir.Series{{Math: weir.MathTotal}}}
		a, err := insight.Ask[insight.Trend](t.Context(), e, p, q, 0)
		if err != nil {
			invalid(t, err, "points")
			return
		}
		points := a.Series[0].Points
		for i, pt := range points {
			if i == 0 && pt.Time.After(q.From) || i > 0 && !pt.Time.After(q.From) || !pt.Time.Before(q.To) || i > 0 && !pt.Time.After(points[i-1].Time) {
				t.Fatalf("%s by %s in %s from %s to %s: point %d at %s", fmt.Sprint(len(points)), q.Interval, p.Timezone,
					q.From.In(p.Location()), q.To.In(p.Location()), i, pt.Time)
			}
		}
	})
}
