package coldtest

import (
	"slices"
	"testing"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// selecting is a common part whose filter selects what a selector does too.
func selecting(c weir.Common, s weir.Selector) weir.Common {
	if c.Filter = slices.Concat(c.Filter, s.Filter); s.Event != "" {
		c.Filter = append(c.Filter, weir.Condition{Column: "name", Op: "=", Values: []string{s.Event}})
	}
	if s.Action != "" {
		c.Filter = append(c.Filter, ofAction(s.Action))
	}
	return c
}

// lifecycle answers a query of kind lifecycle.
func (o *oracle) lifecycle(q weir.Lifecycle) *insight.Lifecycle {
	growth := o.growth(weir.Growth{Common: selecting(q.Common, q.Selector())})
	a := &insight.Lifecycle{About: growth.About}
	for _, p := range growth.Points {
		a.Points = append(a.Points, insight.LifecyclePoint{Time: p.Time, New: p.New, Returning: p.Returning, Resurrecting: p.Resurrecting, Dormant: p.Dormant})
	}
	return a
}

// stretches are the buckets of a range.
func (o *oracle) stretches(from, to time.Time, interval weir.Interval) []stretch {
	var out []stretch
	for _, t := range o.starts(from, to, interval) {
		if n := len(out); n > 0 {
			out[n-1].to = t
		}
		out = append(out, stretch{t, to})
	}
	out[0].from = from
	return out
}

// stickiness answers a query of kind stickiness.
func (o *oracle) stickiness(q weir.Stickiness) *insight.Stickiness {
	q.Common = selecting(q.Common, q.Selector())
	a := &insight.Stickiness{}
	a.BotsLeftOut = o.leftOut(q.Common)
	buckets := o.stretches(q.From, q.To, q.Interval)
	for i := range buckets {
		a.Points = append(a.Points, insight.StickinessPoint{Buckets: i + 1})
	}
	people := o.people(weir.Growth{Common: q.Common}, q.To)
	for _, s := range people {
		n := 0
		for _, b := range buckets {
			if s.in(b) {
				n++
			}
		}
		for i := range a.Points {
			if n == i+1 || q.Cumulative && n > i {
				a.Points[i].Persons++
			}
		}
	}
	var sums [3]float64
	for _, day := range o.stretches(q.From, q.To, weir.Day) {
		for i, n := range []int{1, 7, 30} {
			for _, s := range people {
				if s.in(o.lastDays(day.to, n)) {
					sums[i]++
				}
			}
		}
	}
	if sums[1] > 0 {
		a.DAUWAU, a.DAUMAU = new(sums[0]/sums[1]), new(sums[0]/sums[2])
	}
	return a
}

// retention answers a query of kind retention.
func (o *oracle) retention(q weir.Retention) *insight.Retention {
	q.From = o.bucket(q.From, q.Interval)
	a := &insight.Retention{}
	a.BotsLeftOut = o.leftOut(selecting(q.Common, q.Start))
	buckets := o.stretches(q.From, q.To, q.Interval)
	n := len(buckets)
	// Whole intervals, and as many more as the last row needs.
	whole := []time.Time{o.bucket(q.From, q.Interval)}
	for t := whole[0]; len(whole) < n+q.Periods; t = t.Add(6 * time.Hour) {
		if b := o.bucket(t, q.Interval); b.After(whole[len(whole)-1]) {
			whole = append(whole, b)
		}
	}
	far := whole[len(whole)-1]
	back := map[[2]string][]time.Time{}
	for _, e := range o.match(time.Time{}, far, selecting(q.Common, q.Return).Filter, "") {
		if who, ok := o.person(e); ok && q.Bots.OfPeople().Counts(e.Bot) {
			back[who] = append(back[who], e.Time)
		}
	}
	starts := map[[2]string][]time.Time{}
	for _, e := range o.match(time.Time{}, q.To, selecting(q.Common, q.Start).Filter, "") {
		if who, ok := o.person(e); ok && q.Bots.OfPeople().Counts(e.Bot) {
			starts[who] = append(starts[who], e.Time)
		}
	}
	within := func(t time.Time, w stretch) bool { return !t.Before(w.from) && t.Before(w.to) }
	for i, b := range buckets {
		row := insight.RetentionRow{Time: b.from, Values: make([]int64, q.Periods), Open: q.Periods}
		for row.Open > 0 && whole[i+row.Open].After(time.Now()) {
			row.Open--
		}
		for who, times := range starts {
			counted := slices.ContainsFunc(times, func(t time.Time) bool { return within(t, b) })
			if q.Mode == weir.RetentionFirst {
				counted = within(slices.MinFunc(times, time.Time.Compare), b)
			}
			if !counted {
				continue
			}
			row.Size++
			came := func(k int) bool {
				m := 0
				for _, t := range back[who] {
					if within(t, stretch{whole[i+k], whole[i+k+1]}) {
						m++
					}
				}
				return m >= q.AtLeast
			}
			for k := 1; k < q.Periods; k++ {
				is := came(k)
				for later := k + 1; q.Cumulative && !is && later < q.Periods; later++ {
					is = came(later)
				}
				if is {
					row.Values[k]++
				}
			}
		}
		row.Values[0] = row.Size
		a.Rows = append(a.Rows, row)
	}
	for k := range q.Periods {
		var size, value float64
		for _, row := range a.Rows {
			if k < row.Open {
				size, value = size+float64(row.Size), value+float64(row.Values[k])
			}
		}
		a.Mean = append(a.Mean, nil)
		if size > 0 {
			a.Mean[k] = new(value / size)
		}
	}
	return a
}

// selector is a random one.
func (a *asker) selector() weir.Selector {
	s := weir.Selector{Event: []string{"", "", "click", "sign up", weir.NameScreenView, "nothing"}[a.r.IntN(6)]}
	if a.r.IntN(4) == 0 {
		all := append(filters(), operatorTests()...)
		s.Filter = weir.Filter{tree(a.r, all, 1)}
	}
	return s
}

// people is what questions about persons have in common, at random.
func (a *asker) people() weir.Common {
	c := weir.Common{Interval: []weir.Interval{weir.Day, weir.Week, weir.Month}[a.r.IntN(3)], Bots: bots[a.r.IntN(len(bots))]}
	c.From, c.To = a.span(c.Interval)
	if a.r.IntN(3) == 0 {
		c.Filter = a.selector().Filter
	}
	return c
}

func (a *asker) lifecycles(t *testing.T) {
	for range a.rounds(12) {
		a.ask(t, weir.Lifecycle{Common: a.people(), Event: a.selector().Event})
	}
}

func (a *asker) stickinesses(t *testing.T) {
	for range a.rounds(12) {
		a.ask(t, weir.Stickiness{Common: a.people(), Event: a.selector().Event, Cumulative: a.r.IntN(2) == 0})
	}
	a.ask(t, weir.Stickiness{Common: a.everyDay()})
}

func (a *asker) retentions(t *testing.T) {
	for range a.rounds(24) {
		a.ask(t, weir.Retention{
			Common: a.people(), Start: a.selector(), Return: a.selector(), Mode: []weir.RetentionMode{weir.RetentionFirst, weir.RetentionRecurring}[a.r.IntN(2)],
			Cumulative: a.r.IntN(3) == 0, Periods: 1 + a.r.IntN(10), AtLeast: 1 + a.r.IntN(2),
		})
	}
	a.ask(t, weir.Retention{Common: a.everyDay(), Mode: weir.RetentionRecurring, Periods: 30, AtLeast: 1})
}

// everyDay has more days than one mask holds.
func (a *asker) everyDay() weir.Common {
	return weir.Common{Interval: weir.Day, From: a.w.from.AddDate(0, 0, -50), To: a.w.from.AddDate(0, 0, a.w.days+2)}
}
