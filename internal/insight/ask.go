package insight

import (
	"context"
	"fmt"
	"time"

	weir "github.com/weir-analytics/weir"
)

// Meta says how current an answer is.
type Meta struct {
	AsOf      time.Time `json:"as_of" doc:"up to when the answer is complete"`
	Cached    bool      `json:"cached"`
	ElapsedMS int64     `json:"elapsed_ms"`
}

// Asker answers questions. An Engine is one.
type Asker interface {
	// Ask answers a question. freshness is how old the answer may be; 0 waits for all
	// that was acknowledged. Several askers may share an answer, so nobody may change
	// it. Errors: EINVALID for a question that is not allowed, ETOOLARGE and EUNAVAILABLE
	// for one that takes too much memory or time.
	Ask(ctx context.Context, p *weir.Project, q weir.Question, freshness time.Duration) (Answer, error)
}

// Ask asks, and returns the answer as the type of the question's kind: a *Trend for a
// weir.Trend, and so on.
func Ask[A any](ctx context.Context, asker Asker, p *weir.Project, q weir.Question, freshness time.Duration) (*A, error) {
	a, err := asker.Ask(ctx, p, q, freshness)
	if err != nil {
		return nil, err
	}
	own, ok := any(a).(*A)
	if !ok {
		return nil, fmt.Errorf("insight: the answer to a question of kind %s is a %T", q.Kind(), a)
	}
	return own, nil
}

// Ask implements Asker. All kinds of question take this way: check and plan, look into the
// cache, wait for memory, pass the barrier, read the identities, and then read what the
// plan says.
func (e *Engine) Ask(ctx context.Context, p *weir.Project, q weir.Question, freshness time.Duration) (Answer, error) {
	ctx, cancel := e.within(ctx)
	defer cancel()
	k, err := kindNamed(q.Kind())
	if err != nil {
		return nil, err
	}
	q = upToNow(q, e.clock.Now(), freshness)
	if err := q.Validate(); err != nil {
		return nil, err
	}
	if q, err = e.resolve(ctx, p, q); err != nil {
		return nil, err
	}
	if err := checkTests(p, q); err != nil {
		return nil, err
	}
	pl, err := k.plan(e, p, q)
	if err != nil {
		return nil, err
	}
	return e.cached(ctx, k, p, q, freshness, func() (Answer, error) { return e.answer(ctx, k, p, pl, freshness) })
}

func (e *Engine) answer(ctx context.Context, k *kind, p *weir.Project, pl plan, freshness time.Duration) (Answer, error) {
	need := pl.needed()
	release, err := e.hold(ctx, need.bytes)
	if err != nil {
		return nil, err
	}
	defer release()
	done, err := e.passBarrier(ctx, p, freshness)
	if err != nil {
		return nil, err
	}
	r := &reader{Engine: e, project: p, asOf: done().AsOf}
	if need.identities {
		if r.identities, err = e.identitiesOf(ctx, p); err != nil {
			return nil, fmt.Errorf("insight: %s: %w", k.name, err)
		}
	}
	a, err := pl.answer(ctx, r)
	if err != nil {
		return nil, fmt.Errorf("insight: %s: %w", k.name, err)
	}
	about := a.about()
	about.Kind, about.Meta = k.name, done()
	return a, nil
}

// passBarrier waits until all acknowledged events are in the cold tier. With a freshness it
// waits only if the cold tier is further behind than that. done returns the Meta of an answer
// that is computed when done is called.
func (e *Engine) passBarrier(ctx context.Context, p *weir.Project, freshness time.Duration) (done func() Meta, err error) {
	start := e.clock.Now()
	asOf := e.b.AsOf()
	if freshness <= 0 || asOf.IsZero() || start.Sub(asOf) > freshness {
		if asOf, err = e.b.Flush(ctx); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("insight: barrier: %w", err)
		}
	}
	return func() Meta {
		return Meta{
			AsOf:      asOf.In(p.Location()),
			ElapsedMS: e.clock.Now().Sub(start).Milliseconds(),
		}
	}, nil
}

// AsOf returns up to when an answer is complete.
func AsOf(a Answer) time.Time { return a.about().AsOf }
