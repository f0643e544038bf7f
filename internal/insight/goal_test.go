package insight_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// savedActions are those of each project.
type savedActions map[string]weir.ActionSpec

func (s savedActions) Actions(context.Context, string) ([]weir.Action, error) {
	var all []weir.Action
	for id, spec := range s {
		all = append(all, weir.Action{ID: id, ActionSpec: spec})
	}
	return all, nil
}

// shopRows are three visits with views: two of /blog/a, where one buys twice and one days after the
// range ended, in a visit that its SDK kept open; one of /pricing that buys nothing. A server's purchase is in no visit with a view.
func shopRows() []weir.EventRow {
	rows := []weir.EventRow{view("d1", "/blog/a", 1), view("d2", "/blog/a", 47.9), view("d3", "/pricing", 3), view("d1", "/thanks", 1.2)}
	buy := func(device string, hours, price float64, currency string) {
		e := view(device, "", hours)
		e.ID, e.Name, e.Revenue, e.Currency = e.Time.String(), "purchase", weir.Known(price), currency
		rows = append(rows, e)
	}
	buy("d1", 1.1, 0.1, "EUR")
	buy("d1", 1.3, 0.2, "EUR")
	buy("d2", 120, 5, "USD")
	buy("server", 2, 100, "EUR")
	for i := range rows {
		rows[i].SessionID = rows[i].DeviceID
	}
	return rows
}

func TestPagesSayHowManyVisitsReachAGoal(t *testing.T) {
	actions := savedActions{
		"buy":    {Name: "buy", Any: []weir.ActionEvent{{Event: "purchase"}}, Revenue: &weir.ActionRevenue{}},
		"thanks": {Name: "thanks", Any: []weir.ActionEvent{{Path: "/th*"}, {Event: "nothing"}}, Revenue: &weir.ActionRevenue{Value: new(2.5), Currency: "CHF"}},
		"rare":   {Name: "rare", Any: []weir.ActionEvent{{Event: "purchase", Filter: weir.Filter{{Column: "revenue", Op: ">", Values: []string{"1"}}}}}},
	}
	e := insight.New(newStore(t, shopRows()...), &barrier{}, func() time.Time { return noon }, insight.Options{Actions: actions})
	third := 1.0 / 3
	for goal, c := range map[string]struct {
		totals insight.GoalTotals
		entry  int64 // visits that began at /blog/a
	}{
		"buy":    {insight.GoalTotals{Action: "buy", Conversions: 3, Visits: 2, Converters: 2, Rate: new(2 * third), Revenue: map[string]float64{"EUR": 0.3, "USD": 5}}, 2},
		"thanks": {insight.GoalTotals{Action: "thanks", Conversions: 1, Visits: 1, Converters: 1, Rate: &third, Revenue: map[string]float64{"CHF": 2.5}}, 1},
		"rare":   {insight.GoalTotals{Action: "rare", Conversions: 1, Visits: 1, Converters: 1, Rate: &third}, 1},
	} {
		q := dayPages()
		q.Goal = goal
		a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 0)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&c.totals, a.Totals.Goal); d != "" {
			t.Errorf("%s (-want +got):\n%s", goal, d)
		}
		for _, p := range a.Pages {
			want, rate := int64(0), (*float64)(nil)
			switch p.Path {
			case "/blog/a":
				want, rate = c.entry, new(float64(c.entry)/2)
			case "/pricing":
				rate = new(0.0)
			}
			if *p.Conversions != want || cmp.Diff(rate, p.ConversionRate) != "" {
				t.Errorf("%s of %s: %d conversions, rate %v, want %d, %v", goal, p.Path, *p.Conversions, p.ConversionRate, want, rate)
			}
		}
	}
	q := dayPages()
	a, err := insight.Ask[insight.Pages](t.Context(), e, berlin(t), q, 0)
	if err != nil || a.Totals.Goal != nil || a.Pages[0].Conversions != nil {
		t.Errorf("without a goal: %+v, %v", a, err)
	}
}

func TestAQuestionOfTooManyTestsIsRefused(t *testing.T) {
	paths := make([]weir.ActionEvent, 10)
	for i := range paths {
		paths[i].Path = fmt.Sprintf("/p%d/**", i)
	}
	actions := savedActions{"paths": {Name: "paths", Any: paths}}
	e := insight.New(newStore(t, shopRows()...), &barrier{}, func() time.Time { return noon }, insight.Options{Actions: actions})
	p := berlin(t)
	for i := range weir.MaxURLRules {
		p.URLRules.Rules = append(p.URLRules.Rules, weir.URLRule{From: fmt.Sprintf("/product%d/*", i), To: fmt.Sprintf("/product%d/:id", i)})
	}
	pages := dayPages()
	pages.Goal = "paths"
	if _, err := e.Ask(t.Context(), p, pages, 0); err != nil {
		t.Errorf("a goal of ten paths: %v", err)
	}
	q := dayQuery(slices.Repeat([]weir.Series{{Action: "paths", Math: weir.MathTotal}}, 8)...)
	q.Filter = slices.Repeat(weir.Filter{{Column: "path", Op: "!=", Values: []string{"/x"}}}, 10)
	if _, err := e.Ask(t.Context(), p, q, 0); weir.ErrorCode(err) != weir.EINVALID || !strings.Contains(weir.ErrorMessage(err), "tests") {
		t.Errorf("error %v, want EINVALID that says tests", err)
	}
	p.URLRules.Rules = nil
	if _, err := e.Ask(t.Context(), p, q, 0); err != nil {
		t.Errorf("the same without URL rules: %v", err)
	}
}

func TestATrendAndAFilterNameActions(t *testing.T) {
	actions := savedActions{
		"buy":  {Name: "buy", Any: []weir.ActionEvent{{Event: "purchase"}}},
		"read": {Name: "read", Any: []weir.ActionEvent{{Path: "/blog/**"}, {Path: "/pricing"}}},
	}
	e := insight.New(newStore(t, shopRows()...), &barrier{}, func() time.Time { return noon }, insight.Options{Actions: actions})
	total := func(q weir.Trend) float64 {
		t.Helper()
		a, err := insight.Ask[insight.Trend](t.Context(), e, berlin(t), q, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return *a.Series[0].Total
	}
	read := dayQuery(weir.Series{Action: "read", Math: weir.MathTotal})
	if got := total(read); got != 3 {
		t.Errorf("%v events of an action, want 3", got)
	}
	if got := total(dayQuery(weir.Series{Action: "buy", Math: weir.MathUnique})); got != 2 { // d1 and the server
		t.Errorf("%v persons of an action, want 2", got)
	}
	q := dayQuery(weir.Series{Math: weir.MathTotal})
	q.Filter = weir.Filter{{Column: "action", Op: "!=", Values: []string{"read"}}, {Column: "action", Op: "!=", Values: []string{"buy"}}}
	if got := total(q); got != 1 {
		t.Errorf("%v events of neither action, want 1", got)
	}
	actions["read"] = weir.ActionSpec{Name: "read", Any: []weir.ActionEvent{{Path: "/pricing"}}}
	if got := total(read); got != 1 {
		t.Errorf("%v events after the action was changed, want 1: the cached answer is of the former", got)
	}
	q.Filter = weir.Filter{{Column: "action", Op: "contains", Values: []string{"read"}}}
	pages := dayPages()
	pages.Goal = "gone"
	for name, q := range map[string]weir.Question{
		"an action that is gone":         dayQuery(weir.Series{Action: "gone", Math: weir.MathTotal}),
		"an operator for text":           q,
		"a goal that is gone":            pages,
		"an action and an event at once": dayQuery(weir.Series{Action: "read", Event: "x", Math: weir.MathTotal}),
	} {
		if _, err := e.Ask(t.Context(), berlin(t), q, 0); weir.ErrorCode(err) != weir.EINVALID {
			t.Errorf("%s: %v, want EINVALID", name, err)
		}
	}
}
