package coldtest

import (
	"cmp"
	"fmt"
	"testing"

	weir "github.com/weir-analytics/weir"
)

// funnels asks for one funnel of each sort, and for others at random.
func (a *asker) funnels(t *testing.T) {
	step := func(event string) weir.Step { return weir.Step{Event: event} }
	view, click, buy, call := step(weir.NameScreenView), step("click"), step("Käufe"), step(weir.NameCall)
	optional := click
	optional.Optional = true
	common := weir.Common{From: a.w.from, To: a.w.from.AddDate(0, 0, a.w.days)}
	for i, q := range []weir.Funnel{
		{Steps: []weir.Step{view, click, buy}},
		{Steps: []weir.Step{view, click, buy}, Order: weir.OrderStrict},
		{Steps: []weir.Step{view, click, buy}, Order: weir.OrderAny, Exclude: []weir.Exclusion{{Event: weir.NameCall}}},
		{Steps: []weir.Step{view, view, view, click}, Window: "30m", Over: weir.Day},
		{Steps: []weir.Step{view, optional, buy}, Breakdown: "country", Attribution: "last", Limit: 3},
		{Steps: []weir.Step{view, {}, {Action: "signup"}}, Breakdown: "properties.plan", Attribution: "step:2", Count: weir.CountVisits},
		{Steps: []weir.Step{view, click, call}, Exclude: []weir.Exclusion{{Event: "Käufe", From: 1, To: 2}, {Event: weir.NameScreenLeave, From: 2, To: 3}}, Over: weir.Week},
	} {
		if a.mine(i) {
			q.Common = common
			a.ask(t, q)
		}
	}
	for range a.rounds(60) {
		a.ask(t, a.funnel())
	}
}

// funnel is a funnel at random.
func (a *asker) funnel() weir.Funnel {
	one := func(words ...string) string { return words[a.r.IntN(len(words))] }
	tests := append(filters(), operatorTests()...)
	selector := func() (s weir.Selector) {
		switch a.r.IntN(12) {
		case 0:
		case 1:
			s.Action = actions[a.r.IntN(len(actions))].ID
		case 2:
			s.Filter = weir.Filter{tests[a.r.IntN(len(tests))]}
		default:
			s.Event = one(weir.NameScreenView, weir.NameScreenView, "click", "Käufe", "sign up", weir.NameCall, weir.NameScreenLeave)
			if a.r.IntN(4) == 0 {
				s.Filter = weir.Filter{tree(a.r, tests, 1)}
			}
		}
		return s
	}
	q := weir.Funnel{
		Order: []weir.FunnelOrder{"", weir.OrderOrdered, weir.OrderStrict, weir.OrderAny}[a.r.IntN(4)], Window: one("", "1s", "20m", "3h", "2d", "14d", "90d"),
		Count: []weir.FunnelCounting{"", weir.CountPersons, weir.CountVisits}[a.r.IntN(3)],
	}
	q.From, q.To = a.span(weir.Day)
	q.Bots = bots[a.r.IntN(len(bots))]
	if a.r.IntN(3) == 0 {
		q.Filter = weir.Filter{tests[a.r.IntN(len(tests))]}
	}
	n := 2 + a.r.IntN(4)
	for i := range n {
		s := selector()
		q.Steps = append(q.Steps, weir.Step{Event: s.Event, Action: s.Action, Filter: s.Filter, Label: one("", "", fmt.Sprint("step ", i)), Optional: i > 0 && q.Order != weir.OrderAny && a.r.IntN(3) == 0})
	}
	for range a.r.IntN(3) {
		s := selector()
		x := weir.Exclusion{Event: cmp.Or(s.Event, "click"), Filter: s.Filter}
		if a.r.IntN(2) == 0 {
			x.From = 1 + a.r.IntN(n-1)
			x.To = x.From + 1 + a.r.IntN(n-x.From)
		}
		q.Exclude = append(q.Exclude, x)
	}
	if a.r.IntN(3) == 0 {
		q.Over = []weir.Interval{weir.Hour, weir.Day, weir.Week}[a.r.IntN(3)]
	}
	if a.r.IntN(2) == 0 {
		q.Breakdown, q.Attribution, q.Limit = grouped[a.r.IntN(len(grouped))], one("", "first", "last", "step:1", "step:2"), a.r.IntN(5)
	}
	return q
}
