package insight

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/cold"
)

// Limits and defaults of a trend.
const (
	maxSeries     = 10
	maxGroups     = 100
	defaultGroups = 10
)

// trendPlan is a trend whose every part was found to be allowed.
type trendPlan struct {
	project *weir.Project
	series  []seriesPlan
	filter  fragment
	group   *column // nil without a breakdown
	groups  int     // most lines of a breakdown, other left out
	tallied bool    // filter and breakdown are by columns that tallies has
	now     buckets
	before  *buckets // nil without a comparison
}

type seriesPlan struct {
	weir.Series
	aggregate aggregate
	value     *column // nil for total and unique
}

// planTrend checks a query. Error: EINVALID.
func (e *Engine) planTrend(p *weir.Project, l linkState, q weir.Query) (*trendPlan, error) {
	if q.Kind != "" && q.Kind != weir.KindTrend {
		return nil, weir.Errorf(weir.EINVALID, "kind %q is not a trend", q.Kind)
	}
	if n := len(q.Series); n == 0 || n > maxSeries {
		return nil, weir.Errorf(weir.EINVALID, "a trend needs 1 to %d series, there are %d", maxSeries, n)
	}
	if q.Sort != "" {
		return nil, weir.Errorf(weir.EINVALID, "a trend takes no sort: its groups are ranked by their events")
	}
	if q.Limit < 0 || q.Limit > maxGroups {
		return nil, weir.Errorf(weir.EINVALID, "limit must be 1 to %d", maxGroups)
	}
	t := &trendPlan{project: p, groups: q.Limit}
	if t.groups == 0 {
		t.groups = defaultGroups
	}
	var err error
	if t.now, err = divide(q.From, q.To, q.Interval, p.Location(), e.o.MaxPoints); err != nil {
		return nil, err
	}
	if t.before, err = earlier(t.now, q, p.Location()); err != nil {
		return nil, err
	}
	if t.filter, err = e.filter(p, l, q.Filter); err != nil {
		return nil, err
	}
	if q.Breakdown != "" {
		c, err := e.breakdown(p, l, q.Breakdown)
		if err != nil {
			return nil, err
		}
		t.group = &c
	}
	t.tallied = !e.o.Raw && (q.Breakdown == "" || cold.IsTallied(q.Breakdown))
	for _, c := range q.Filter {
		t.tallied = t.tallied && cold.IsTallied(c.Column)
	}
	for _, s := range q.Series {
		sp, err := e.planSeries(s)
		if err != nil {
			return nil, err
		}
		t.series = append(t.series, sp)
	}
	return t, nil
}

func (e *Engine) planSeries(s weir.Series) (seriesPlan, error) {
	m, ok := maths[s.Math]
	if !ok {
		return seriesPlan{}, weir.Errorf(weir.EINVALID, "unknown math %q: use %s", s.Math, quote(mathNames...))
	}
	if err := isText("event", s.Event); err != nil {
		return seriesPlan{}, err
	}
	sp := seriesPlan{Series: s, aggregate: m}
	if !m.values {
		if s.Property != "" {
			return seriesPlan{}, weir.Errorf(weir.EINVALID, "math %q counts events or persons and takes no property", s.Math)
		}
		return sp, nil
	}
	if s.Property == "" {
		return seriesPlan{}, weir.Errorf(weir.EINVALID, "math %q needs a property: latency_ms, revenue, status or properties.NAME", s.Math)
	}
	c, err := columnOf(e.d, s.Property)
	if err != nil {
		return seriesPlan{}, err
	}
	if err := c.numeric(); err != nil {
		return seriesPlan{}, err
	}
	sp.value = &c
	return sp, nil
}

// earlier is the range to compare with, nil for none. Error: EINVALID.
//
// Previous is the same length of time just before: the same number of days,
// where the range begins and ends with a day, so that a night with a change of
// clocks does not shift the days before it by an hour. Each bucket is the one
// with its index moved back.
func earlier(b buckets, q weir.Query, loc *time.Location) (*buckets, error) {
	var move func(time.Time) time.Time
	switch q.Compare {
	case weir.CompareNone:
		return nil, nil
	case weir.CompareYear:
		move = func(t time.Time) time.Time { return back(t, 1, 0) }
	case weir.ComparePrevious:
		length := q.To.Sub(q.From)
		move = func(t time.Time) time.Time { return t.Add(-length) }
		if days, ok := wholeDays(q.From.In(loc), q.To.In(loc)); ok {
			move = func(t time.Time) time.Time { return back(t, 0, days) }
		}
	default:
		return nil, weir.Errorf(weir.EINVALID, "unknown compare %q: use previous or year", q.Compare)
	}
	s := b.shift(loc, move)
	return &s, nil
}

// back is the same time of day on an earlier date; the first instant of a date
// stays one.
func back(t time.Time, years, days int) time.Time {
	if y, m, d := t.Date(); t.Equal(weir.Midnight(y, m, d, t.Location())) {
		return weir.Midnight(y-years, m, d-days, t.Location())
	}
	return t.AddDate(-years, 0, -days)
}

// wholeDays is the number of dates from the first instant of one to that of
// another; ok is false when the times are not such.
func wholeDays(from, to time.Time) (days int, ok bool) {
	date := func(t time.Time) time.Time {
		y, m, d := t.Date()
		ok = ok && t.Equal(weir.Midnight(y, m, d, t.Location()))
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	ok = true
	n := date(to).Sub(date(from)) / (24 * time.Hour)
	return int(n), ok
}
