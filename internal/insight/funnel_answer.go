package insight

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Funnel is the answer of kind funnel.
type Funnel struct {
	Steps  []FunnelStep  `json:"steps" nullable:"false" doc:"in the order asked for"`
	Groups []FunnelGroup `json:"groups,omitempty" nullable:"false" doc:"with a breakdown: largest first by who entered, then other"`
	Points []FunnelPoint `json:"points,omitempty" nullable:"false" doc:"with over: oldest first"`
	About
}

// FunnelStep is how many took a step. Who took an optional step is counted where it stands, and
// the step behind it is compared with the one before it.
type FunnelStep struct {
	Label        string   `json:"label" doc:"the step's label, else its event"`
	Count        int64    `json:"count" doc:"persons, or visits, that took the step; with order any: at least so many steps"`
	Rate         *float64 `json:"rate" doc:"of step 1, 0 to 1; null if nobody took it"`
	FromPrevious *float64 `json:"from_previous" doc:"of the step before, the last one that is not optional; null for step 1"`
	Dropped      int64    `json:"dropped" doc:"who took the step before and not this one; 0 for step 1 and optional steps"`
	MeanMS       *float64 `json:"mean_ms" doc:"time since the step that was taken before; null for step 1"`
	MedianMS     *float64 `json:"median_ms" doc:"the same; of an even number the mean of the middle two"`
}

// FunnelGroup is the same for the persons with one value of the breakdown.
type FunnelGroup struct {
	Breakdown Group        `json:"breakdown" doc:"the group's value; null is the group without one"`
	Other     bool         `json:"other,omitempty" doc:"all groups that are not among the largest"`
	Steps     []FunnelStep `json:"steps" nullable:"false"`
}

// FunnelPoint is who entered in the bucket that starts at Time.
type FunnelPoint struct {
	Time      time.Time `json:"time"`
	Entered   int64     `json:"entered" doc:"whose step 1 lies in the bucket"`
	Converted int64     `json:"converted" doc:"those of them who took the last step, whenever"`
	Rate      *float64  `json:"rate" doc:"converted among entered, 0 to 1; null without any"`
}

// funnelCounts are the persons of a funnel, or of one group of it.
type funnelCounts struct {
	counts []int64   // by step
	times  [][]int64 // by step, in microseconds
}

func newFunnelCounts(steps int) *funnelCounts {
	return &funnelCounts{counts: make([]int64, steps), times: make([][]int64, steps)}
}

// add counts the attempt of a person. It returns how many times it keeps.
func (c *funnelCounts) add(a *attempt) (kept int) {
	before := a.at[0]
	for i, at := range a.at {
		if a.taken>>i&1 == 0 {
			continue
		}
		if c.counts[i]++; i > 0 {
			c.times[i] = append(c.times[i], at-before)
			kept++
		}
		before = at
	}
	return kept
}

func (c *funnelCounts) merge(o *funnelCounts) {
	for i := range c.counts {
		c.counts[i] += o.counts[i]
		c.times[i] = append(c.times[i], o.times[i]...)
	}
}

// steps returns the counts as an answer has them.
func (c *funnelCounts) steps(labels []string, optional []bool) []FunnelStep {
	out := make([]FunnelStep, len(labels))
	before := 0
	for i := range out {
		s := FunnelStep{Label: labels[i], Count: c.counts[i], Rate: ratio(c.counts[i], c.counts[0])}
		if i > 0 {
			s.FromPrevious = ratio(s.Count, c.counts[before])
			s.MeanMS, s.MedianMS = meanAndMedian(c.times[i])
		}
		if !optional[i] {
			s.Dropped = c.counts[before] - s.Count
			before = i
		}
		out[i] = s
	}
	return out
}

// meanAndMedian are those of times in microseconds, in milliseconds; nil if there are none. It
// sorts the times.
func meanAndMedian(times []int64) (mean, median *float64) {
	n := len(times)
	if n == 0 {
		return nil, nil
	}
	var whole, rest int64 // milliseconds, and microseconds beside them: together they may be too many
	for _, us := range times {
		whole += us / 1000
		rest += us % 1000
	}
	mean = new((float64(whole) + float64(rest)/1000) / float64(n))
	slices.Sort(times)
	median = new((float64(times[(n-1)/2]) + float64(times[n/2])) / 2000)
	return mean, median
}

// funnelTally counts the attempts of all persons.
type funnelTally struct {
	all    *funnelCounts
	groups map[Group]*funnelCounts // nil without a breakdown
	over   buckets                 // none without points
	points []FunnelPoint
	memory growing
}

// timeBytes is about what a time takes in a list that grows.
const timeBytes = 12

// add counts the attempt of a person. Errors are those of growing.
func (t *funnelTally) add(a *attempt) error {
	bytes := t.all.add(a) * timeBytes
	if t.groups != nil {
		g := t.groups[a.group]
		if g == nil {
			g = newFunnelCounts(len(a.at))
			t.groups[a.group] = g
			bytes += 200 + 40*len(a.at) + len(a.group.Value)
		}
		bytes += g.add(a) * timeBytes
	}
	if len(t.points) > 0 {
		i, found := slices.BinarySearch(t.over.starts, a.at[0])
		if !found {
			i--
		}
		p := &t.points[i]
		if p.Entered++; a.furthest == len(a.at) {
			p.Converted++
		}
	}
	return t.memory.use(bytes)
}

// largest returns the groups with the most entries, and the others as one. Equal ones are in the
// order of their values, and no value is the last.
func (t *funnelTally) largest(kind valueKind, limit int, labels []string, optional []bool) []FunnelGroup {
	names := make([]Group, 0, len(t.groups))
	for g := range t.groups {
		names = append(names, g)
	}
	slices.SortFunc(names, func(a, b Group) int {
		return cmp.Or(cmp.Compare(t.groups[b].counts[0], t.groups[a].counts[0]), compareGroups(kind, a, b))
	})
	out := []FunnelGroup{}
	rest := newFunnelCounts(len(labels))
	for i, g := range names {
		if i >= limit {
			rest.merge(t.groups[g])
			t.groups[g] = nil // its memory is what the others take
			continue
		}
		out = append(out, FunnelGroup{Breakdown: g, Steps: t.groups[g].steps(labels, optional)})
	}
	if len(names) > limit {
		out = append(out, FunnelGroup{Breakdown: Group{Value: "other"}, Other: true, Steps: rest.steps(labels, optional)})
	}
	return out
}

// compareGroups orders groups by value.
func compareGroups(kind valueKind, a, b Group) int {
	switch {
	case a.None || b.None:
		return cmp.Compare(btoi(a.None), btoi(b.None))
	case kind == integer || kind == real:
		x, _ := strconv.ParseFloat(a.Value, 64) // a number was written
		y, _ := strconv.ParseFloat(b.Value, 64)
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a.Value, b.Value)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
