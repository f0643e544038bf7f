package insight_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet/local"
	"github.com/weir-analytics/weir/internal/insight"
)

// asked answers a question of either kind and says whether it was kept.
func asked(t *testing.T, e *insight.Engine, q weir.Question, freshness time.Duration) (any, bool) {
	t.Helper()
	a, err := e.Ask(t.Context(), berlin(t), q, freshness)
	if err != nil {
		t.Fatal(err)
	}
	if pages, ok := a.(*insight.Pages); ok {
		return pages.Pages, pages.Cached
	}
	return a.(*insight.Trend).Series, a.(*insight.Trend).Cached
}

func TestAQuestionWrittenAnotherWayIsTheSame(t *testing.T) {
	trend := dayQuery(weir.Series{Math: weir.MathTotal})
	trend.Filter = []weir.Condition{
		{Column: "country", Op: "in", Values: []string{"DE", "FR"}}, {Column: "bot", Op: "=", Values: []string{"false"}},
	}
	grouped := with(trend, func(q *weir.Trend) { q.Breakdown = "country" })
	one := with(trend, func(q *weir.Trend) {
		q.Filter = []weir.Condition{{Column: "country", Op: "=", Values: []string{"DE"}}}
	})
	pages := dayPages()
	type spelling struct {
		q, other weir.Question
		same     bool
	}
	trends := func(q weir.Trend, change func(*weir.Trend), same bool) spelling {
		return spelling{q, with(q, change), same}
	}
	ofPages := func(q weir.Pages, change func(*weir.Pages), same bool) spelling {
		return spelling{q, with(q, change), same}
	}
	for name, c := range map[string]spelling{
		"values of in in another order": trends(trend, func(q *weir.Trend) {
			q.Filter = []weir.Condition{{Column: "country", Op: "in", Values: []string{"FR", "DE", "FR"}}, trend.Filter[1]}
		}, true),
		"tests in another order": trends(trend, func(q *weir.Trend) {
			q.Filter = []weir.Condition{trend.Filter[1], trend.Filter[0], trend.Filter[1]}
		}, true),
		"in one value": trends(one, func(q *weir.Trend) {
			q.Filter = []weir.Condition{{Column: "country", Op: "in", Values: []string{"DE"}}}
		}, true),
		"times in another zone":          trends(trend, func(q *weir.Trend) { q.From, q.To = q.From.In(berlin(t).Location()), q.To.In(berlin(t).Location()) }, true),
		"a limit of no groups":           trends(trend, func(q *weir.Trend) { q.Limit = 7 }, true),
		"bots of a trend of events":      trends(trend, func(q *weir.Trend) { q.Bots = weir.BotsIn }, true),
		"a trend of events without bots": trends(trend, func(q *weir.Trend) { q.Bots = weir.BotsOut }, false),
		"bots of a trend of people": trends(with(trend, func(q *weir.Trend) { q.Series = []weir.Series{{Math: weir.MathUnique}} }), func(q *weir.Trend) {
			q.Series, q.Bots = []weir.Series{{Math: weir.MathUnique}}, weir.BotsIn
		}, false),
		"pages without bots":         ofPages(pages, func(q *weir.Pages) { q.Bots = weir.BotsOut }, true),
		"the usual number of groups": trends(grouped, func(q *weir.Trend) { q.Limit = 10 }, true),
		"the usual number of pages":  ofPages(pages, func(q *weir.Pages) { q.Limit = 100 }, true),
		"an interval of pages":       ofPages(pages, func(q *weir.Pages) { q.Interval = weir.Week }, true),
		"another number of groups":   trends(grouped, func(q *weir.Trend) { q.Limit = 9 }, false),
		"bots of pages":              ofPages(pages, func(q *weir.Pages) { q.Bots = weir.BotsIn }, false),
		"another value": trends(trend, func(q *weir.Trend) {
			q.Filter = []weir.Condition{{Column: "country", Op: "in", Values: []string{"DE", "US"}}, trend.Filter[1]}
		}, false),
		"one test less": trends(trend, func(q *weir.Trend) { q.Filter = trend.Filter[:1] }, false),
		"a test the other way": trends(one, func(q *weir.Trend) {
			q.Filter = []weir.Condition{{Column: "country", Op: "!=", Values: []string{"DE"}}}
		}, false),
		"a range that ends a moment later": trends(trend, func(q *weir.Trend) { q.To = q.To.Add(time.Microsecond) }, false),
		"series in another order": trends(with(trend, func(q *weir.Trend) {
			q.Series = []weir.Series{{Math: weir.MathTotal}, {Math: weir.MathUnique}}
		}), func(q *weir.Trend) { q.Series = []weir.Series{{Math: weir.MathUnique}, {Math: weir.MathTotal}} }, false),
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, &barrier{}, rows()...)
			asked(t, e, c.q, time.Hour)
			got, cached := asked(t, e, c.other, time.Hour)
			if cached != c.same {
				t.Fatalf("cached %v, want %v", cached, c.same)
			}
			want, _ := asked(t, newEngine(t, &barrier{}, rows()...), c.other, 0) // which nobody kept
			sameJSON(t, got, asJSON(t, want))
		})
	}
}

func TestInvalidFilterIsRefusedAlthoughAnAnswerIsCached(t *testing.T) {
	e := newEngine(t, &barrier{}, rows()...)
	many := make([]string, 101)
	for i := range many {
		many[i] = "DE"
	}
	q := dayQuery(weir.Series{Math: weir.MathTotal})
	q.Filter = []weir.Condition{{Column: "country", Op: "=", Values: []string{"DE"}}}
	asked(t, e, q, time.Hour)
	bot := with(q, func(q *weir.Trend) { q.Filter = []weir.Condition{{Column: "bot", Op: "=", Values: []string{"true"}}} })
	asked(t, e, bot, time.Hour)
	for name, filter := range map[string][]weir.Condition{
		"too many values": {{Column: "country", Op: "in", Values: many}},
		"too many tests":  manyTimes(q.Filter[0], 21),
		"in of a flag":    {{Column: "bot", Op: "in", Values: []string{"true"}}},
	} {
		bad := with(q, func(q *weir.Trend) { q.Filter = filter })
		if a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), bad, time.Hour); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func manyTimes(c weir.Condition, n int) (cs []weir.Condition) {
	for range n {
		cs = append(cs, c)
	}
	return cs
}

func TestARangeUpToNowIsSharedAsFarAsFreshnessAllows(t *testing.T) {
	now := noon.Add(1500 * time.Millisecond)
	asOf := now
	b := &moving{&asOf}
	rows := []weir.EventRow{}
	for i := range 40 { // one each second
		at := noon.Add(time.Duration(i)*time.Second - 30*time.Second)
		rows = append(rows, weir.EventRow{Event: weir.Event{ID: string(rune('A' + i)), Name: "x", Time: at, DeviceID: "d"}})
	}
	e := insight.New(newStore(t, rows...), b, func() time.Time { return now }, insight.Options{})
	ask := func(to time.Time, freshness time.Duration) (float64, bool) {
		t.Helper()
		q := weir.Trend{Common: weir.Common{From: noon.Add(-time.Hour), To: to, Interval: weir.Minute}, Series: []weir.Series{{Math: weir.MathTotal}}}
		a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, freshness)
		if err != nil {
			t.Fatal(err)
		}
		return *a.Series[0].Total, a.Cached
	}
	for _, s := range []struct {
		name      string
		pass      time.Duration
		to        time.Duration // after now
		freshness time.Duration
		total     float64
		cached    bool
	}{
		{"the first up to now", 0, 0, 10 * time.Second, 30, false},
		{"again a second later", time.Second, 0, 10 * time.Second, 30, true},
		{"one written down a second ago", 0, -time.Second, 10 * time.Second, 30, true},
		{"one that ended three seconds ago is exact", 0, -3 * time.Second, 10 * time.Second, 30, false},
		{"one that ends in a minute is exact", 0, time.Minute, 10 * time.Second, 40, false},
		{"who wants what is now gets that", 0, 0, 0, 33, false},
		{"which is kept, for who accepts little", 0, 0, time.Second, 33, true},
		{"after the next five seconds it is another range", 3 * time.Second, 0, 10 * time.Second, 35, false},
		{"and what is too old is asked again", 10*time.Second + time.Millisecond, -10*time.Second - time.Millisecond, 10 * time.Second, 36, false},
	} {
		now = now.Add(s.pass)
		asOf = now
		if total, cached := ask(now.Add(s.to), s.freshness); total != s.total || cached != s.cached {
			t.Errorf("%s: total %v, cached %v; want %v, %v", s.name, total, cached, s.total, s.cached)
		}
	}
}

// moving is a barrier whose time a test moves.
type moving struct{ at *time.Time }

func (m *moving) Flush(context.Context) (time.Time, error) { return *m.at, nil }
func (m *moving) AsOf() time.Time                          { return time.Time{} }

func TestAnswersOfThePastAreKeptForLonger(t *testing.T) {
	now := noon
	clock := func() time.Time { return now }
	asOf := noon
	b := &moving{&asOf}
	shared := local.New(local.Options{Clock: clock}).Cache
	e := insight.New(newStore(t, rows()...), b, clock, insight.Options{Cache: shared})
	q := dayQuery(weir.Series{Math: weir.MathTotal})
	open := with(q, func(q *weir.Trend) { q.To = noon.Add(-time.Minute) })
	closed := with(q, func(q *weir.Trend) { q.To = noon.Add(-time.Hour) })
	asked(t, e, open, 20*time.Hour)
	asked(t, e, closed, 20*time.Hour)
	now = now.Add(11 * time.Minute)
	if _, cached := asked(t, e, closed, 20*time.Hour); !cached {
		t.Error("the answer of a range that ended long ago is not kept")
	}
	if _, cached := asked(t, e, closed, 10*time.Minute); cached {
		t.Error("it was given to who accepts ten minutes, of eleven")
	}
	if _, cached := asked(t, e, open, 20*time.Hour); cached {
		t.Error("the answer of a range that had just ended is kept for as long")
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
