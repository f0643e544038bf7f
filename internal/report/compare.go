package report

import weir "github.com/weir-analytics/weir"

// compare sets a report beside those of the day and the week before, where there
// are such.
func compare(a *weir.Report, by map[weir.Date]*weir.Report) {
	a.Compare = &weir.ReportCompare{
		DayBefore:  beside(a, by[a.Date.Add(-1)]),
		WeekBefore: beside(a, by[a.Date.Add(-7)]),
	}
}

func beside(a, b *weir.Report) *weir.ReportComparison {
	if b == nil {
		return nil
	}
	c := &weir.ReportComparison{
		Date: b.Date, Revision: b.Revision, Totals: b.Totals, Visits: b.Visits.Count,
		SuccessRate: b.Calls.SuccessRate, P95: b.Calls.Latency.P95,
		Change: weir.ReportChange{
			Events:   change(a.Totals.Events, b.Totals.Events),
			Calls:    change(a.Totals.Calls, b.Totals.Calls),
			Visitors: change(a.Totals.Visitors, b.Totals.Visitors),
			Visits:   change(a.Visits.Count, b.Visits.Count),
		},
	}
	if now, then := a.Calls.Latency.P95, b.Calls.Latency.P95; now != nil && then != nil {
		c.Change.P95 = change(*now, *then)
	}
	if now, then := a.Calls.SuccessRate, b.Calls.SuccessRate; now != nil && then != nil {
		d := *now - *then
		c.Change.SuccessRate = &d
	}
	return c
}

// change is how much more now is than then, nil where then is nothing.
func change[T int64 | float64](now, then T) *float64 {
	if then == 0 {
		return nil
	}
	c := float64(now)/float64(then) - 1
	return &c
}
