package coldtest

import (
	"cmp"
	"math/bits"
	"slices"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// tried is one attempt of somebody: the events that took steps, by step from 0; nil for those
// that were not taken.
type tried struct {
	took     []*weir.EventRow
	furthest int // step, from 1
}

// funnel answers a query of kind funnel: for each person, each attempt by itself.
func (o *oracle) funnel(q weir.Funnel) *insight.Funnel {
	window, err := q.WindowTime()
	if err != nil {
		panic(err)
	}
	asked := q.Filter
	q.Filter = withBots(q.Filter, q.Bots.OfPeople())
	of := map[[2]string][]*weir.EventRow{}
	for _, e := range o.match(q.From, q.To.Add(window), q.Filter, "") {
		who, ok := o.person(e)
		if q.Count == weir.CountVisits {
			who, ok = [2]string{e.DeviceID, e.SessionID}, e.DeviceID != "" && e.SessionID != ""
		}
		if ok {
			of[who] = append(of[who], e)
		}
	}
	var counted []tried
	for _, events := range of {
		slices.SortFunc(events, func(a, b *weir.EventRow) int {
			return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.DeviceID, b.DeviceID), a.Shard-b.Shard, cmp.Compare(a.Seq, b.Seq))
		})
		var best tried
		for i, e := range events {
			if e.Time.Before(q.From) || !e.Time.Before(q.To) {
				continue
			}
			end := i // of the window
			for end < len(events) && !events[end].Time.After(e.Time.Add(window)) {
				end++
			}
			attempt := o.inOrder
			if q.Order == weir.OrderAny {
				attempt = o.inAnyOrder
			}
			if a, ok := attempt(q, events[i:end]); ok && a.furthest > best.furthest {
				best = a
			}
		}
		if best.furthest > 0 {
			counted = append(counted, best)
		}
	}
	a := &insight.Funnel{Steps: funnelSteps(q, counted)}
	if q.Breakdown != "" {
		a.Groups = o.funnelGroups(q, counted)
	}
	if q.Over != "" {
		a.Points = o.funnelPoints(q, counted)
	}
	if q.Bots.OfPeople() == weir.BotsOut {
		who := map[[2]string]bool{}
		for _, e := range o.match(q.From, q.To, withBots(asked, weir.BotsOnly), "") {
			begins := o.fits(e, q.Steps[0].Selector())
			for _, s := range q.Steps {
				begins = begins || q.Order == weir.OrderAny && o.fits(e, s.Selector())
			}
			if p, ok := o.person(e); ok && begins {
				who[p] = true
			}
		}
		a.BotsLeftOut = new(int64(len(who)))
	}
	return a
}

func (o *oracle) fits(e *weir.EventRow, s weir.Selector) bool {
	return (s.Event == "" || e.Name == s.Event) && (s.Action == "" || o.holds(e, ofAction(s.Action))) &&
		!slices.ContainsFunc(s.Filter, func(c weir.Condition) bool { return !o.holds(e, c) })
}

// inOrder is the attempt that begins with the first of the events of a window; false if it does
// not begin, or is void.
func (o *oracle) inOrder(q weir.Funnel, events []*weir.EventRow) (a tried, ok bool) {
	if !o.fits(events[0], q.Steps[0].Selector()) {
		return a, false
	}
	places := map[int]int{1: 0} // of the events that took the steps
	a.furthest = 1
	looked := 0
	for i, e := range events[1:] {
		if a.furthest == len(q.Steps) {
			break
		}
		looked = i + 1
		takes := 0
		for step := a.furthest + 1; step <= len(q.Steps); step++ {
			if o.fits(e, q.Steps[step-1].Selector()) {
				takes = step
			}
			if !q.Steps[step-1].Optional {
				break
			}
		}
		if takes > 0 {
			places[takes], a.furthest = looked, takes
		} else if q.Order == weir.OrderStrict {
			break
		}
	}
	// An exclusion counts while a step from From on was taken, and none from To on.
	for _, x := range q.Exclude {
		from, to := cmp.Or(x.From, 1), cmp.Or(x.To, len(q.Steps))
		for i := 1; i <= looked; i++ {
			after, before := false, true
			for step, at := range places {
				after = after || step >= from && at < i
				before = before && (step < to || at > i)
			}
			if after && before && o.fits(events[i], x.Selector()) {
				return a, false
			}
		}
	}
	a.took = make([]*weir.EventRow, len(q.Steps))
	for step, at := range places {
		a.took[step-1] = events[at]
	}
	return a, true
}

// inAnyOrder is the same in any order. It has all sets of steps that the events can take, each
// event one at most, and says when there first is a larger one.
func (o *oracle) inAnyOrder(q weir.Funnel, events []*weir.EventRow) (a tried, ok bool) {
	sets := map[uint]bool{0: true}
	a.took = make([]*weir.EventRow, len(q.Steps))
	last := 0
	for i, e := range events {
		larger := map[uint]bool{}
		most := 0
		for set := range sets {
			larger[set] = true
			for step, s := range q.Steps {
				if o.fits(e, s.Selector()) {
					larger[set|1<<step] = true
				}
			}
		}
		for set := range larger {
			most = max(most, bits.OnesCount(set))
		}
		if sets = larger; most > a.furthest {
			a.took[a.furthest], a.furthest, last = e, most, i
		}
		if a.furthest == 0 {
			return a, false // it does not begin here
		}
	}
	for i := 1; i < last; i++ {
		for _, x := range q.Exclude {
			if o.fits(events[i], x.Selector()) {
				return a, false
			}
		}
	}
	return a, true
}

func funnelSteps(q weir.Funnel, all []tried) []insight.FunnelStep {
	var out []insight.FunnelStep
	before := 0 // the last step that is not optional
	took := func(i int) (n int64) {
		for _, a := range all {
			if a.took[i] != nil {
				n++
			}
		}
		return n
	}
	for i, asked := range q.Steps {
		s := insight.FunnelStep{Label: cmp.Or(asked.Label, asked.Event), Count: took(i), Rate: share(took(i), took(0))}
		if i > 0 {
			s.FromPrevious = share(s.Count, took(before))
			var times []float64
			var sum float64
			for _, a := range all {
				if a.took[i] == nil {
					continue
				}
				j := i - 1
				for a.took[j] == nil {
					j--
				}
				ms := float64(a.took[i].Time.Sub(a.took[j].Time).Microseconds()) / 1000
				times, sum = append(times, ms), sum+ms
			}
			if len(times) > 0 {
				slices.Sort(times)
				s.MeanMS, s.MedianMS = new(sum/float64(len(times))), new(interpolate(times, 0.5))
			}
		}
		if !asked.Optional {
			if i > 0 {
				s.Dropped = took(before) - s.Count
			}
			before = i
		}
		out = append(out, s)
	}
	return out
}

func (o *oracle) funnelGroups(q weir.Funnel, all []tried) []insight.FunnelGroup {
	step, err := q.AttributedStep()
	if err != nil {
		panic(err)
	}
	of := map[insight.Group][]tried{}
	for _, a := range all {
		g := insight.Group{None: true}
		if e := a.took[cmp.Or(step, a.furthest)-1]; e != nil {
			if v, ok := o.group(e, q.Breakdown); ok {
				g = insight.Group{Value: v}
			}
		}
		of[g] = append(of[g], a)
	}
	var order []insight.Group
	for g := range of {
		order = append(order, g)
	}
	slices.SortFunc(order, func(a, b insight.Group) int {
		x, _ := strconv.ParseFloat(a.Value, 64)
		y, _ := strconv.ParseFloat(b.Value, 64)
		switch {
		case len(of[a]) != len(of[b]):
			return len(of[b]) - len(of[a])
		case a.None != b.None:
			return map[bool]int{true: 1, false: -1}[a.None]
		case numericColumn(q.Breakdown):
			return cmp.Compare(x, y)
		}
		return cmp.Compare(a.Value, b.Value)
	})
	var out []insight.FunnelGroup
	var rest []tried
	for i, g := range order {
		if i < cmp.Or(q.Limit, 10) {
			out = append(out, insight.FunnelGroup{Breakdown: g, Steps: funnelSteps(q, of[g])})
		} else {
			rest = append(rest, of[g]...)
		}
	}
	if len(rest) > 0 {
		out = append(out, insight.FunnelGroup{Breakdown: insight.Group{Value: "other"}, Other: true, Steps: funnelSteps(q, rest)})
	}
	return out
}

func (o *oracle) funnelPoints(q weir.Funnel, all []tried) []insight.FunnelPoint {
	var out []insight.FunnelPoint
	starts := o.starts(q.From, q.To, q.Over)
	for i, t := range starts {
		p := insight.FunnelPoint{Time: t}
		end := q.To.Add(time.Hour)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		for _, a := range all {
			if at := a.took[0].Time; !at.Before(t) && at.Before(end) {
				p.Entered++
				if a.furthest == len(q.Steps) {
					p.Converted++
				}
			}
		}
		p.Rate = share(p.Converted, p.Entered)
		out = append(out, p)
	}
	return out
}
