package coldtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
	"github.com/weir-analytics/weir/internal/insight"
)

// eventsPerZone makes some 20,000 events in all.
const eventsPerZone = 2900

// written is the barrier of a store that nobody writes to any more.
type written struct{ at time.Time }

func (w written) Flush(context.Context) (time.Time, error) { return w.at, nil }
func (w written) AsOf() time.Time                          { return w.at }

func testInsight(t *testing.T, open func(t *testing.T, dir string) cold.Store, p Part) {
	s := begin(t, open)
	var worlds []*world
	for i, z := range zones[:p.Zones] {
		// The same events every time: a failure can be looked at again.
		w, err := generate(rand.New(rand.NewPCG(uint64(i+1), 0)), z.name, z.from, eventsPerZone)
		if err != nil {
			t.Fatal(err)
		}
		worlds = append(worlds, w)
		for _, b := range w.batches(700) {
			write(t, s, b)
		}
	}
	e := insight.New(s, written{time.Now()}, time.Now, insight.Options{Actions: savedActions{}})
	for i, w := range worlds {
		t.Run(w.project.Timezone, func(t *testing.T) {
			o := newOracle(w)
			a := &asker{e: e, w: w, want: o, date: o.date, r: rand.New(rand.NewPCG(uint64(100+i), 0)), turn: i, turns: p.Zones * p.Of, of: p.Of}
			t.Run("every math in every interval", a.maths)
			t.Run("every filter", a.filters)
			a.kinds(t)
			t.Run("events", a.events)
			t.Run("discovery", a.discovery)
		})
	}
}

// kinds are the sorts of insight: the test that asks questions of one, and the oracle that
// answers them.
var kinds = []struct {
	name   string
	ask    func(a *asker, t *testing.T)
	answer func(o *oracle, q weir.Question) insight.Answer // nil if the question is of another kind
}{
	{"every breakdown", (*asker).breakdowns, oracleOf((*oracle).trend)},
	{"an earlier range beside it", (*asker).compares, oracleOf((*oracle).trend)},
	{"anything together", (*asker).anything, oracleOf((*oracle).trend)},
	{"lines together", (*asker).together, oracleOf((*oracle).trend)},
	{"groups", (*asker).uniqueOf, oracleOf((*oracle).trend)},
	{"actions", (*asker).actionTrends, oracleOf((*oracle).trend)},
	{"goals", (*asker).goals, oracleOf((*oracle).pages)},
	{"pages", (*asker).pages, oracleOf((*oracle).pages)},
	{"calls", (*asker).calls, oracleOf((*oracle).calls)},
	{"growth", (*asker).growth, oracleOf((*oracle).growth)},
	{"lifecycle", (*asker).lifecycles, oracleOf((*oracle).lifecycle)},
	{"stickiness", (*asker).stickinesses, oracleOf((*oracle).stickiness)},
	{"retention", (*asker).retentions, oracleOf((*oracle).retention)},
	{"funnels", (*asker).funnels, oracleOf((*oracle).funnel)},
}

func oracleOf[Q weir.Question, A insight.Answer](answer func(o *oracle, q Q) A) func(*oracle, weir.Question) insight.Answer {
	return func(o *oracle, q weir.Question) insight.Answer {
		if own, ok := q.(Q); ok {
			return answer(o, own)
		}
		return nil
	}
}

// kinds asks questions of each kind.
func (a *asker) kinds(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { k.ask(a, t) })
	}
}

// answers are those of an oracle, or of another engine, to compare with.
type answers interface {
	answer(q weir.Question) insight.Answer
	list(q insight.EventsQuery) []string
}

func (o *oracle) answer(q weir.Question) insight.Answer {
	for _, k := range kinds {
		if a := k.answer(o, q); a != nil {
			return a
		}
	}
	return nil
}

// asker asks insight and somebody else the same.
type asker struct {
	e     *insight.Engine
	w     *world
	want  answers
	date  func(y int, m time.Month, d int) time.Time
	r     *rand.Rand
	turn  int // one of the turns; a listed question is asked in one of them
	turns int
	of    int // Part.Of
}

var equal = cmp.Options{
	cmpopts.EquateApprox(1e-9, 1e-9), // sums in another order
	cmpopts.IgnoreFields(insight.About{}, "Kind", "Meta"),
	cmpopts.EquateEmpty(),
}

// ask compares the answer to a question with the one that is wanted.
func (a *asker) ask(t *testing.T, q weir.Question) {
	t.Helper()
	got, err := a.e.Ask(t.Context(), a.w.project, q, 0)
	refused := weir.ErrorCode(err) == weir.EINVALID && strings.Contains(err.Error(), "several currencies")
	if o, ok := a.want.(*oracle); ok && refused != o.refuses(q) {
		t.Fatalf("%+v: refused is %t, want %t", q, refused, !refused)
	}
	if refused {
		return
	}
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	if diff := cmp.Diff(a.want.answer(q), got, equal); diff != "" {
		t.Fatalf("%+v (-want +insight):\n%s", q, diff)
	}
}

// bots are the words for bots.
var bots = []weir.Bots{weir.BotsByNumber, weir.BotsOut, weir.BotsIn, weir.BotsOnly}

// span is a range that suits an interval: at random, or from midnight to
// midnight; always in the second week, so that there is something before.
func (a *asker) span(interval weir.Interval) (from, to time.Time) {
	length := time.Duration(1+a.r.IntN(6*24)) * time.Hour
	if interval == weir.Minute {
		length = time.Duration(1+a.r.IntN(300)) * time.Minute
	}
	from = a.w.from.Add(time.Duration(a.r.Int64N(int64(12 * 24 * time.Hour)))).Truncate(time.Microsecond)
	if a.r.IntN(2) == 0 && interval != weir.Minute {
		days := 1 + a.r.IntN(6)
		y, m, d := a.w.from.AddDate(0, 0, a.r.IntN(12)).Date()
		return a.date(y, m, d), a.date(y, m, d+days)
	}
	return from, from.Add(length)
}

var (
	intervals = []weir.Interval{weir.Minute, weir.Hour, weir.Day, weir.Week, weir.Month}
	allMaths  = []weir.Math{
		weir.MathTotal, weir.MathUnique, weir.MathSum, weir.MathAvg, weir.MathMin, weir.MathMax,
		weir.MathMedian, weir.MathP90, weir.MathP95, weir.MathP99,
	}
	measured = []string{"latency_ms", "revenue", "status", "request_bytes", "response_bytes", "properties.amount", "properties.plan", "properties.a.b"}
	grouped  = []string{
		"name", "path", "country", "browser", "bot", "method", "route", "status", "latency_ms", "revenue",
		"request_bytes", "response_bytes", "error", "error_shape", "trace_id",
		"currency", "device_id", "profile_id", "channel", "utm_campaign", "visit.channel", "event_channel", "referrer", "import_id", "properties.plan", "properties.a/b", "properties.a~1", "properties.q\"'", "properties.missing", "groups.company", "groups.team",
	}
)

func (a *asker) series(m weir.Math) weir.Series {
	s := weir.Series{Event: []string{"", "", weir.NameCall, weir.NameScreenView, "Käufe", "nothing"}[a.r.IntN(6)], Math: m}
	if m.OfValues() {
		s.Property = measured[a.r.IntN(len(measured))]
	}
	return s
}

func (a *asker) trend(interval weir.Interval, ms ...weir.Math) weir.Trend {
	q := weir.Trend{Common: weir.Common{Interval: interval}}
	q.From, q.To = a.span(interval)
	for _, m := range ms {
		q.Series = append(q.Series, a.series(m))
	}
	return q
}

func (a *asker) maths(t *testing.T) {
	for i, interval := range intervals {
		for j, m := range allMaths {
			if a.mine(i*len(allMaths) + j) {
				a.ask(t, a.trend(interval, m))
			}
		}
	}
	// The whole time, over the change of clocks.
	for _, interval := range intervals[1:] {
		q := a.trend(interval, weir.MathTotal, weir.MathUnique)
		q.From, q.To = a.w.from, a.w.from.AddDate(0, 0, a.w.days)
		a.ask(t, q)
	}
}

func (a *asker) filters(t *testing.T) {
	for i, c := range append(filters(), operatorTests()...) {
		if i%a.turns != a.turn {
			continue // another zone's turn: filters know no time
		}
		q := a.trend(weir.Day, weir.MathTotal, weir.MathUnique)
		q.Filter = []weir.Condition{c}
		a.ask(t, q)
	}
}

// filters are all operators on all kinds of columns.
func filters() []weir.Condition {
	var cs []weir.Condition
	for _, column := range []string{"name", "path", "country", "method", "consumer", "profile_id", "properties.plan", "properties.a.b", "properties.ü", "properties.$set", "properties.0"} {
		for _, v := range []string{"", "US", "pro", "/it's", "other", "12", "ä", "%", "true", "' OR 1=1 --"} {
			cs = append(cs,
				weir.Condition{Column: column, Op: "=", Values: []string{v}},
				weir.Condition{Column: column, Op: "!=", Values: []string{v}},
				weir.Condition{Column: column, Op: "contains", Values: []string{v}})
		}
		cs = append(cs, weir.Condition{Column: column, Op: "in", Values: []string{"US", "pro", "/", "GET", "7"}})
	}
	for _, v := range []string{"", "first"} {
		cs = append(cs, weir.Condition{Column: "import_id", Op: "=", Values: []string{v}}, weir.Condition{Column: "import_id", Op: "!=", Values: []string{v}})
	}
	for _, column := range []string{"status", "latency_ms", "revenue", "request_bytes", "response_bytes"} {
		for _, op := range []string{"=", "!=", ">", "<"} {
			cs = append(cs, weir.Condition{Column: column, Op: op, Values: []string{"200"}})
		}
		cs = append(cs, weir.Condition{Column: column, Op: "in", Values: []string{"0", "25", "404"}})
	}
	for _, column := range []string{"error", "error_shape", "trace_id"} {
		for _, v := range []string{"", "order 4 not found", "order <n> not found", "' OR TRUE --", fmt.Sprintf("%032x", 7)} {
			for _, op := range []string{"=", "!=", "contains"} {
				cs = append(cs, weir.Condition{Column: column, Op: op, Values: []string{v}})
			}
		}
		cs = append(cs, weir.Condition{Column: column, Op: "in", Values: []string{"order <n> not found", "order 12 not found", fmt.Sprintf("%032x", 3)}},
			weir.Condition{Column: column, Op: "contains", Values: []string{"für"}})
	}
	cs = append(cs, weir.Condition{Column: "response_bytes", Op: ">", Values: []string{"1e12"}}, weir.Condition{Column: "response_bytes", Op: "=", Values: []string{"1099511627776.0"}})
	for _, column := range []string{"channel", "event_channel", "referrer", "event_referrer"} {
		for _, v := range []string{"", weir.ChannelSearch, "a.example"} {
			cs = append(cs, weir.Condition{Column: column, Op: "=", Values: []string{v}}, weir.Condition{Column: column, Op: "!=", Values: []string{v}})
		}
		cs = append(cs, weir.Condition{Column: column, Op: "in", Values: []string{"email", "pay.example"}}, weir.Condition{Column: column, Op: "contains", Values: []string{"e"}})
	}
	for _, column := range []string{"properties.plan", "properties.amount", "properties.a/b"} {
		for _, op := range []string{">", "<"} {
			cs = append(cs, weir.Condition{Column: column, Op: op, Values: []string{"6.5"}})
		}
	}
	for _, column := range []string{"groups.company", "groups.team", "groups.te/am"} {
		for _, v := range []string{"", "acme-2", "3", "t1", "ü"} {
			cs = append(cs, weir.Condition{Column: column, Op: "=", Values: []string{v}}, weir.Condition{Column: column, Op: "!=", Values: []string{v}})
		}
		cs = append(cs, weir.Condition{Column: column, Op: "contains", Values: []string{"acme"}}, weir.Condition{Column: column, Op: "in", Values: []string{"acme-1", "4"}})
	}
	for _, of := range actions {
		cs = append(cs, ofAction(of.ID), weir.Condition{Column: "action", Op: "!=", Values: []string{of.ID}})
	}
	cs = append(cs, weir.Condition{Column: "action", Op: "in", Values: []string{"calls", "odd", "pages"}})
	for _, op := range []string{"=", "!="} {
		cs = append(cs,
			weir.Condition{Column: "bot", Op: op, Values: []string{"true"}},
			weir.Condition{Column: "bot", Op: op, Values: []string{"false"}})
	}
	return cs
}

func (a *asker) breakdowns(t *testing.T) {
	for i, column := range grouped {
		if !a.mine(i) {
			continue
		}
		q := a.trend(weir.Day, allMaths[i%len(allMaths)], weir.MathTotal, weir.MathUnique)
		q.Breakdown, q.Limit = column, []int{0, 1, 3, 100}[a.r.IntN(4)]
		a.ask(t, q)
	}
}

func (a *asker) compares(t *testing.T) {
	for i, c := range []weir.Compare{weir.ComparePrevious, weir.CompareYear} {
		for j, interval := range intervals {
			if !a.asks(i + j) {
				continue
			}
			q := a.trend(interval, weir.MathTotal, weir.MathUnique)
			q.Compare = c
			a.ask(t, q)
		}
		q := a.trend(weir.Day, weir.MathUnique, weir.MathP95)
		q.Compare, q.Breakdown, q.Limit = c, "country", 3
		a.ask(t, q)
	}
}

func (a *asker) anything(t *testing.T) {
	all := append(filters(), operatorTests()...)
	for range a.rounds(15) {
		q := a.trend(intervals[a.r.IntN(len(intervals))], allMaths[a.r.IntN(len(allMaths))], allMaths[a.r.IntN(len(allMaths))])
		for range a.r.IntN(3) {
			q.Filter = append(q.Filter, tree(a.r, all, 2))
		}
		if a.r.IntN(2) == 0 {
			q.Series[1].Filter, q.Series[1].Label = weir.Filter{tree(a.r, all, 1)}, "of some"
		}
		if a.r.IntN(2) == 0 {
			q.Breakdown, q.Limit = grouped[a.r.IntN(len(grouped))], a.r.IntN(12)
		}
		q.Compare = []weir.Compare{weir.CompareNone, weir.ComparePrevious, weir.CompareYear}[a.r.IntN(3)]
		q.Bots = bots[a.r.IntN(len(bots))]
		a.ask(t, q)
	}
}

func (a *asker) pages(t *testing.T) {
	tests := []weir.Pages{
		{},
		{Common: weir.Common{Bots: weir.BotsIn}},
		{Common: weir.Common{Bots: weir.BotsOnly}},
		{Limit: 3},
		{Limit: 1000},
		{Common: weir.Common{Filter: weir.Filter{{Column: "country", Op: "=", Values: []string{"US"}}}}},
		{Common: weir.Common{Filter: weir.Filter{{Column: "path", Op: "contains", Values: []string{"/b"}}}, Bots: weir.BotsIn}},
		{Common: weir.Common{Filter: weir.Filter{{Column: "path", Op: "=", Values: []string{"nowhere"}}}}},
		{Common: weir.Common{Filter: weir.Filter{{Column: "channel", Op: "=", Values: []string{weir.ChannelEmail}}}}},
		{Common: weir.Common{Filter: weir.Filter{{Column: "event_channel", Op: "=", Values: []string{weir.ChannelEmail}}, {Column: "referrer", Op: "!=", Values: []string{""}}}}},
	}
	for i, q := range tests {
		if !a.asks(i) {
			continue
		}
		for range a.rounds(3) {
			q.From, q.To = a.span(weir.Day)
			a.ask(t, q)
		}
	}
}

func (a *asker) events(t *testing.T) {
	from, to := a.w.from.AddDate(0, 0, 3), a.w.from.AddDate(0, 0, 5)
	profile := fmt.Sprint("user-", a.r.IntN(5))
	for name, q := range map[string]insight.EventsQuery{
		"all of a time":      {From: from, To: to, Limit: 97},
		"of one name":        {From: from, To: to, Name: weir.NameScreenView, Limit: 50},
		"of one profile":     {ProfileID: profile, Limit: 30},
		"of one device":      {DeviceID: deviceID(2), Limit: 7},
		"that pass a filter": {Filter: []weir.Condition{{Column: "status", Op: "=", Values: []string{"404"}}}},
		"of one campaign":    {Filter: []weir.Condition{{Column: "utm_campaign", Op: "=", Values: []string{"spring"}}}, Limit: 90},
		"none":               {From: from, To: to, Name: "nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := list(t, a.e, a.w.project, q)
			if err != nil {
				t.Fatal(err)
			}
			want := a.want.list(q)
			if diff := cmp.Diff(want[:min(len(want), mostListed)], got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +insight):\n%s", diff)
			}
		})
	}
}

// describe is an event's id and how long it lasted, if that is known.
func describe(id string, ms *int64) string {
	if ms == nil {
		return id
	}
	return fmt.Sprintf("%s %d ms", id, *ms)
}
