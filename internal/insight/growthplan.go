package insight

import (
	"time"

	weir "github.com/weir-analytics/weir"
)

// nameSignup is the event that is a signup where the query names none; so is the
// first time that a person identifies itself.
const nameSignup = "signup"

// maxGrowth is how many points of growth may be asked for: a statement counts about
// 30 of them.
const maxGrowth = 1000

// growthPlan is a question about growth whose every part was found to be allowed.
type growthPlan struct {
	now    buckets // the first one is that before the range
	before *buckets
	signup fragment // the names of the events that are a signup
	filter fragment
	bots   bool
	all    bool // no filter
}

// planGrowth checks a query. Error: EINVALID.
func (e *Engine) planGrowth(p *weir.Project, l linkState, q weir.Query) (*growthPlan, error) {
	if q.Kind != "" && q.Kind != weir.KindGrowth {
		return nil, weir.Errorf(weir.EINVALID, "kind %q is not growth", q.Kind)
	}
	if q.Breakdown != "" || q.Limit != 0 || q.Sort != "" {
		return nil, weir.Errorf(weir.EINVALID, "growth takes no breakdown, limit or sort")
	}
	switch q.Interval {
	case weir.Day, weir.Week, weir.Month:
	default:
		return nil, weir.Errorf(weir.EINVALID, "growth by interval %q: use day, week or month", q.Interval)
	}
	pl := &growthPlan{bots: q.Bots, all: len(q.Filter) == 0}
	var err error
	if pl.signup, err = signups(q.Series); err != nil {
		return nil, err
	}
	loc := p.Location()
	b, err := divide(q.From, q.To, q.Interval, loc, min(e.o.MaxPoints, maxGrowth))
	if err != nil {
		return nil, err
	}
	// The range begins with a whole bucket: who came in the half that is left out
	// would be neither new nor known.
	q.From = time.UnixMicro(b.starts[0])
	first, err := divide(q.From.Add(-time.Microsecond), q.From, q.Interval, loc, e.o.MaxPoints)
	if err != nil {
		return nil, err
	}
	pl.now = buckets{from: first.starts[0], to: b.to, starts: append(first.starts[:1:1], b.starts...)}
	if pl.before, err = earlier(pl.now, q, loc); err != nil {
		return nil, err
	}
	if pl.filter, err = e.filter(p, l, q.Filter); err != nil {
		return nil, err
	}
	if !q.Bots {
		pl.filter = sql("@ AND bot = FALSE", pl.filter)
	}
	return pl, nil
}

// signups are the names of the events that are a signup. Error: EINVALID.
func signups(series []weir.Series) (fragment, error) {
	switch {
	case len(series) == 0 || len(series) == 1 && series[0].Event == "":
		return list([]fragment{bind(nameSignup), bind(weir.NameIdentify)}, ", "), nil
	case len(series) > 1:
		return fragment{}, weir.Errorf(weir.EINVALID, "growth takes one series: the event that is a signup")
	}
	s := series[0]
	if s.Property != "" || s.Math != "" && s.Math != weir.MathTotal && s.Math != weir.MathUnique {
		return fragment{}, weir.Errorf(weir.EINVALID, "the series of growth takes an event alone: it counts the persons who signed up")
	}
	if err := isText("event", s.Event); err != nil {
		return fragment{}, err
	}
	return bind(s.Event), nil
}

// span is a stretch of time, µs, from inclusive, to exclusive.
type span struct{ from, to int64 }

// bucket is bucket i as a span.
func (b buckets) bucket(i int) span {
	if i+1 < len(b.starts) {
		return span{b.starts[i], b.starts[i+1]}
	}
	return span{b.starts[i], max(b.to, b.starts[i])}
}

// days is the n dates that end with the date at whose end, or in whose course, the
// bucket ends: one that goes on at asOf ends then.
func (s span) days(n int, asOf int64, loc *time.Location) span {
	last := s.to
	if s.from < asOf && asOf < s.to {
		last = asOf
	}
	y, m, d := time.UnixMicro(last - 1).In(loc).Date()
	return span{weir.Midnight(y, m, d-n+1, loc).UnixMicro(), s.to}
}
