package insight

import (
	"cmp"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// canonical is the form that all ways to write a question have in common: defaults
// filled in, what the kind does not look at left out, tests and their values in one
// order. Its answer is that of q, to the byte. A kind that it does not know keeps
// all that it may look at.
//
// What is refused for its size stays as it is, so that whether a question is
// answered never depends on what is kept.
func canonical(d cold.Dialect, kind weir.Kind, q weir.Query) weir.Query {
	q.Kind = kind
	// Stored times have microseconds.
	q.From, q.To = q.From.UTC().Truncate(time.Microsecond), q.To.UTC().Truncate(time.Microsecond)
	switch kind {
	case weir.KindTrend:
		q.Bots = false
		switch {
		case q.Limit < 0 || q.Limit > maxGroups:
		case q.Breakdown == "":
			q.Limit = 0
		case q.Limit == 0:
			q.Limit = defaultGroups
		}
	case weir.KindPages:
		q.Interval = ""
		if q.Limit == 0 {
			q.Limit = defaultPages
		}
	case weir.KindCalls:
		q.Bots = false
		if q.Limit == 0 {
			q.Limit = defaultGroups
		}
		q.Breakdown, q.Sort = cmp.Or(q.Breakdown, "route"), cmp.Or(q.Sort, weir.SortCalls)
	}
	q.Filter = canonicalFilter(d, q.Filter)
	return q
}

func canonicalFilter(d cold.Dialect, tests []weir.Condition) []weir.Condition {
	if len(tests) == 0 {
		return nil
	}
	out := make([]weir.Condition, len(tests))
	for i, c := range tests {
		out[i] = canonicalCondition(d, c)
	}
	if len(out) > maxConditions {
		return out
	}
	slices.SortFunc(out, compareConditions)
	return slices.CompactFunc(out, func(a, b weir.Condition) bool { return compareConditions(a, b) == 0 })
}

func canonicalCondition(d cold.Dialect, c weir.Condition) weir.Condition {
	if c.Op != "in" || len(c.Values) == 0 || len(c.Values) > maxIn {
		return c
	}
	c.Values = slices.Compact(slices.Sorted(slices.Values(c.Values)))
	if col, err := columnOf(d, c.Column); len(c.Values) == 1 && err == nil && col.kind != boolean { // which has no "in"
		c.Op = "="
	}
	return c
}

func compareConditions(a, b weir.Condition) int {
	return cmp.Or(cmp.Compare(a.Column, b.Column), cmp.Compare(a.Op, b.Op), slices.Compare(a.Values, b.Values))
}

// grid are the widths that the end of a range up to now is cut down to. None is
// wider than the narrowest bucket, of which an answer so lacks the last at most.
var grid = [...]time.Duration{time.Second, 5 * time.Second, 15 * time.Second, time.Minute}

// nowSlack is how far before now a range may end that is still one up to now: its
// asker wrote the time down, and it took a while to get here.
const nowSlack = 2 * time.Second

// upToNow cuts the end of a range up to now down to a time that those who ask
// again soon have in common. It is later than freshness ago, so the question is one
// that the asker could have asked within its freshness, to the end. Where a range
// begins, and where one ends that does not end now, is exact.
func upToNow(q weir.Query, now time.Time, freshness time.Duration) weir.Query {
	var step time.Duration
	for _, w := range grid {
		if w <= freshness/2 {
			step = w
		}
	}
	if step == 0 || !q.To.After(now.Add(-min(nowSlack, freshness/2))) || q.To.After(now.Add(step)) {
		return q
	}
	if to := q.To.UTC().Truncate(step); to.After(q.From) {
		q.To = to
	}
	return q
}
