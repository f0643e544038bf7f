package coldtest

import (
	"context"
	"slices"
	"strings"
	"testing"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// savedActions are the actions of every project of the suite.
type savedActions struct{}

func (savedActions) Actions(context.Context, string) ([]weir.Action, error) { return actions, nil }

var actions = []weir.Action{
	{ID: "signup", ActionSpec: weir.ActionSpec{Any: []weir.ActionEvent{{Event: "sign up"}}, Revenue: &weir.ActionRevenue{Value: new(2.5), Currency: "EUR"}}},
	{ID: "pages", ActionSpec: weir.ActionSpec{Any: []weir.ActionEvent{{Path: "/page/1*"}, {Path: "/pricing"}}, Revenue: &weir.ActionRevenue{}}},
	{ID: "odd", ActionSpec: weir.ActionSpec{Revenue: &weir.ActionRevenue{}, Any: []weir.ActionEvent{
		{Event: "Käufe", Filter: weir.Filter{{Column: "country", Op: "=", Values: []string{"US"}}}},
		{Path: "/**b"},
		{Event: weir.NameCall, Filter: weir.Filter{{Column: "status", Op: ">", Values: []string{"399"}}}},
	}}},
	{ID: "plan", ActionSpec: weir.ActionSpec{Any: []weir.ActionEvent{{Filter: weir.Filter{{Column: "properties.amount", Op: ">", Values: []string{"500"}}}}}}},
	{ID: "search", ActionSpec: weir.ActionSpec{Any: []weir.ActionEvent{{Event: "click", Filter: weir.Filter{{Column: "channel", Op: "=", Values: []string{weir.ChannelSearch}}}}, {Event: "nothing"}}}},
	{ID: "calls", ActionSpec: weir.ActionSpec{Any: []weir.ActionEvent{{Event: weir.NameCall, Filter: weir.Filter{{Column: "method", Op: "=", Values: []string{"GET"}}}}, {Event: "Käufe"}}}},
	{ID: "none", ActionSpec: weir.ActionSpec{Any: []weir.ActionEvent{{Event: "nothing"}}, Revenue: &weir.ActionRevenue{}}},
}

func actionByID(id string) *weir.Action {
	return &actions[slices.IndexFunc(actions, func(a weir.Action) bool { return a.ID == id })]
}

// ofAction is the condition that events are of an action.
func ofAction(id string) weir.Condition {
	return weir.Condition{Column: "action", Op: "=", Values: []string{id}}
}

// isAction tests whether an event is one of the actions that a condition names.
func (o *oracle) isAction(e *weir.EventRow, c weir.Condition) bool {
	return slices.ContainsFunc(c.Values, func(id string) bool {
		return slices.ContainsFunc(actionByID(id).Any, func(of weir.ActionEvent) bool {
			return (of.Event == "" || e.Name == of.Event) && (of.Event != "" || of.Path == "" || e.IsScreenView()) && (of.Path == "" || glob(of.Path, o.page(e.Path))) &&
				!slices.ContainsFunc(of.Filter, func(c weir.Condition) bool { return !o.holds(e, c) })
		})
	})
}

// glob tests a path against a pattern, one letter after the other.
func glob(pattern, path string) bool {
	rest, deep := strings.CutPrefix(pattern, "**")
	if !deep {
		var shallow bool
		if rest, shallow = strings.CutPrefix(pattern, "*"); !shallow {
			if pattern == "" || path == "" {
				return pattern == path
			}
			return pattern[0] == path[0] && glob(pattern[1:], path[1:])
		}
	}
	for i := 0; i <= len(path); i++ {
		if glob(rest, path[i:]) {
			return true
		}
		if i < len(path) && path[i] == '/' && !deep {
			return false
		}
	}
	return false
}

// actionTrends asks for trends of actions.
func (a *asker) actionTrends(t *testing.T) {
	for i, of := range actions {
		if !a.mine(i) {
			continue
		}
		q := a.trend([]weir.Interval{weir.Hour, weir.Day, weir.Week}[i%3], weir.MathTotal, weir.MathUnique, allMaths[i%len(allMaths)])
		for j := range q.Series {
			if j < 2 || i%2 == 0 {
				q.Series[j].Event, q.Series[j].Action = "", of.ID
			}
		}
		q.Breakdown = []string{"", "country", "channel"}[i%3]
		q.Compare = []weir.Compare{weir.CompareNone, weir.ComparePrevious}[i%2]
		q.Bots = bots[a.r.IntN(len(bots))]
		if i%3 == 1 {
			q.Filter = weir.Filter{{Column: "action", Op: "!=", Values: []string{"pages"}}}
		}
		a.ask(t, q)
	}
}

// goals asks for pages with a goal.
func (a *asker) goals(t *testing.T) {
	for i, of := range actions {
		if !a.mine(i) {
			continue
		}
		q := weir.Pages{Goal: of.ID, Limit: []int{0, 3}[i%2]}
		q.From, q.To = a.span(weir.Day)
		q.Bots = bots[a.r.IntN(len(bots))]
		a.ask(t, q)
		q.Filter = weir.Filter{{Column: "country", Op: "=", Values: []string{"US"}}}
		a.ask(t, q)
	}
}

// goal fills in what is about a goal: of the visits that count, by device and session, with the
// path where each began.
func (o *oracle) goal(q weir.Pages, visits map[[2]string]string, a *insight.Pages) {
	spec := actionByID(q.Goal)
	goal := &insight.GoalTotals{Action: q.Goal}
	converted, persons, byEntry := map[[2]string]bool{}, map[[2]string]bool{}, map[string]int64{}
	revenue, seen := map[string]float64{}, map[string]bool{}
	for i := range o.w.events {
		e := &o.w.events[i]
		key := [2]string{e.DeviceID, e.SessionID}
		entry, ok := visits[key]
		if !ok || !o.isAction(e, ofAction(q.Goal)) {
			continue
		}
		goal.Conversions++
		if !converted[key] {
			converted[key] = true
			byEntry[entry]++
		}
		if who, ok := o.person(e); ok {
			persons[who] = true
		}
		if e.Revenue.Known {
			revenue[e.Currency] += e.Revenue.Value
			seen[e.Currency] = true
		}
	}
	goal.Visits, goal.Converters = int64(len(converted)), int64(len(persons))
	if n := a.Totals.Visits; n > 0 {
		goal.Rate = new(float64(goal.Visits) / float64(n))
	}
	switch r := spec.Revenue; {
	case r == nil:
	case r.Value != nil:
		goal.Revenue = map[string]float64{r.Currency: *r.Value * float64(goal.Conversions)}
	default:
		goal.Revenue = map[string]float64{}
		for currency := range seen {
			if currency != "" { // without one it is 0
				goal.Revenue[currency] = revenue[currency]
			}
		}
	}
	a.Totals.Goal = goal
	for i := range a.Pages {
		p := &a.Pages[i]
		p.Conversions = new(byEntry[p.Path])
		if p.Entries > 0 {
			p.ConversionRate = new(float64(byEntry[p.Path]) / float64(p.Entries))
		}
	}
}

// counted are columns whose values are counted in place of persons.
var counted = []string{"groups.company", "groups.team", "groups.te/am", "groups.none", "consumer", "channel", "properties.plan", "device_id"}

// uniqueOf asks how many different values a column has, a group among them.
func (a *asker) uniqueOf(t *testing.T) {
	for i, column := range counted {
		if !a.mine(i) {
			continue
		}
		q := a.trend([]weir.Interval{weir.Day, weir.Hour}[i%2], weir.MathUnique, weir.MathUnique)
		q.Series[0].Of = column
		q.Breakdown = []string{"", "country", "groups.company"}[i%3]
		q.Bots = bots[a.r.IntN(len(bots))]
		q.Compare = []weir.Compare{weir.CompareNone, weir.ComparePrevious}[i%2]
		if i == 1 {
			q.Series[0].Event, q.Series[0].Action = "", "calls"
		}
		a.ask(t, q)
		q = weir.Trend{Common: weir.Common{From: a.w.from, To: a.w.from.AddDate(0, 0, 14), Interval: weir.Day}, Series: []weir.Series{{Math: weir.MathUnique, Of: column}}}
		a.ask(t, q)
	}
}
