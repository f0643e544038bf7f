package insight

import (
	"context"

	weir "github.com/weir-analytics/weir"
)

// Stickiness is the answer of kind stickiness.
type Stickiness struct {
	Points []StickinessPoint `json:"points" nullable:"false" doc:"one for each number of buckets, from 1 to all of the range"`
	DAUWAU *float64          `json:"dau_wau" doc:"of the days of the range: the sum of their daily active persons by that of their weekly active ones, 0 to 1; null without any"`
	DAUMAU *float64          `json:"dau_mau" doc:"the same by the monthly active ones"`
	About
}

// StickinessPoint counts the persons who were active in so many buckets.
type StickinessPoint struct {
	Buckets int   `json:"buckets"`
	Persons int64 `json:"persons"`
}

var stickinessKind = newKind[weir.Stickiness, Stickiness](weir.KindStickiness, func(q *weir.Stickiness) { defaultToDay(&q.Common) }, planStickiness)

type stickinessPlan struct {
	needs
	now        buckets
	days       buckets
	filter     filter
	bots       weir.Bots
	cumulative bool
}

// maxStickyDays bounds the days whose active persons are counted: a statement counts about 30.
const maxStickyDays = 400

func planStickiness(e *Engine, p *weir.Project, q weir.Stickiness) (plan, error) {
	pl := &stickinessPlan{needs: needs{bytes: answerBytes, identities: true}, bots: q.Bots.OfPeople(), cumulative: q.Cumulative}
	var err error
	if pl.now, err = divide(q.From, q.To, q.Interval, p.Location(), min(e.o.MaxPoints, maxWide)); err != nil {
		return nil, err
	}
	if pl.days, err = divide(q.From, q.To, weir.Day, p.Location(), maxStickyDays); err != nil {
		return nil, err
	}
	conditions, err := checkFilter(e.d, p, q.Filter, q.Resolved)
	if err != nil {
		return nil, err
	}
	active, err := checkSelector(e.d, p, q.Selector(), q.Resolved)
	pl.filter = active.and(conditions)
	return pl, err
}

func (pl *stickinessPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	of := r.scope(pl.filter.with(pl.bots), pl.bots)
	a := &Stickiness{Points: make([]StickinessPoint, len(pl.now.starts))}
	for i := range a.Points {
		a.Points[i].Buckets = i + 1
	}
	err := r.parallel(ctx,
		func(ctx context.Context) error { return pl.count(ctx, r, of, a) },
		func(ctx context.Context) error { return pl.ratios(ctx, r, of, a) },
		func(ctx context.Context) (err error) {
			a.BotsLeftOut, err = r.leftOut(ctx, pl.bots, pl.now, pl.filter, fragment{})
			return err
		})
	return a, err
}

// count counts the persons by their number of buckets.
func (pl *stickinessPlan) count(ctx context.Context, r *reader, of *personScope, a *Stickiness) error {
	rows, err := r.personRows(ctx, of, pl.now)
	if err != nil {
		return err
	}
	err = r.eachMask(ctx, rows, len(pl.now.starts), func(w *wide, persons int64) {
		n := 0
		for i := range pl.now.starts {
			if w.has(i) {
				n++
			}
		}
		a.Points[n-1].Persons += persons
	})
	if pl.cumulative {
		for i := len(a.Points) - 2; i >= 0; i-- {
			a.Points[i].Persons += a.Points[i+1].Persons
		}
	}
	return err
}

// ratios adds up who was active on each day of the range, and in the 7 and 30 days that end
// with it.
func (pl *stickinessPlan) ratios(ctx context.Context, r *reader, of *personScope, a *Stickiness) error {
	type windows struct{ day, week, month span }
	loc, asOf := r.project.Location(), r.asOf.UnixMicro()
	var spans []span
	windowsOf := make([]windows, len(pl.days.starts))
	for i := range windowsOf {
		s := pl.days.bucket(i)
		windowsOf[i] = windows{s.days(1, asOf, loc), s.days(7, asOf, loc), s.days(30, asOf, loc)}
		spans = append(spans, windowsOf[i].day, windowsOf[i].week, windowsOf[i].month)
	}
	counts, err := r.countPersons(ctx, of, spans)
	if err != nil {
		return err
	}
	var day, week, month int64
	for _, w := range windowsOf {
		day, week, month = day+counts[w.day], week+counts[w.week], month+counts[w.month]
	}
	a.DAUWAU, a.DAUMAU = ratio(day, week), ratio(day, month)
	return nil
}
