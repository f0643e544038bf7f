package insight

import (
	"slices"
	"time"

	weir "github.com/weir-analytics/weir"
)

var growthKind = newKind[weir.Growth, Growth](weir.KindGrowth, func(q *weir.Growth) { defaultToDay(&q.Common) }, planGrowth)

// nameSignup is the event that is a signup if the question names none. The first time that
// a person identifies itself is one too.
const nameSignup = "signup"

// maxGrowth is the most points of growth: a statement counts about 30 of them.
const maxGrowth = 1000

// growthPlan is a question about growth that was checked.
type growthPlan struct {
	needs
	now    buckets  // the first one is the one before the range
	before *buckets // nil without a comparison
	signup []string // the names of the events that are a signup
	filter filter
	bots   weir.Bots
	of     *column // what is counted in place of persons; nil: persons
}

func planGrowth(e *Engine, p *weir.Project, q weir.Growth) (plan, error) {
	pl := &growthPlan{bots: q.Bots.OfPeople(), signup: []string{nameSignup, weir.NameIdentify}, needs: needs{bytes: answerBytes, identities: true}}
	if name := q.Signup(); name != "" {
		pl.signup = []string{name}
	}
	loc := p.Location()
	b, err := divide(q.From, q.To, q.Interval, loc, min(e.o.MaxPoints, maxGrowth))
	if err != nil {
		return nil, err
	}
	// The range begins with a whole bucket: otherwise a person who came in the part that is
	// left out would be neither new nor known.
	from := time.UnixMicro(b.starts[0])
	first, err := divide(from.Add(-time.Microsecond), from, q.Interval, loc, e.o.MaxPoints)
	if err != nil {
		return nil, err
	}
	pl.now = buckets{from: first.starts[0], to: b.to, starts: append(first.starts[:1:1], b.starts...)}
	pl.before = earlier(pl.now, q.Compare, from, q.To, loc)
	if pl.filter, err = checkFilter(e.d, p, q.Filter, q.Resolved); err != nil {
		return nil, err
	}
	pl.of, err = countedColumn(e.d, p, q.Of)
	return pl, err
}

// persons returns the scope of the persons that the question counts.
func (pl *growthPlan) persons(r *reader) *personScope {
	of := r.scope(pl.filter.with(pl.bots), pl.bots)
	if pl.of != nil {
		of.who, of.every = pl.of.who(r.d), false
		if pl.of.source != "" {
			of.sources = append(slices.Clip(of.sources), pl.of.source)
		}
	}
	return of
}

// signups are the persons with an event that is a signup.
func (pl *growthPlan) signups(of *personScope) *personScope {
	signing := *of
	values := make([]fragment, len(pl.signup))
	for i, name := range pl.signup {
		values[i] = bind(name)
	}
	signing.filter, signing.every = all(of.filter, isOneOf(raw("name"), values)), false
	return &signing
}

// days returns the n dates that end with the date of the bucket's end. If the bucket goes
// on at asOf, they end with the date of asOf.
func (s span) days(n int, asOf int64, loc *time.Location) span {
	last := s.to
	if s.from < asOf && asOf < s.to {
		last = asOf
	}
	y, m, d := weir.CalendarDate(time.UnixMicro(last-1), loc)
	return span{weir.Midnight(y, m, d-n+1, loc).UnixMicro(), s.to}
}
