package insight

import (
	"context"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// GoalTotals says how many visits reached a goal. The visits are those of the answer: with a screen
// view, begun in the range, and with a view that passes the filter.
type GoalTotals struct {
	Action      string   `json:"action" doc:"the action's id"`
	Conversions int64    `json:"conversions" doc:"events of the action in these visits"`
	Visits      int64    `json:"visits" doc:"visits with at least one"`
	Converters  int64    `json:"converters" doc:"distinct persons with at least one"`
	Rate        *float64 `json:"rate" doc:"visits that reached it among all, 0 to 1; null without a visit"`
	// Revenue is nil if the action has none.
	Revenue map[string]float64 `json:"revenue,omitempty" doc:"by currency: what the action says that each conversion is worth, or the events' own revenue"`
}

// goal is an action that visits may reach.
type goal struct {
	id     string
	spec   weir.ActionSpec
	events filter
	until  int64 // microseconds: no visit of the answer has an event at that time or later
}

func goalNamed(d cold.Dialect, p *weir.Project, id string, actions map[string]weir.ActionSpec) (*goal, error) {
	is, err := actionNamed(d, p, id, actions)
	if err != nil {
		return nil, err
	}
	return &goal{id: id, spec: actions[id], events: is}, nil
}

// conversions fills in what is about the goal, if one is asked for.
func (pl *pagesPlan) conversions(ctx context.Context, r *reader, a *Pages) error {
	if pl.goal == nil {
		return nil
	}
	totals := &GoalTotals{Action: pl.goal.id}
	a.Totals.Goal = totals
	for _, f := range []func(context.Context, *reader, *Pages) error{pl.findLastEnd, pl.convertedVisits, pl.converters, pl.goalRevenue} {
		if err := f(ctx, r, a); err != nil {
			return err
		}
	}
	totals.Rate = ratio(totals.Visits, a.Totals.Visits)
	return nil
}

// findLastEnd finds when the last of the visits ends. A visit that its SDK names may go on for
// days after the range.
func (pl *pagesPlan) findLastEnd(ctx context.Context, r *reader, _ *Pages) error {
	pl.goal.until = pl.to
	q := selection{columns: raw(r.d.Micros("MAX(end_at)")), from: raw("visits"), where: pl.visits(r)}
	return r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var us *int64
		if err := scan(&us); err != nil || us == nil {
			return err
		}
		pl.goal.until = max(pl.to, *us+1)
		return nil
	})
}

// visitOfEvent are the columns that name an event's visit, in a table of goalEvents.
var visitOfEvent = comma(raw("device_id"), sourceOf(visitSession))

// goalEvents is the condition for the events of the goal that a visit of the range may have, and
// the table in which it can be tested.
func (pl *pagesPlan) goalEvents(r *reader) (from, where fragment) {
	in := span{pl.from, pl.goal.until}
	from = r.joined("events", in, append(slices.Clone(pl.goal.events.sources), visitSession), nil)
	return from, all(r.window("ts", in.from, in.to), r.passes(pl.goal.events))
}

// convertedVisits counts the visits that reached the goal, by their entry and in total. As in
// pageVisits, each row counts with its sign.
func (pl *pagesPlan) convertedVisits(ctx context.Context, r *reader, a *Pages) error {
	byPath := map[string]*Page{}
	for i := range a.Pages {
		p := &a.Pages[i]
		p.Conversions, byPath[p.Path] = new(int64), p
	}
	from, where := pl.goalEvents(r)
	reached := selection{columns: visitOfEvent, from: from, where: where}
	counted := selection{
		columns: raw("entry, SUM(sign) AS n"), from: raw("visits"),
		where: all(pl.visits(r), sql("(device_id, session_id) "+r.d.InQuery()+" (@)", reached.statement())), groupBy: "entry",
	}
	q := selection{columns: sql("@ AS entry_page, CAST(n AS BIGINT)", pageOf(r.d, r.project, "entry")), from: counted.as("counted")}
	err := r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var entry string
		var n int64
		if err := scan(&entry, &n); err != nil {
			return err
		}
		a.Totals.Goal.Visits += n
		if p := byPath[entry]; p != nil {
			*p.Conversions += n
		}
		return nil
	})
	for i := range a.Pages {
		a.Pages[i].ConversionRate = ratio(*a.Pages[i].Conversions, a.Pages[i].Entries)
	}
	return err
}

// inVisits is the goal's events that are in visits of the answer.
func (pl *pagesPlan) inVisits(r *reader) (from, where fragment) {
	from, where = pl.goalEvents(r)
	visits := selection{columns: raw("device_id, session_id"), from: raw("visits"), where: pl.visits(r), groupBy: "device_id, session_id", having: raw("SUM(sign) > 0")}
	return from, all(where, sql("(@) "+r.d.InQuery()+" (@)", visitOfEvent, visits.statement()))
}

// converters counts the persons who reached the goal.
func (pl *pagesPlan) converters(ctx context.Context, r *reader, a *Pages) error {
	from, where := pl.inVisits(r)
	persons := selection{columns: raw("person"), from: from, where: where}
	return r.each(ctx, r.distinctPersons("", persons.as("reached")), func(scan func(...any) error) error { return scan(&a.Totals.Goal.Converters) })
}

// goalRevenue counts the goal's events, and adds up what they are worth.
func (pl *pagesPlan) goalRevenue(ctx context.Context, r *reader, a *Pages) error {
	worth, totals := pl.goal.spec.Revenue, a.Totals.Goal
	if worth != nil {
		totals.Revenue = map[string]float64{}
	}
	from, where := pl.inVisits(r)
	read := selection{columns: raw("currency, revenue AS v"), from: from, where: where}
	q := selection{
		columns: names("currency", "CAST(COUNT(*) AS BIGINT)", "CAST(COUNT(v) AS BIGINT)", double(moneySum(r.d, "v"))), from: read.as("reached"), groupBy: "currency", orderBy: "currency",
	}
	err := r.each(ctx, q.statement(), func(scan func(...any) error) error {
		var currency string
		var events, paid int64
		var sum float64
		if err := scan(&currency, &events, &paid, &sum); err != nil {
			return err
		}
		totals.Conversions += events
		if worth != nil && worth.Value == nil && paid > 0 && finite(&sum) != nil && (currency != "" || sum != 0) {
			totals.Revenue[currency] = rounded(sum)
		}
		return nil
	})
	if worth != nil && worth.Value != nil {
		totals.Revenue[worth.Currency] = rounded(float64(totals.Conversions) * *worth.Value)
	}
	return err
}
