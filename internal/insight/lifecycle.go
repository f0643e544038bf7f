package insight

import (
	"context"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Lifecycle is the answer of kind lifecycle.
type Lifecycle struct {
	Points []LifecyclePoint `json:"points" nullable:"false" doc:"oldest first"`
	About
}

// LifecyclePoint is what became of the persons in the bucket that starts at Time.
type LifecyclePoint struct {
	Time         time.Time `json:"time"`
	New          int64     `json:"new" doc:"persons whose first ever event is in the bucket"`
	Returning    int64     `json:"returning" doc:"active in the bucket before too"`
	Resurrecting int64     `json:"resurrecting" doc:"active at some time before, but not in the bucket before"`
	Dormant      int64     `json:"dormant" doc:"active in the bucket before and not in this one; negative"`
}

var lifecycleKind = newKind[weir.Lifecycle, Lifecycle](weir.KindLifecycle, func(q *weir.Lifecycle) { defaultToDay(&q.Common) }, planLifecycle)

// lifecyclePlan is growth of the events that make a person active, without the rest.
type lifecyclePlan struct{ *growthPlan }

func planLifecycle(e *Engine, p *weir.Project, q weir.Lifecycle) (plan, error) {
	pl, err := planGrowth(e, p, weir.Growth{Common: q.Common})
	if err != nil {
		return nil, err
	}
	own := lifecyclePlan{pl.(*growthPlan)}
	active, err := checkSelector(e.d, p, q.Selector(), q.Resolved)
	own.filter = active.and(own.filter)
	return own, err
}

func (pl lifecyclePlan) answer(ctx context.Context, r *reader) (Answer, error) {
	of := pl.persons(r)
	g := &growthOfRange{b: pl.now, loc: r.project.Location(), asOf: r.asOf.UnixMicro()}
	spans := []span{g.b.bucket(0)}
	for i := 1; i < len(g.b.starts); i++ {
		spans = append(spans, g.b.bucket(i), g.with(i))
	}
	a := &Lifecycle{}
	err := r.parallel(ctx,
		func(ctx context.Context) (err error) { g.active, err = r.countPersons(ctx, of, spans); return err },
		func(ctx context.Context) error { return pl.firsts(ctx, r, of, g) },
		func(ctx context.Context) (err error) { a.BotsLeftOut, err = pl.leftOut(ctx, r); return err })
	if err != nil {
		return nil, err
	}
	a.Points = make([]LifecyclePoint, len(g.b.starts)-1)
	for n := range a.Points {
		i := n + 1
		before, now := g.active[g.b.bucket(i-1)], g.active[g.b.bucket(i)]
		returning := now + before - g.active[g.with(i)]
		a.Points[n] = LifecyclePoint{
			Time: r.local(g.b.starts[i]), New: g.firsts[i+1], Returning: returning, Resurrecting: now - g.firsts[i+1] - returning, Dormant: returning - before,
		}
	}
	return a, nil
}
