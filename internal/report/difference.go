package report

import (
	"context"
	"fmt"
	"slices"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// maxAPIDifferences bounds the APIs of a difference.
const maxAPIDifferences = 20

// capped says that APIs were counted as one because there were too many.
func (t *dayCounts) capped() bool {
	return slices.ContainsFunc(t.apis, func(m hot.Member) bool { return m.Rest })
}

// counters are the tally as a report has it: with as many APIs as the report lists,
// and those of it first of all. nil when they are not kept any more.
func (t *dayCounts) counters(listed []weir.ReportAPI) *weir.ReportCounters {
	if t.expired {
		return nil
	}
	c := &weir.ReportCounters{Events: t.events, Calls: t.calls, ByAPI: []weir.APICounter{}, Capped: t.capped()}
	wanted := make(map[string]bool, len(listed))
	for _, a := range listed {
		if a.API != nil {
			wanted[*a.API] = true
		}
	}
	room := max(TopAPIs-len(wanted), 0)
	for _, m := range t.apis {
		switch {
		case m.Rest:
			c.Others += m.Count
			continue
		case wanted[m.Name]:
		case room > 0:
			room--
		default:
			c.Others += m.Count
			continue
		}
		c.ByAPI = append(c.ByAPI, weir.APICounter{API: m.Name, Calls: m.Count})
	}
	return c
}

// explanation is what is known of why counters and report may differ.
type explanation struct {
	waiting   bool // the barrier was not passed
	arrived   pair // while the report was computed
	forgotten bool // the day's events are not kept any more
}

// explain fills in a's Difference.
func (r *Reporter) explain(ctx context.Context, p *weir.Project, a *weir.Report, t *dayCounts, x explanation) error {
	a.Difference = nil
	if t.expired {
		a.Difference = &weir.ReportDifference{
			APIs:    []weir.APIDifference{},
			Reasons: []weir.ReportReason{{Reason: weir.ReasonExpired}},
		}
		return nil
	}
	rest := t.minus(pair{a.Totals.Events, a.Totals.Calls})
	apis := apiDifferences(a, t)
	if rest == (pair{}) && len(apis) == 0 {
		return nil
	}
	d := &weir.ReportDifference{Events: rest.events, Calls: rest.calls, APIs: apis, Reasons: []weir.ReportReason{}}
	because := func(reason string, n pair) {
		d.Reasons = append(d.Reasons, weir.ReportReason{Reason: reason, Events: n.events, Calls: n.calls})
		rest = rest.minus(n)
	}
	if rest != (pair{}) {
		events, calls, err := r.cfg.Source.Dead(ctx, p, a.From, a.To)
		if err != nil {
			return fmt.Errorf("report: dead letters: %w", err)
		}
		if dead := (pair{events, calls}); dead != (pair{}) {
			because(weir.ReasonDeadLetters, dead)
		}
	}
	// What the cold tier has beyond the counters; the calls are a part of the events.
	if more := (pair{min(rest.events, 0), min(rest.calls, 0)}); more != (pair{}) {
		because(weir.ReasonNotCounted, more)
	}
	if late := (pair{min(rest.events, x.arrived.events), min(rest.calls, x.arrived.calls)}); late != (pair{}) {
		because(weir.ReasonArriving, late)
	}
	switch {
	case rest == (pair{}):
	case x.forgotten:
		because(weir.ReasonRetention, rest)
	case x.waiting:
		because(weir.ReasonWaiting, rest)
	default:
		because(weir.ReasonUnknown, rest)
	}
	if len(apis) > 0 {
		switch {
		case t.capped():
			because(weir.ReasonCapped, pair{})
		case len(d.Reasons) == 0: // the same sums of other calls
			because(weir.ReasonUnknown, pair{})
		}
	}
	a.Difference = d
	return nil
}

// apiDifferences are the APIs that the report lists and the counters count
// differently, in the report's order.
func apiDifferences(a *weir.Report, t *dayCounts) []weir.APIDifference {
	counted := make(map[string]int64, len(t.apis))
	for _, m := range t.apis {
		counted[m.Name] = m.Count
	}
	out := []weir.APIDifference{}
	for _, api := range a.Calls.ByAPI {
		if api.API == nil || *api.API == "" || counted[*api.API] == api.Calls {
			continue // the counters know no calls without an API
		}
		out = append(out, weir.APIDifference{API: *api.API, Counters: counted[*api.API], Report: api.Calls})
		if len(out) == maxAPIDifferences {
			break
		}
	}
	return out
}
