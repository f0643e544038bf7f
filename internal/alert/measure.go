package alert

import (
	"context"
	"math"
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/hot"
)

// Counters are what the hot tier counts. A hot.Store is one.
type Counters interface {
	hot.Counters
	Live(ctx context.Context, project string, now time.Time) (int, error)
}

// Insights answers from the cold tier.
type Insights interface {
	// Totals are the values of a trend's series over its range, nil without one.
	// The answer holds what was acknowledged up to asOf, which is at most freshness
	// ago if that can be had in time.
	Totals(ctx context.Context, p *weir.Project, q weir.Trend, freshness time.Duration) (values []*float64, asOf time.Time, err error)
	// Outcomes returns the results of the calls that q selects by range and filter, in one
	// question: the second of two could count more calls.
	Outcomes(ctx context.Context, p *weir.Project, q weir.Trend, freshness time.Duration) (o hot.CallResults, asOf time.Time, err error)
	// Value is a value of the totals of q's answer, one of insight.Measures: nil if it has
	// none. volume is how many calls or visits it is of. asOf and freshness are those of
	// Totals.
	Value(ctx context.Context, p *weir.Project, q weir.Question, name weir.AlertValue, freshness time.Duration) (value *float64, volume int64, asOf time.Time, err error)
}

// meter measures.
type meter struct {
	counters Counters
	insights Insights // nil where the node has none
}

// cold says whether a spec needs the cold tier: counters do not combine filters and routes,
// and they keep minutes for a limited time.
func cold(s *weir.AlertSpec) bool {
	m := s.Measure
	rate := m.Kind == weir.MeasureErrorRate || m.Kind == weir.MeasureSuccessRate
	return m.Kind == weir.MeasureInsight || len(m.Filter) > 0 || rate && m.Route != "" ||
		s.Condition.Against == weir.AgainstWeek && forgotten(7*24*time.Hour+dstBack+time.Duration(s.Window)*time.Minute)
}

// read measures the window of a spec that ends at to, and the one that it is
// compared with.
func (r *meter) read(ctx context.Context, p *weir.Project, s *weir.AlertSpec, to, now time.Time) (weir.AlertReading, error) {
	length := time.Duration(s.Window) * time.Minute
	value, volume, err := r.value(ctx, p, &s.Measure, window{to.Add(-length), to}, now)
	out := weir.AlertReading{Value: number(value), Volume: volume}
	if err != nil || s.Condition.Against == weir.AgainstNone {
		return out, err
	}
	to = Earlier(to, s.Window, s.Condition.Against, p.Location())
	base, volume, err := r.value(ctx, p, &s.Measure, window{to.Add(-length), to}, now)
	if err != nil {
		return out, err
	}
	out.Base, out.Volume = number(base), max(out.Volume, volume)
	if out.Value != nil && out.Base != nil {
		out.Change = number(new(Change(*out.Value, *out.Base)))
	}
	return out, nil
}

// number keeps to what JSON can hold.
func number(v *float64) *float64 {
	if v == nil || math.IsInf(*v, 0) || math.IsNaN(*v) {
		return nil
	}
	return v
}

// dstBack is the most by which clocks are set back within a week.
const dstBack = time.Hour

// forgotten says whether the counters of minutes so long ago may have expired, or will before
// the question is answered.
func forgotten(ago time.Duration) bool { return ago > hot.Minute.Kept()-10*time.Minute }

// value is what a measure was in a window, and of how many events or calls.
func (r *meter) value(ctx context.Context, p *weir.Project, m *weir.AlertMeasure, w window, now time.Time) (*float64, int64, error) {
	if len(m.Filter) == 0 && m.Kind != weir.MeasureInsight && !forgotten(now.Sub(w.from)) {
		v, n, ok, err := r.fromCounters(ctx, p, m, w, now)
		if ok || err != nil {
			return v, n, err
		}
	}
	if r.insights == nil {
		return nil, 0, weir.Errorf(weir.EUNAVAILABLE, "this node has no cold tier to ask")
	}
	return r.fromInsights(ctx, p, m, w)
}

// fromCounters is the value of counters; ok is false when they do not have it.
func (r *meter) fromCounters(ctx context.Context, p *weir.Project, m *weir.AlertMeasure, w window, now time.Time) (v *float64, n int64, ok bool, err error) {
	switch m.Kind {
	case weir.MeasureEvents:
		if m.Event == "" {
			n, err = r.sum(ctx, p, hot.Total, "", w)
			break
		}
		return r.member(ctx, p, hot.Name, m.Event, w)
	case weir.MeasureCalls:
		if m.Route == "" {
			n, err = r.sum(ctx, p, hot.Calls, "", w)
			break
		}
		return r.member(ctx, p, hot.Route, m.Route, w)
	case weir.MeasureVisitors:
		n, err = r.counters.Uniques(ctx, p.ID, hot.Minute, w.from, w.to)
	case weir.MeasureLiveVisitors:
		var live int
		live, err = r.counters.Live(ctx, p.ID, now)
		n = int64(live)
	case weir.MeasureErrorRate, weir.MeasureSuccessRate:
		if m.Route != "" {
			return nil, 0, false, nil
		}
		classes, err := r.counters.Members(ctx, p.ID, hot.Minute, hot.Status, w.from, w.to, 0)
		if err != nil {
			return nil, 0, false, err
		}
		var o hot.CallResults
		for _, c := range classes {
			o.Add(c.Name, c.Count)
		}
		return rate(m.Kind, o), o.Known, true, nil
	}
	if err != nil {
		return nil, 0, false, err
	}
	return new(float64(n)), n, true, nil
}

// rate is nil without any calls.
func rate(kind weir.MeasureKind, o hot.CallResults) *float64 {
	if kind == weir.MeasureErrorRate {
		o.Succeeded = o.Known - o.Succeeded
	}
	return o.SuccessRate()
}

func (r *meter) sum(ctx context.Context, p *weir.Project, d hot.Dimension, member string, w window) (n int64, err error) {
	points, err := r.counters.Series(ctx, p.ID, hot.Minute, d, member, w.from, w.to)
	for _, pt := range points {
		n += pt.Count
	}
	return n, err
}

// member returns the count of one name, or of one route as the project's URL rules name it. If there were so many names that some were
// counted as others, the cold tier has the exact count, if it can be asked.
func (r *meter) member(ctx context.Context, p *weir.Project, d hot.Dimension, member string, w window) (*float64, int64, bool, error) {
	q := hot.Question{Grain: hot.Minute, Dimension: d, Only: member}
	if d == hot.Route {
		q.Named = p.URLRules.Namer()
	}
	for at := w.from; at.Before(w.to); at = at.Add(time.Minute) {
		q.Starts = append(q.Starts, at)
	}
	f, err := r.counters.Inquire(ctx, p.ID, hot.Inquiry{Tables: []hot.Question{q}})
	if err != nil {
		return nil, 0, false, err
	}
	if f.Tables[0].Rest > 0 && r.insights != nil {
		return nil, 0, false, nil
	}
	n := f.Tables[0].Rows[0].Sum
	return new(float64(n)), n, true, nil
}

// fromInsights is the value of the cold tier, asked as of the window's end.
func (r *meter) fromInsights(ctx context.Context, p *weir.Project, m *weir.AlertMeasure, w window) (*float64, int64, error) {
	if m.Insight != "" {
		return r.fromTotals(ctx, p, m, w)
	}
	q := weir.Trend{Common: weir.Common{From: w.from, To: w.to, Interval: weir.Minute, Filter: m.Filter}}
	if w.to.Sub(w.from) > time.Hour {
		q.Interval = weir.Hour
	}
	if m.Route != "" {
		q.Filter = with(q.Filter, weir.Condition{Column: "route", Op: "=", Values: []string{m.Route}})
	}
	calls := []weir.Series{{Event: weir.NameCall, Math: weir.MathTotal}}
	switch m.Kind {
	case weir.MeasureErrorRate, weir.MeasureSuccessRate:
		o, asOf, err := r.insights.Outcomes(ctx, p, q, fresh)
		if err = complete(w, asOf, err); err != nil {
			return nil, 0, err
		}
		return rate(m.Kind, o), o.Known, nil
	case weir.MeasureInsight:
		q.Series = []weir.Series{{Event: m.Event, Math: m.Math, Property: m.Property}, {Event: m.Event, Math: weir.MathTotal}}
	case weir.MeasureCalls:
		q.Series = append(calls, calls...)
	default:
		s := weir.Series{Event: m.Event, Math: weir.MathTotal}
		q.Series = []weir.Series{s, s}
	}
	values, err := r.ask(ctx, p, w, q)
	if err != nil {
		return nil, 0, err
	}
	return values[0], count(values[1]), nil
}

// with is a filter and more conditions; the filter is not changed.
func with(filter []weir.Condition, more ...weir.Condition) []weir.Condition {
	return append(slices.Clip(filter), more...)
}

func count(v *float64) int64 {
	if v == nil {
		return 0
	}
	return int64(*v)
}

// fresh is how stale an answer may be: less than grace, so that events that were
// sent a little late are in it, and enough for the alerts of one pass to share a
// barrier.
const fresh = 5 * time.Second

func (r *meter) ask(ctx context.Context, p *weir.Project, w window, q weir.Trend) ([]*float64, error) {
	values, asOf, err := r.insights.Totals(ctx, p, q, fresh)
	if err = complete(w, asOf, err); err != nil {
		return nil, err
	}
	if len(values) != len(q.Series) {
		return nil, weir.Errorf(weir.EINTERNAL, "%d values for %d series", len(values), len(q.Series))
	}
	return values, nil
}

// complete returns the error of an answer. An answer that lacks events of the window is an
// error too: its value would show a drop where there is none.
func complete(w window, asOf time.Time, err error) error {
	if err == nil && asOf.Before(w.to) {
		return weir.Errorf(weir.EUNAVAILABLE, "the cold tier is complete up to %s only", asOf.UTC().Format(time.RFC3339))
	}
	return err
}
