package insight

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"sync/atomic"
	"time"

	weir "github.com/weir-analytics/weir"
	"github.com/weir-analytics/weir/internal/fleet"
	"golang.org/x/sync/singleflight"
)

const (
	keptFor  = 10 * time.Minute
	maxKept  = 4 << 20 // bytes of JSON; more would push many others out
	keptForm = 1       // one more whenever answers change what they say or how they say it: nodes of two versions may share a cache
)

// cache keeps answers, for askers that accept one that is not of now, and lets
// those who ask the same at the same time ask once.
type cache struct {
	answers      fleet.Cache
	flights      singleflight.Group
	hits, misses atomic.Uint64
}

// kept is an answer in the cache. It says what it answers, so that no mistake
// about keys gives the rows of one project to another.
type kept[T any] struct {
	Question string `json:"question"`
	Answer   *T     `json:"answer"`
}

// CacheStats is how many questions that accepted an older answer were given a
// kept one, and how many were not.
func (e *Engine) CacheStats() (hits, misses uint64) {
	return e.cache.hits.Load(), e.cache.misses.Load()
}

// asking is one asker of a question whose answer is a T.
type asking[T any] struct {
	e         *Engine
	question  string // all that the answer depends on but the events
	began     time.Time
	freshness time.Duration
	meta      func(*T) *Meta
	ask       func() (*T, error)
}

// remember answers with a kept answer to the same question if that is complete
// up to freshness ago, and else with ask's, which it keeps. Answers may be shared
// by several askers: nobody changes one.
func remember[T any](ctx context.Context, e *Engine, kind weir.Kind, p *weir.Project, q weir.Query, freshness time.Duration, meta func(*T) *Meta, ask func() (*T, error)) (*T, error) {
	question, err := json.Marshal([]any{keptForm, kind, p.ID, p.Timezone, q})
	if err != nil {
		return ask() // a time out of range; ask says so
	}
	x := &asking[T]{e: e, question: string(question), began: e.clock.Now(), freshness: freshness, meta: meta, ask: ask}
	if freshness <= 0 {
		return x.askAndKeep(ctx)
	}
	if a := x.kept(ctx); a != nil && x.fresh(a) {
		e.cache.hits.Add(1)
		x.meta(a).Cached = true
		x.elapsed(a)
		return a, nil
	}
	e.cache.misses.Add(1)
	return x.askWithOthers(ctx)
}

func (x *asking[T]) fresh(a *T) bool { return x.began.Sub(x.meta(a).AsOf) <= x.freshness }

func (x *asking[T]) elapsed(a *T) {
	x.meta(a).ElapsedMS = x.e.clock.Now().Sub(x.began).Milliseconds()
}

// key is the question's sum: questions can be long, and are nobody's to read in a
// list of keys.
func (x *asking[T]) key() string {
	sum := sha256.Sum256([]byte(x.question))
	return "insight:" + hex.EncodeToString(sum[:])
}

// kept is the kept answer, or nil. A cache that fails has none.
func (x *asking[T]) kept(ctx context.Context) *T {
	b, ok, err := x.e.cache.answers.Get(ctx, x.key())
	if err != nil || !ok {
		return nil
	}
	var k kept[T]
	if json.Unmarshal(b, &k) != nil || k.Question != x.question {
		return nil
	}
	return k.Answer
}

func (x *asking[T]) askAndKeep(ctx context.Context) (*T, error) {
	a, err := x.ask()
	if err != nil {
		return nil, err
	}
	if b, err := json.Marshal(kept[T]{x.question, a}); err == nil && len(b) <= maxKept {
		_ = x.e.cache.answers.Set(ctx, x.key(), b, keptFor) // who misses it asks again
	}
	return a, nil
}

// leftError is the error of an asker that did not wait for the answer.
type leftError struct{ error }

func (e leftError) Unwrap() error { return e.error }

// askWithOthers is askAndKeep once for all who ask the same, with the same
// freshness, while it goes on.
func (x *asking[T]) askWithOthers(ctx context.Context) (*T, error) {
	flight := x.question + x.freshness.String()
	for later := false; ; later = true {
		own := false
		v, err, _ := x.e.cache.flights.Do(flight, func() (any, error) {
			own = true
			a, err := x.askAndKeep(ctx)
			if err != nil && ctx.Err() != nil {
				err = leftError{err}
			}
			return a, err
		})
		a, _ := v.(*T)
		if own {
			return a, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, left := err.(leftError); left { //nolint:errorlint // it is never wrapped
			continue
		}
		if err != nil {
			return nil, err
		}
		// Who joined others, that had begun before it, may have got what is too old
		// for it. What began later is as good as what it could ask for itself.
		if !later && !x.fresh(a) {
			continue
		}
		mine := *a
		x.elapsed(&mine)
		return &mine, nil
	}
}
