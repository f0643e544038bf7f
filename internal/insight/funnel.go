package insight

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	weir "github.com/weir-analytics/weir"
)

var funnelKind = newKind[weir.Funnel, Funnel](weir.KindFunnel, nil, planFunnel)

// funnelPlan is a funnel that was checked.
type funnelPlan struct {
	needs
	rules    funnelRules
	labels   []string
	steps    []filter
	excluded []filter
	names    []string // of the steps' and exclusions' events; nil if one of them has none
	filter   filter
	bots     weir.Bots
	asked    filter // the question's own
	read     span   // where events are read: as far as a window reaches
	by       *column
	limit    int
	visits   bool
	over     buckets // none without points
}

func planFunnel(e *Engine, p *weir.Project, q weir.Funnel) (plan, error) {
	window, err := q.WindowTime()
	if err != nil {
		return nil, weir.Within("window", err)
	}
	pl := &funnelPlan{
		needs: needs{bytes: answerBytes, identities: true}, bots: q.Bots.OfPeople(),
		visits: q.Count == weir.CountVisits, limit: cmp.Or(q.Limit, weir.DefaultGroups),
		rules: funnelRules{order: cmp.Or(q.Order, weir.OrderOrdered), window: window.Microseconds(), entry: span{q.From.UnixMicro(), q.To.UnixMicro()}},
	}
	// An event at the end of the last window is read too: it is inside.
	pl.read = span{pl.rules.entry.from, pl.rules.entry.to + pl.rules.window}
	if pl.rules.of, err = q.AttributedStep(); err != nil {
		return nil, weir.Within("attribution", err)
	}
	if pl.asked, err = checkFilter(e.d, p, q.Filter, q.Resolved); err != nil {
		return nil, err
	}
	pl.filter = pl.asked.with(pl.bots)
	if err := pl.selectors(e, p, q); err != nil {
		return nil, err
	}
	if q.Breakdown != "" {
		c, err := breakdownColumn(e.d, p, q.Breakdown)
		if err != nil {
			return nil, weir.Within("breakdown", err)
		}
		pl.by = &c
	}
	if q.Over != "" {
		if pl.over, err = divide(q.From, q.To, q.Over, p.Location(), e.o.MaxPoints); err != nil {
			return nil, weir.Within("over", err)
		}
	}
	return pl, nil
}

// selectors checks which events the steps and exclusions are. Error: EINVALID.
func (pl *funnelPlan) selectors(e *Engine, p *weir.Project, q weir.Funnel) error {
	for i, s := range q.Steps {
		f, err := checkSelector(e.d, p, s.Selector(), q.Resolved)
		if err != nil {
			return weir.Within(fmt.Sprintf("steps[%d]", i), err)
		}
		pl.steps = append(pl.steps, f)
		pl.labels = append(pl.labels, cmp.Or(s.Label, s.Event, q.Resolved[s.Action].Name))
		pl.rules.optional = append(pl.rules.optional, s.Optional)
		pl.names = append(pl.names, s.Event)
	}
	for i, x := range q.Exclude {
		f, err := checkSelector(e.d, p, x.Selector(), q.Resolved)
		if err != nil {
			return weir.Within(fmt.Sprintf("exclude[%d]", i), err)
		}
		pl.excluded = append(pl.excluded, f)
		pl.rules.exclude = append(pl.rules.exclude, stretchOfSteps{cmp.Or(x.From, 1), cmp.Or(x.To, len(q.Steps))})
		pl.names = append(pl.names, x.Event)
	}
	if slices.Contains(pl.names, "") {
		pl.names = nil
	}
	return nil
}

func (pl *funnelPlan) answer(ctx context.Context, r *reader) (Answer, error) {
	t := &funnelTally{all: newFunnelCounts(len(pl.steps)), over: pl.over, memory: growing{e: r.Engine}}
	defer t.memory.release()
	if pl.by != nil {
		t.groups = map[Group]*funnelCounts{}
	}
	for _, us := range pl.over.starts {
		t.points = append(t.points, FunnelPoint{Time: r.local(us)})
	}
	a := &Funnel{}
	err := r.parallel(ctx,
		func(ctx context.Context) error { return pl.fold(ctx, r, t) },
		func(ctx context.Context) (err error) {
			entry := buckets{from: pl.rules.entry.from, to: pl.rules.entry.to, starts: []int64{pl.rules.entry.from}}
			a.BotsLeftOut, err = r.leftOut(ctx, pl.bots, entry, pl.asked.and(pl.first()), fragment{})
			return err
		})
	if err != nil {
		return nil, err
	}
	a.Steps = t.all.steps(pl.labels, pl.rules.optional)
	if pl.by != nil {
		a.Groups = t.largest(pl.by.kind, pl.limit, pl.labels, pl.rules.optional)
	}
	for i := range t.points {
		t.points[i].Rate = ratio(t.points[i].Converted, t.points[i].Entered)
	}
	a.Points = t.points
	return a, nil
}

// first is the filter for the events that begin an attempt.
func (pl *funnelPlan) first() filter {
	if pl.rules.order == weir.OrderAny {
		return anyOf(pl.steps)
	}
	return pl.steps[0]
}

// fold reads the events of one person after another, and counts the attempt of each.
func (pl *funnelPlan) fold(ctx context.Context, r *reader, t *funnelTally) error {
	f := newFunnelFold(pl.rules)
	finish := func() error {
		if a := f.finish(); a != nil {
			return t.add(a)
		}
		return nil
	}
	var e funnelEvent
	var who, person string
	var bits int64
	var k *key
	into := []any{&who, &e.at, &bits}
	if pl.by != nil {
		k = newKey(pl.by.kind)
		into = append(into, k.into())
	}
	err := r.each(ctx, pl.statement(r), func(scan func(...any) error) error {
		if err := scan(into...); err != nil {
			return err
		}
		if who != person {
			if err := finish(); err != nil {
				return err
			}
			person = who
		}
		e.steps, e.excluded = uint64(bits)&(1<<len(pl.steps)-1), uint64(bits)>>len(pl.steps)
		if k != nil {
			value, ok := k.text()
			e.group = Group{Value: value, None: !ok}
		}
		f.add(&e)
		return nil
	})
	if err != nil {
		return err
	}
	return finish()
}
