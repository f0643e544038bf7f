package coldtest

import (
	"testing"

	weir "github.com/weir-analytics/weir"
)

var sorts = []weir.CallSort{"", weir.SortCalls, weir.SortErrors, weir.SortErrorRate, weir.SortLatency}

// calls asks by each column, in each order, and at random.
func (a *asker) calls(t *testing.T) {
	columns := append([]string{"", "consumer", "status_class"}, grouped...)
	for i, column := range columns {
		if !a.mine(i) {
			continue
		}
		q := weir.Calls{Breakdown: column, Sort: sorts[(i+a.turn)%len(sorts)], Limit: []int{0, 1, 3, 100}[a.r.IntN(4)]}
		q.From, q.To = a.span(weir.Day)
		a.ask(t, q)
	}
	for i, by := range sorts {
		if !a.asks(i) {
			continue
		}
		q := weir.Calls{Common: weir.Common{Interval: weir.Day}, Sort: by, Limit: 1, Compare: weir.ComparePrevious}
		q.From, q.To = a.w.from.AddDate(0, 0, a.w.days/2), a.w.from.AddDate(0, 0, a.w.days)
		a.ask(t, q)
	}
	all := filters()
	for range a.rounds(20) {
		interval := append(intervals, "")[a.r.IntN(len(intervals)+1)]
		q := weir.Calls{Common: weir.Common{Interval: interval}, Breakdown: columns[a.r.IntN(len(columns))], Sort: sorts[a.r.IntN(len(sorts))], Limit: a.r.IntN(12), Compare: []weir.Compare{weir.CompareNone, weir.ComparePrevious, weir.CompareYear}[a.r.IntN(3)]}
		q.From, q.To = a.span(interval)
		for range a.r.IntN(3) {
			q.Filter = append(q.Filter, all[a.r.IntN(len(all))])
		}
		q.Bots = bots[a.r.IntN(len(bots))]
		a.ask(t, q)
	}
}

// growth asks by each interval, with and without bots, and at random.
func (a *asker) growth(t *testing.T) {
	calendar := []weir.Interval{weir.Day, weir.Week, weir.Month}
	for i, interval := range calendar {
		for j, word := range bots {
			if !a.asks(i + j) {
				continue
			}
			q := weir.Growth{Common: weir.Common{Interval: interval, Bots: word}}
			q.From, q.To = a.w.from, a.w.from.AddDate(0, 0, a.w.days)
			a.ask(t, q)
		}
	}
	// More than one mask holds.
	long := weir.Growth{Common: weir.Common{Interval: weir.Day}}
	long.From, long.To = a.w.from.AddDate(0, 0, -30), a.w.from.AddDate(0, 0, a.w.days+2)
	a.ask(t, long)
	all := filters()
	for range a.rounds(12) {
		q := weir.Growth{Common: weir.Common{Interval: calendar[a.r.IntN(3)], Bots: bots[a.r.IntN(len(bots))]}, Compare: []weir.Compare{weir.CompareNone, weir.ComparePrevious, weir.CompareYear}[a.r.IntN(3)]}
		q.From, q.To = a.span(q.Interval)
		if a.r.IntN(3) == 0 {
			q.Filter = []weir.Condition{all[a.r.IntN(len(all))]}
		}
		if a.r.IntN(2) == 0 {
			q.Series = []weir.Series{{Event: []string{"", "sign up", weir.NameIdentify, "nothing"}[a.r.IntN(4)]}}
		}
		if a.r.IntN(3) == 0 {
			q.Of = counted[a.r.IntN(len(counted))]
		}
		a.ask(t, q)
	}
}
