package insight_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

func growthQuery(change func(*weir.Growth)) weir.Growth {
	q := weir.Growth{Common: dayQuery().Common}
	change(&q)
	return q
}

func askGrowth(t *testing.T, e *insight.Engine, change func(*weir.Growth)) *insight.Growth {
	t.Helper()
	a, err := insight.Ask[insight.Growth](t.Context(), e, berlin(t), growthQuery(change), 0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// named is a device's event of a name.
func named(device, name string, hours float64) weir.EventRow {
	e := view(device, name, hours)
	e.Name, e.Path = name, ""
	return e
}

// someDays are those of four devices: old is back after a month, daily comes each
// day, gone does not come any more, and bot is none of them.
func someDays() []weir.EventRow {
	bot := named("bot", "click", 5)
	bot.Bot = true
	return []weir.EventRow{
		named("old", "click", -24*40), named("old", "click", 26),
		named("daily", "click", -20), named("daily", "click", 2), named("daily", "click", 30),
		named("gone", "signup", 3), bot,
		named("new", "click", 4), named("new", "signup", 5), named("new", "click", 40),
		named("new", "identify", 41),
	}
}

func TestGrowthTellsWhoIsNewWhoIsBackAndWhoIsGone(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	sameJSON(t, askGrowth(t, e, func(*weir.Growth) {}), `{"points":[
{"time":"2026-01-01T00:00:00+01:00","new":2,"active":3,"returning":1,"resurrecting":0,"dormant":0,"cumulative":4,"net":2,
 "daily_active":3,"weekly_active":3,"monthly_active":3,"signups":2,"signups_active":1,"signup_active_rate":0.5},
{"time":"2026-01-02T00:00:00+01:00","new":0,"active":3,"returning":2,"resurrecting":1,"dormant":-1,"cumulative":4,"net":0,
 "daily_active":3,"weekly_active":4,"monthly_active":4,"signups":0,"signups_active":null,"signup_active_rate":null}],
"totals":{"new":2,"active":4,"cumulative":4,"net":2,"daily_active":3,"weekly_active":4,"monthly_active":4,"signups":2,"signups_active":1,"signup_active_rate":0.5},
"kind":"growth","bots_left_out":1,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
}

// Acme has two devices and comes each day. Beta is new on the second day, by the event that describes
// it, and has no signup. An event without a company is nobody's.
func TestGrowthOfCompaniesCountsThemInPlaceOfPersons(t *testing.T) {
	of := func(e weir.EventRow, properties string) weir.EventRow {
		e.Properties = []byte(properties)
		return e
	}
	acme := `{"$groups":{"company":"acme"}}`
	bot := of(named("bot", "click", 3), acme)
	bot.Bot = true
	e := newEngine(t, &barrier{},
		of(named("a", "click", -20), acme), of(named("a", "signup", 2), acme), of(named("b", "click", 3), acme), of(named("b", "click", 30), acme),
		of(named("c", weir.NameGroup, 31), `{"group_type":"company","group_id":"beta"}`), named("d", "click", 4), of(named("e", "click", 5), `{"$groups":{"company":""}}`), bot)
	sameJSON(t, askGrowth(t, e, func(q *weir.Growth) { q.Of = "groups.company" }), `{"points":[
{"time":"2026-01-01T00:00:00+01:00","new":0,"active":1,"returning":1,"resurrecting":0,"dormant":0,"cumulative":1,"net":0,
 "daily_active":1,"weekly_active":1,"monthly_active":1,"signups":1,"signups_active":1,"signup_active_rate":1},
{"time":"2026-01-02T00:00:00+01:00","new":1,"active":2,"returning":1,"resurrecting":0,"dormant":0,"cumulative":2,"net":1,
 "daily_active":2,"weekly_active":2,"monthly_active":2,"signups":0,"signups_active":null,"signup_active_rate":null}],
"totals":{"new":1,"active":2,"cumulative":2,"net":1,"daily_active":2,"weekly_active":2,"monthly_active":2,"signups":1,"signups_active":1,"signup_active_rate":1},
"kind":"growth","bots_left_out":1,"as_of":"2026-01-03T13:00:00+01:00","cached":false,"elapsed_ms":0}`)
	for _, of := range []string{"bot", "status", "traits.plan", "groups.", "nothing"} {
		if _, err := e.Ask(t.Context(), berlin(t), growthQuery(func(q *weir.Growth) { q.Of = of }), 0); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("of %q: %v, want EINVALID", of, err)
		}
	}
}

func TestGrowthCountsBotsWhereTheyAreAskedFor(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	if a := askGrowth(t, e, func(q *weir.Growth) { q.Bots = weir.BotsIn }); a.Totals.New != 3 || a.Totals.Active != 5 {
		t.Errorf("with bots: %+v", a.Totals)
	}
	if a := askGrowth(t, e, func(q *weir.Growth) { q.Bots = weir.BotsOnly }); a.Totals.New != 1 || a.Totals.Active != 1 || a.BotsLeftOut != nil {
		t.Errorf("bots only: %+v", a)
	}
}

func TestGrowthCountsAPersonByTheEventsThatAreNoBots(t *testing.T) {
	crawl := named("daily", "click", 20) // the same device, by another browser
	crawl.Bot = true
	both := named("bot", "click", 30)
	e := newEngine(t, &barrier{}, append(someDays(), crawl, both)...)
	a := askGrowth(t, e, func(*weir.Growth) {})
	if a.Points[0].Active != 3 || a.Points[1].Active != 4 || a.Points[1].New != 1 {
		t.Errorf("%+v", a.Points)
	}
}

func TestGrowthCountsSignupsOfTheSeriesEvent(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	for name, want := range map[string][2]int64{"": {2, 0}, "signup": {2, 0}, "identify": {0, 1}, "click": {1, 0}, "nothing": {0, 0}} {
		a := askGrowth(t, e, func(q *weir.Growth) { q.Series = []weir.Series{{Event: name, Math: weir.MathTotal}} })
		if got := [2]int64{a.Points[0].Signups, a.Points[1].Signups}; got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
}

func TestGrowthIsAboutTheEventsThatPassItsFilter(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	a := askGrowth(t, e, func(q *weir.Growth) {
		q.Filter = []weir.Condition{{Column: "name", Op: "!=", Values: []string{"click"}}}
	})
	if a.Totals.New != 2 || a.Totals.Cumulative != 2 || a.Points[1].Active != 1 || a.Points[1].Returning != 1 {
		t.Errorf("%+v", a)
	}
}

func TestGrowthBeginsWithAWholeBucket(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	late := askGrowth(t, e, func(q *weir.Growth) { q.From = q.From.Add(20 * time.Hour) })
	whole := askGrowth(t, e, func(*weir.Growth) {})
	if d := cmp.Diff(whole.Points, late.Points, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
	week := askGrowth(t, e, func(q *weir.Growth) { q.Interval = weir.Week })
	if len(week.Points) != 1 || week.Points[0].Time.Weekday() != time.Monday || week.Points[0].New != 3 {
		t.Errorf("%+v", week.Points)
	}
}

// Of a month that goes on, the days that end with it are those that end now.
func TestWeeklyAndMonthlyActiveOfAnUnfinishedBucketEndNow(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	a := askGrowth(t, e, func(q *weir.Growth) { q.Interval, q.To = weir.Month, q.From.AddDate(0, 0, 31) })
	p := a.Points[0]
	if p.DailyActive != 0 || p.WeeklyActive != 4 || p.MonthlyActive != 4 || p.Active != 4 {
		t.Errorf("on the third of January: %+v", p)
	}
}

func TestAKeptAnswerAboutGrowthIsTheSame(t *testing.T) {
	e := newEngine(t, &barrier{}, someDays()...)
	q := growthQuery(func(q *weir.Growth) { q.Compare = weir.ComparePrevious })
	first, err := insight.Ask[insight.Growth](t.Context(), e, berlin(t), q, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	second, err := insight.Ask[insight.Growth](t.Context(), e, berlin(t), q, time.Minute)
	if err != nil || !second.Cached {
		t.Fatal("it was asked for again", err)
	}
	second.Cached = false
	if d := cmp.Diff(first, second, cmp.Comparer(time.Time.Equal)); d != "" {
		t.Error(d)
	}
}

func TestAQuestionAboutGrowthThatIsNotAllowedSaysWhatIs(t *testing.T) {
	b := &barrier{}
	e := newEngine(t, b)
	series := func(s ...weir.Series) func(*weir.Growth) { return func(q *weir.Growth) { q.Series = s } }
	for name, tt := range map[string]struct {
		change func(*weir.Growth)
		says   []string
	}{
		"by hour":            {func(q *weir.Growth) { q.Interval = weir.Hour }, []string{`"hour"`, "day, week or month"}},
		"by nothing":         {func(q *weir.Growth) { q.Interval = "" }, []string{"day, week or month"}},
		"two signups":        {series(weir.Series{Event: "a"}, weir.Series{Event: "b"}), []string{"one series"}},
		"a signup's sum":     {series(weir.Series{Event: "a", Math: weir.MathSum, Property: "revenue"}), []string{"event alone"}},
		"no UTF-8":           {series(weir.Series{Event: "\xff"}), []string{"UTF-8"}},
		"a range backwards":  {func(q *weir.Growth) { q.From, q.To = q.To, q.From }, []string{"before"}},
		"an unknown compare": {func(q *weir.Growth) { q.Compare = "week" }, []string{`"week"`}},
		"an unknown column":  {func(q *weir.Growth) { q.Filter = []weir.Condition{{Column: "seq", Op: "=", Values: []string{"1"}}} }, []string{`"seq"`}},
		"too many points":    {func(q *weir.Growth) { q.To = q.From.AddDate(3, 0, 0) }, []string{"1000", "longer interval"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := insight.Ask[insight.Growth](t.Context(), e, berlin(t), growthQuery(tt.change), 0)
			invalid(t, err, tt.says...)
		})
	}
	if b.flushed != 0 {
		t.Error("it waited for the barrier")
	}
}

// FuzzGrowth: whatever the range, each person is in one part of a bucket's growth,
// and one bucket goes on where the one before ended.
func FuzzGrowth(f *testing.F) {
	f.Add(int64(1_767_000_000), int64(86400*40), uint8(0), uint8(0))
	f.Add(int64(1_766_000_000), int64(86400*395), uint8(1), uint8(1))
	f.Add(int64(1_767_225_600), int64(1), uint8(2), uint8(2))
	e := newEngine(f, &barrier{}, someDays()...)
	p := berlin(f)
	f.Fuzz(func(t *testing.T, from, seconds int64, interval, compare uint8) {
		const longest = 400 * 86400
		from, seconds = from%4_000_000_000, 1+(seconds%longest+longest)%longest
		a, err := insight.Ask[insight.Growth](t.Context(), e, p, weir.Growth{Common: weir.Common{From: time.Unix(from, 0), To: time.Unix(from+seconds, 0), Interval: []weir.Interval{weir.Day, weir.Week, weir.Month}[interval%3]}, Compare: []weir.Compare{weir.CompareNone, weir.ComparePrevious, weir.CompareYear}[compare%3]}, 0)
		if err != nil {
			t.Fatal(err)
		}
		var now int64
		for i, g := range a.Points {
			if i == 0 {
				now = g.Active - g.Net
			}
			now += g.Net
			if g.Active != g.New+g.Returning+g.Resurrecting || g.Active != now || g.Net != g.New+g.Resurrecting+g.Dormant ||
				min(g.New, g.Returning, g.Resurrecting, -g.Dormant, g.Cumulative) < 0 || g.DailyActive > g.WeeklyActive || g.WeeklyActive > g.MonthlyActive {
				t.Fatalf("point %d of %d: %+v", i, len(a.Points), g)
			}
			if i > 0 && (g.Cumulative != a.Points[i-1].Cumulative+g.New || !a.Points[i-1].Time.Before(g.Time)) {
				t.Fatalf("points %d and %d: %+v, %+v", i-1, i, a.Points[i-1], g)
			}
		}
		if a.Totals.Active < a.Totals.New || a.Totals.Cumulative < a.Totals.Active {
			t.Fatalf("%+v", a.Totals)
		}
	})
}
