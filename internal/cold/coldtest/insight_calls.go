package coldtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
)

var sorts = []string{"", weir.SortCalls, weir.SortErrors, weir.SortErrorRate, weir.SortLatency}

// calls asks by each column, in each order, and at random.
func (a *asker) calls(t *testing.T) {
	ask := func(q weir.Query) {
		t.Helper()
		q.Kind = weir.KindCalls
		got, err := a.e.Calls(t.Context(), a.w.project, q, 0)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if diff := cmp.Diff(a.want.calls(q), got, equal); diff != "" {
			t.Fatalf("%+v (-want +insight):\n%s", q, diff)
		}
	}
	columns := append([]string{"", "consumer", "status_class"}, grouped...)
	for i, column := range columns {
		if !a.mine(i) {
			continue
		}
		q := weir.Query{Breakdown: column, Sort: sorts[(i+a.turn)%len(sorts)], Limit: []int{0, 1, 3, 100}[a.r.IntN(4)]}
		q.From, q.To = a.span(weir.Day)
		ask(q)
	}
	for _, by := range sorts {
		q := weir.Query{Sort: by, Limit: 1, Interval: weir.Day, Compare: weir.ComparePrevious}
		q.From, q.To = a.w.from.AddDate(0, 0, a.w.days/2), a.w.from.AddDate(0, 0, a.w.days)
		ask(q)
	}
	all := filters()
	for range rounds(20) {
		interval := append(intervals, "")[a.r.IntN(len(intervals)+1)]
		q := weir.Query{
			Breakdown: columns[a.r.IntN(len(columns))], Sort: sorts[a.r.IntN(len(sorts))], Limit: a.r.IntN(12), Interval: interval,
			Compare: []weir.Compare{weir.CompareNone, weir.ComparePrevious, weir.CompareYear}[a.r.IntN(3)],
		}
		q.From, q.To = a.span(interval)
		for range a.r.IntN(3) {
			q.Filter = append(q.Filter, all[a.r.IntN(len(all))])
		}
		ask(q)
	}
}

// growth asks by each interval, with and without bots, and at random.
func (a *asker) growth(t *testing.T) {
	ask := func(q weir.Query) {
		t.Helper()
		q.Kind = weir.KindGrowth
		got, err := a.e.Growth(t.Context(), a.w.project, q, 0)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if diff := cmp.Diff(a.want.growth(q), got, equal); diff != "" {
			t.Fatalf("%+v (-want +insight):\n%s", q, diff)
		}
	}
	calendar := []weir.Interval{weir.Day, weir.Week, weir.Month}
	for i, interval := range calendar {
		for j, bots := range []bool{false, true} {
			if a.of > 1 && (i+j)%2 != a.turn%2 {
				continue
			}
			q := weir.Query{Interval: interval, Bots: bots}
			q.From, q.To = a.w.from, a.w.from.AddDate(0, 0, a.w.days)
			ask(q)
		}
	}
	// More than one mask holds.
	long := weir.Query{Interval: weir.Day}
	long.From, long.To = a.w.from.AddDate(0, 0, -30), a.w.from.AddDate(0, 0, a.w.days+2)
	ask(long)
	all := filters()
	for range rounds(12) {
		q := weir.Query{
			Interval: calendar[a.r.IntN(3)], Bots: a.r.IntN(2) == 0,
			Compare: []weir.Compare{weir.CompareNone, weir.ComparePrevious, weir.CompareYear}[a.r.IntN(3)],
		}
		q.From, q.To = a.span(q.Interval)
		if a.r.IntN(3) == 0 {
			q.Filter = []weir.Condition{all[a.r.IntN(len(all))]}
		}
		if a.r.IntN(2) == 0 {
			q.Series = []weir.Series{{Event: []string{"", "sign up", weir.NameIdentify, "nothing"}[a.r.IntN(4)]}}
		}
		ask(q)
	}
}
