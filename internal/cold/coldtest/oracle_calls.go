package coldtest

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// calls answers a query of kind calls.
func (o *oracle) calls(q weir.Calls) *insight.Calls {
	q.Filter = withBots(q.Filter, q.Bots.OfEvents())
	if q.Breakdown == "" {
		q.Breakdown = "route"
	}
	starts := []time.Time{q.From}
	if q.Interval != "" {
		starts = o.starts(q.From, q.To, q.Interval)
	}
	groups := o.callGroups(q)
	now := o.callsOf(q, groups, starts)
	a := &insight.Calls{CallsOfRange: now.CallsOfRange}
	if q.Compare != weir.CompareNone {
		earlier := q
		back := o.back(q.Common, q.Compare)
		earlier.From, earlier.To = back(q.From), back(q.To)
		c := o.callsOf(earlier, groups, moved(starts, back))
		a.Compare = &c
	}
	return a
}

// moved are the starts of the buckets of an earlier range.
func moved(starts []time.Time, back func(time.Time) time.Time) []time.Time {
	out := make([]time.Time, len(starts))
	for i, t := range starts {
		if out[i] = back(t); i > 0 && out[i].Before(out[i-1]) {
			out[i] = out[i-1]
		}
	}
	return out
}

// callsOf measures one range by groups that are given.
func (o *oracle) callsOf(q weir.Calls, groups []group, starts []time.Time) insight.CallsComparison {
	events := o.match(q.From, q.To, q.Filter, weir.NameCall)
	a := insight.CallsComparison{From: q.From, To: q.To}
	a.Totals = measureCalls(events, q.To.Sub(q.From))
	for _, g := range groups {
		a.Groups = append(a.Groups, insight.CallGroup{
			Breakdown: *g.name, Other: g.other, CallValues: measureCalls(o.only(g, events), q.To.Sub(q.From)),
		})
	}
	for i, t := range starts {
		if q.Interval == "" {
			break
		}
		from, end := t, q.To
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if from.Before(q.From) {
			from = q.From
		}
		var in []*weir.EventRow
		for _, e := range events {
			if !e.Time.Before(from) && e.Time.Before(end) {
				in = append(in, e)
			}
		}
		a.Points = append(a.Points, insight.CallPoint{Time: t, CallValues: measureCalls(in, end.Sub(from))})
	}
	known := make(map[string]bool)
	for _, e := range o.match(time.Time{}, q.From, q.Filter, weir.NameCall) {
		known[e.Call.Consumer] = true
	}
	here := make(map[string]bool)
	for _, e := range events {
		if c := e.Call.Consumer; c != "" && !here[c] {
			here[c] = true
			a.Consumers.Active++
			if known[c] {
				a.Consumers.Returning++
			} else {
				a.Consumers.New++
			}
		}
	}
	return a
}

// callGroups are the lines of the answer, in their order.
func (o *oracle) callGroups(q weir.Calls) []group {
	in := make(map[insight.Group][]*weir.EventRow)
	for _, e := range o.match(q.From, q.To, q.Filter, weir.NameCall) {
		v, ok := o.group(e, q.Breakdown)
		if !ok && isErased(e) && !keptByErasure(q.Breakdown) {
			continue
		}
		if !ok {
			v = ""
		}
		name := insight.Group{Value: v, None: !ok}
		in[name] = append(in[name], e)
	}
	var all []insight.Group
	place := make(map[insight.Group]float64)
	for g, events := range in {
		all = append(all, g)
		place[g] = placeOf(q.Sort, events)
	}
	sort.Slice(all, func(i, j int) bool {
		a, b := all[i], all[j]
		switch {
		case place[a] != place[b]:
			return place[a] > place[b]
		case len(in[a]) != len(in[b]):
			return len(in[a]) > len(in[b])
		case a.None != b.None:
			return b.None
		case numericColumn(q.Breakdown):
			x, _ := strconv.ParseFloat(a.Value, 64)
			y, _ := strconv.ParseFloat(b.Value, 64)
			return x < y
		}
		return a.Value < b.Value
	})
	if q.Limit == 0 {
		q.Limit = 10
	}
	named := all[:min(q.Limit, len(all))]
	var out []group
	for i := range named {
		out = append(out, group{column: q.Breakdown, name: &named[i], named: named})
	}
	if len(all) > len(named) {
		out = append(out, group{column: q.Breakdown, name: &insight.Group{Value: "other"}, other: true, named: named})
	}
	return out
}

// placeOf is what a group is ranked by: the more the earlier.
func placeOf(by weir.CallSort, events []*weir.EventRow) float64 {
	var failed, known float64
	var latencies []float64
	for _, e := range events {
		if e.Call.Status != 0 {
			known++
		}
		if e.Call.Status >= 400 {
			failed++
		}
		if e.Call.LatencyMS.Known {
			latencies = append(latencies, e.Call.LatencyMS.Value)
		}
	}
	switch by {
	case weir.SortErrors:
		return failed
	case weir.SortErrorRate:
		if known == 0 {
			return math.Inf(-1)
		}
		return failed / known
	case weir.SortLatency:
		if len(latencies) == 0 {
			return math.Inf(-1)
		}
		slices.Sort(latencies)
		return interpolate(latencies, 0.95)
	}
	return float64(len(events))
}

func measureCalls(events []*weir.EventRow, length time.Duration) insight.CallValues {
	v := insight.CallValues{Calls: int64(len(events))}
	if length > 0 {
		v.Rate = float64(len(events)) / length.Seconds()
	}
	var ok, refused, failed, sum, apdex float64
	var latencies []float64
	for _, e := range events {
		switch status := e.Call.Status; {
		case status == 0:
			v.Unknown++
		case status < 400:
			ok++
		case status < 500:
			refused++
		default:
			failed++
		}
		if !e.Call.LatencyMS.Known {
			continue
		}
		ms := e.Call.LatencyMS.Value
		latencies = append(latencies, ms)
		sum += ms
		switch {
		case e.Call.Status >= 500:
		case ms <= 500:
			apdex++
		case ms <= 2000:
			apdex += 0.5
		}
	}
	if n := ok + refused + failed; n > 0 {
		v.SuccessRate, v.ErrorRate4xx, v.ErrorRate5xx = new(ok/n), new(refused/n), new(failed/n)
	}
	if n := float64(len(latencies)); n > 0 {
		slices.SortFunc(latencies, cmp.Compare)
		v.LatencyMean, v.Apdex = new(sum/n), new(apdex/n)
		v.P50, v.P90 = new(interpolate(latencies, 0.5)), new(interpolate(latencies, 0.9))
		v.P95, v.P99 = new(interpolate(latencies, 0.95)), new(interpolate(latencies, 0.99))
	}
	return v
}
