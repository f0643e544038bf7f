package insight_test

import (
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// january has four devices in the first days of January 2026, in Berlin: daily comes on each of
// the first three, twice on the second; gap on the first and the third; old came in November too;
// bot is none of them.
func january() []weir.EventRow {
	bot := named("bot", "click", 5)
	bot.Bot = true
	return []weir.EventRow{
		named("daily", "click", 2), named("daily", "click", 26), named("daily", "open", 27), named("daily", "click", 50),
		named("gap", "click", 3), named("gap", "open", 51),
		named("old", "click", -24*40), named("old", "click", 28), bot,
	}
}

// threeDays are 1 to 3 January; the third is not over: it is noon in UTC.
func threeDays() weir.Common {
	c := dayQuery().Common
	c.To = c.To.AddDate(0, 0, 1)
	return c
}

func TestLifecycleTellsNewReturningResurrectingAndDormant(t *testing.T) {
	e := newEngine(t, &barrier{}, january()...)
	a, err := insight.Ask[insight.Lifecycle](t.Context(), e, berlin(t), weir.Lifecycle{Common: threeDays()}, 0)
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, a, `{"points":[
{"time":"2026-01-01T00:00:00+01:00","new":2,"returning":0,"resurrecting":0,"dormant":0},
{"time":"2026-01-02T00:00:00+01:00","new":0,"returning":1,"resurrecting":1,"dormant":-1},
{"time":"2026-01-03T00:00:00+01:00","new":0,"returning":1,"resurrecting":1,"dormant":-1}],
"kind":"lifecycle","bots_left_out":1,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

// An event that comes later and is older moves its person from new to where it belongs.
func TestLifecycleFollowsABackfill(t *testing.T) {
	e := newEngine(t, &barrier{}, append(january(), named("gap", "click", -24*3))...)
	a, err := insight.Ask[insight.Lifecycle](t.Context(), e, berlin(t), weir.Lifecycle{Common: threeDays(), Event: "click"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if p := a.Points[0]; p.New != 1 || p.Resurrecting != 1 || p.Dormant != 0 {
		t.Errorf("the first day = %+v, want one new and one who is back", p)
	}
	if p := a.Points[2]; p.Returning != 1 || p.Resurrecting != 0 {
		t.Errorf("the third day = %+v: open is no click", p)
	}
}

func TestStickinessCountsPersonsByTheirDays(t *testing.T) {
	e := newEngine(t, &barrier{}, january()...)
	ask := func(q weir.Stickiness) *insight.Stickiness {
		t.Helper()
		q.Common = threeDays()
		a, err := insight.Ask[insight.Stickiness](t.Context(), e, berlin(t), q, 0)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	// Active are 2, 2 and 2 on the days; 2, 3 and 3 in the weeks that end with them.
	sameJSON(t, ask(weir.Stickiness{}), `{"points":[{"buckets":1,"persons":1},{"buckets":2,"persons":1},{"buckets":3,"persons":1}],"dau_wau":0.75,"dau_mau":0.75,
"kind":"stickiness","bots_left_out":1,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
	a := ask(weir.Stickiness{Cumulative: true, Event: "click"})
	if a.Points[0].Persons != 3 || a.Points[1].Persons != 1 || a.Points[2].Persons != 1 {
		t.Errorf("at least so many days with a click: %+v, want 3, 1, 1", a.Points)
	}
}

func TestRetentionTellsWhoComesBack(t *testing.T) {
	e := newEngine(t, &barrier{}, january()...)
	ask := func(q weir.Retention) *insight.Retention {
		t.Helper()
		q.Common, q.Periods, q.AtLeast = threeDays(), 3, max(q.AtLeast, 1)
		a, err := insight.Ask[insight.Retention](t.Context(), e, berlin(t), q, 0)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	// old is in no row: its first event was in November. The third day is not over.
	sameJSON(t, ask(weir.Retention{Mode: weir.RetentionFirst}), `{"rows":[
{"time":"2026-01-01T00:00:00+01:00","size":2,"values":[2,1,2],"open":2},
{"time":"2026-01-02T00:00:00+01:00","size":0,"values":[0,0,0],"open":1},
{"time":"2026-01-03T00:00:00+01:00","size":0,"values":[0,0,0],"open":0}],"mean":[1,0.5,null],
"kind":"retention","bots_left_out":1,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
	for name, tt := range map[string]struct {
		q    weir.Retention
		want [][]int64
	}{
		"recurring":        {weir.Retention{Mode: weir.RetentionRecurring}, [][]int64{{2, 1, 2}, {2, 1, 0}, {2, 0, 0}}},
		"cumulative":       {weir.Retention{Mode: weir.RetentionFirst, Cumulative: true}, [][]int64{{2, 2, 2}, {0, 0, 0}, {0, 0, 0}}},
		"at least twice":   {weir.Retention{Mode: weir.RetentionFirst, AtLeast: 2}, [][]int64{{2, 1, 0}, {0, 0, 0}, {0, 0, 0}}},
		"another return":   {weir.Retention{Mode: weir.RetentionFirst, Return: weir.Selector{Event: "open"}}, [][]int64{{2, 1, 1}, {0, 0, 0}, {0, 0, 0}}},
		"first ever click": {weir.Retention{Mode: weir.RetentionFirst, Start: weir.Selector{Event: "open"}}, [][]int64{{0, 0, 0}, {1, 1, 0}, {1, 0, 0}}},
	} {
		for i, row := range ask(tt.q).Rows {
			for k, n := range row.Values {
				if n != tt.want[i][k] {
					t.Errorf("%s: row %d = %v, want %v", name, i, row.Values, tt.want[i])
					break
				}
			}
		}
	}
}

// In the week of 29 March 2026 clocks go forward in Berlin: the week has an hour less.
func TestRetentionByWeekCountsCalendarWeeks(t *testing.T) {
	at := func(device string, s string) weir.EventRow {
		when, err := time.ParseInLocation("2006-01-02 15:04", s, berlin(t).Location())
		if err != nil {
			t.Fatal(err)
		}
		e := named(device, "click", 0)
		e.ID, e.Time = device+s, when.UTC()
		return e
	}
	e := newEngine(t, &barrier{}, at("a", "2026-03-23 00:00"), at("a", "2026-03-30 00:00"), at("b", "2026-03-29 23:59"), at("b", "2026-04-05 23:59"), at("b", "2026-04-06 00:00"))
	q := weir.Retention{Mode: weir.RetentionFirst, Periods: 3, AtLeast: 1}
	q.Interval, q.From = weir.Week, at("", "2026-03-25 12:00").Time
	q.To = at("", "2026-03-30 00:00").Time
	a, err := insight.Ask[insight.Retention](t.Context(), e, berlin(t), q, 0)
	if err != nil {
		t.Fatal(err)
	}
	if row := a.Rows[0]; len(a.Rows) != 1 || row.Size != 2 || row.Values[1] != 2 || row.Values[2] != 1 || row.Time.Day() != 23 {
		t.Errorf("rows = %+v, want one of 23 March: 2, 2, 1", a.Rows)
	}
}

func TestWhatRetentionDoesNotTakeIsRefused(t *testing.T) {
	e := newEngine(t, &barrier{})
	base := weir.Retention{Common: threeDays(), Mode: weir.RetentionFirst, Periods: 3, AtLeast: 1}
	for place, change := range map[string]func(*weir.Retention){
		"mode":     func(q *weir.Retention) { q.Mode = "last" },
		"periods":  func(q *weir.Retention) { q.Periods = 101 },
		"at_least": func(q *weir.Retention) { q.AtLeast = -1 },
		"interval": func(q *weir.Retention) { q.Interval = weir.Hour },
		"start.filter[0]": func(q *weir.Retention) {
			q.Start.Filter = weir.Filter{{Column: "nothing", Op: "=", Values: []string{"1"}}}
		},
		"return.action": func(q *weir.Retention) { q.Return.Action = "nothing" },
		"return.filter[0]": func(q *weir.Retention) {
			q.Return.Filter = weir.Filter{{Column: "status", Op: "contains", Values: []string{"1"}}}
		},
	} {
		q := base
		change(&q)
		_, err := e.Ask(t.Context(), berlin(t), q, 0)
		invalid(t, err, place)
	}
	long := base
	long.From = long.To.AddDate(0, 0, -240)
	_, err := e.Ask(t.Context(), berlin(t), long, 0)
	if err != nil {
		t.Error(err)
	}
	long.Periods = 30
	_, err = e.Ask(t.Context(), berlin(t), long, 0)
	invalid(t, err, "periods", "248")
}
