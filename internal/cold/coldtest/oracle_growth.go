package coldtest

import (
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/insight"
)

// stretch is a time from inclusive, to exclusive.
type stretch struct{ from, to time.Time }

// somebody is one person's past.
type somebody struct {
	seen   []time.Time
	first  time.Time
	signup time.Time // zero for never
}

func (s *somebody) in(w stretch) bool {
	for _, t := range s.seen {
		if !t.Before(w.from) && t.Before(w.to) {
			return true
		}
	}
	return false
}

// growth answers a query of kind growth.
func (o *oracle) growth(q weir.Growth) *insight.Growth {
	starts := o.starts(q.From, q.To, q.Interval)
	q.From = starts[0]
	// A bucket more, before the range.
	starts = append([]time.Time{o.bucket(q.From.Add(-time.Microsecond), q.Interval)}, starts...)
	a := &insight.Growth{}
	a.Points, a.Totals = o.growthOf(q, starts, q.To)
	if q.Compare != weir.CompareNone {
		back := o.back(q.Common, q.Compare)
		c := &insight.GrowthComparison{From: back(q.From), To: back(q.To)}
		c.Points, c.Totals = o.growthOf(q, moved(starts, back), c.To)
		a.Compare = c
	}
	a.BotsLeftOut = o.leftOut(q.Common)
	return a
}

// people is everybody who was there before an end.
func (o *oracle) people(q weir.Growth, to time.Time) []*somebody {
	signups := map[string]bool{"signup": true, weir.NameIdentify: true}
	if len(q.Series) > 0 && q.Series[0].Event != "" {
		signups = map[string]bool{q.Series[0].Event: true}
	}
	all := make(map[[2]string]*somebody)
	var out []*somebody
	for _, e := range o.match(time.Time{}, to, q.Filter, "") {
		who, ok := o.person(e)
		if q.Of != "" {
			who[0] = "value"
			who[1], ok = o.value(e, q.Of)
		}
		if !ok || !q.Bots.OfPeople().Counts(e.Bot) {
			continue
		}
		s := all[who]
		if s == nil {
			s = &somebody{first: e.Time}
			all[who] = s
			out = append(out, s)
		}
		s.seen = append(s.seen, e.Time)
		if e.Time.Before(s.first) {
			s.first = e.Time
		}
		if signups[e.Name] && (s.signup.IsZero() || e.Time.Before(s.signup)) {
			s.signup = e.Time
		}
	}
	return out
}

// growthOf is the growth in buckets of which the first is not in the range.
func (o *oracle) growthOf(q weir.Growth, starts []time.Time, to time.Time) ([]insight.GrowthPoint, insight.GrowthTotals) {
	people := o.people(q, to)
	bucket := func(i int) stretch {
		if i+1 < len(starts) {
			return stretch{starts[i], starts[i+1]}
		}
		return stretch{starts[i], to}
	}
	holds := func(w stretch, t time.Time) bool { return !t.IsZero() && !t.Before(w.from) && t.Before(w.to) }
	count := func(is func(s *somebody) bool) (n int64) {
		for _, s := range people {
			if is(s) {
				n++
			}
		}
		return n
	}
	active := func(w stretch) int64 { return count(func(s *somebody) bool { return s.in(w) }) }
	var points []insight.GrowthPoint
	var t insight.GrowthTotals
	var activeThen, signedUp int64
	for i := 1; i < len(starts); i++ {
		now, before := bucket(i), bucket(i-1)
		p := insight.GrowthPoint{
			Time: starts[i], Active: active(now),
			New:          count(func(s *somebody) bool { return holds(now, s.first) }),
			Returning:    count(func(s *somebody) bool { return s.in(now) && s.in(before) }),
			Resurrecting: count(func(s *somebody) bool { return s.in(now) && !s.in(before) && s.first.Before(now.from) }),
			Dormant:      -count(func(s *somebody) bool { return s.in(before) && !s.in(now) }),
			Cumulative:   count(func(s *somebody) bool { return s.first.Before(now.to) }),
			DailyActive:  active(o.lastDays(now.to, 1)), WeeklyActive: active(o.lastDays(now.to, 7)), MonthlyActive: active(o.lastDays(now.to, 30)),
		}
		p.Net = p.New + p.Resurrecting + p.Dormant
		p.Signups = count(func(s *somebody) bool { return holds(now, s.signup) })
		t.New += p.New
		t.Net += p.Net
		t.Signups += p.Signups
		if i+1 < len(starts) {
			n := count(func(s *somebody) bool { return holds(now, s.signup) && s.in(bucket(i+1)) })
			p.SignupsActive = &n
			p.SignupActiveRate = share(n, p.Signups)
			activeThen, signedUp = activeThen+n, signedUp+p.Signups
		}
		points = append(points, p)
	}
	last := points[len(points)-1]
	t.Active, t.Cumulative = active(stretch{starts[1], to}), last.Cumulative
	t.DailyActive, t.WeeklyActive, t.MonthlyActive = last.DailyActive, last.WeeklyActive, last.MonthlyActive
	if len(points) > 1 {
		t.SignupsActive, t.SignupActiveRate = &activeThen, share(activeThen, signedUp)
	}
	return points, t
}

// lastDays is the n dates that end with the one in which the moment before to is.
func (o *oracle) lastDays(to time.Time, n int) stretch {
	y, m, d := o.dateOf(to.Add(-time.Microsecond))
	return stretch{o.date(y, m, d-n+1), to}
}

func share(part, whole int64) *float64 {
	if whole == 0 {
		return nil
	}
	return new(float64(part) / float64(whole))
}
