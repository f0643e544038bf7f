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
	// keptOpen is how long an answer is kept whose range goes on, or ended less than
	// as long before the answer; keptClosed is how long that of any other is, and as
	// stale as an answer may be asked for.
	keptOpen   = 10 * time.Minute
	keptClosed = 24 * time.Hour

	maxKept  = 4 << 20 // bytes of JSON; more would push many others out
	keptForm = 2       // one more whenever answers change what they say or how they say it: nodes of two versions may share a cache
)

// cache keeps answers, for askers that accept one that is not of now, and lets
// those who ask the same at the same time ask once. DESIGN.md has its rules.
type cache struct {
	answers fleet.Cache
	locks   fleet.Locks // of the nodes that share the answers; nil: this one is alone
	owner   string      // this engine, among those
	flights singleflight.Group
	flown   atomic.Uint64 // tells the flights of this engine apart

	hits, misses, unaccepting, joined, failures atomic.Uint64
}

// kept is an answer in the cache. It says what it answers, so that no mistake
// about keys gives the rows of one project to another.
type kept[T any] struct {
	Question string `json:"question"`
	Answer   *T     `json:"answer"`
}

// CacheStats counts what became of questions.
type CacheStats struct {
	Hits   uint64 // accepted an older answer, and were given a kept one
	Misses uint64 // accepted an older answer, of which there was none
	Joined uint64 // misses that were answered by what another, here or at another node, was finding out already
	Exact  uint64 // accepted no older answer
	// Failures are of the cache or its locks. None is a failed question.
	Failures uint64
}

// CacheStats counts since the engine was made.
func (e *Engine) CacheStats() CacheStats {
	c := &e.cache
	return CacheStats{Hits: c.hits.Load(), Misses: c.misses.Load(), Joined: c.joined.Load(), Exact: c.unaccepting.Load(), Failures: c.failures.Load()}
}

// asking is one asker of a question whose answer is a T.
type asking[T any] struct {
	e         *Engine
	project   string
	question  string    // all that the answer depends on but the events
	until     time.Time // where the question's range ends
	began     time.Time
	freshness time.Duration
	meta      func(*T) *Meta
	ask       func() (*T, error)
}

// remember answers with a kept answer to the same question, however that is
// written, if it is complete up to freshness ago, and else with ask's, which it
// keeps. A range up to now may be cut down as upToNow says: ask is told which it is.
// Answers may be shared by several askers: nobody changes one.
func remember[T any](ctx context.Context, e *Engine, kind weir.Kind, p *weir.Project, q weir.Query, freshness time.Duration, meta func(*T) *Meta, ask func(weir.Query) (*T, error)) (*T, error) {
	q = upToNow(q, e.clock.Now(), freshness)
	question, err := json.Marshal([]any{keptForm, kind, p.ID, p.Timezone, canonical(e.d, kind, q)})
	if err != nil {
		return ask(q) // a time out of range; ask says so
	}
	x := &asking[T]{e: e, project: p.ID, question: string(question), until: q.To, began: e.clock.Now(), freshness: freshness, meta: meta, ask: func() (*T, error) { return ask(q) }}
	if freshness <= 0 {
		e.cache.unaccepting.Add(1)
		return x.askAndKeep(ctx)
	}
	if a := x.kept(ctx); a != nil {
		e.cache.hits.Add(1)
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

// kept is the kept answer, or nil if there is none that is fresh enough. A cache
// that fails has none.
func (x *asking[T]) kept(ctx context.Context) *T {
	b, ok, err := x.e.cache.answers.Get(ctx, x.key())
	if err != nil {
		x.e.cache.failed(ctx)
	}
	if err != nil || !ok {
		return nil
	}
	var k kept[T]
	if json.Unmarshal(b, &k) != nil || k.Question != x.question || k.Answer == nil || !x.fresh(k.Answer) {
		return nil
	}
	if erased, err := x.e.cache.erased(ctx, x.project); err != nil || !x.meta(k.Answer).AsOf.After(erased) {
		return nil
	}
	x.meta(k.Answer).Cached = true
	x.elapsed(k.Answer)
	return k.Answer
}

// erasedKey is where a cache has when somebody of a project was erased last.
func erasedKey(project string) string {
	sum := sha256.Sum256([]byte(project))
	return "insight:erased:" + hex.EncodeToString(sum[:])
}

// forget makes answers of a project worthless that are complete up to a time, or earlier:
// somebody was erased, who may be in them. Where the cache fails they are kept until they expire.
func (c *cache) forget(ctx context.Context, project string, upTo time.Time) {
	text, err := upTo.MarshalText()
	if err == nil {
		err = c.answers.Set(ctx, erasedKey(project), text, keptClosed)
	}
	if err != nil {
		c.failed(ctx)
	}
}

// erased is up to when answers of a project are worthless; zero if no such time is known.
func (c *cache) erased(ctx context.Context, project string) (upTo time.Time, err error) {
	text, ok, err := c.answers.Get(ctx, erasedKey(project))
	if err == nil && ok {
		err = upTo.UnmarshalText(text)
	}
	if err != nil {
		c.failed(ctx)
	}
	return upTo, err
}

func (x *asking[T]) askAndKeep(ctx context.Context) (*T, error) {
	a, err := x.ask()
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(kept[T]{x.question, a})
	if err != nil || len(b) > maxKept {
		return a, nil // who misses it asks again
	}
	if err := x.e.cache.answers.Set(ctx, x.key(), b, x.keepFor(a)); err != nil {
		x.e.cache.failed(ctx)
	}
	return a, nil
}

// keepFor is how long an answer is kept. That says nothing of for whom it is good:
// events may come late, whatever the range, and each asker says what it accepts.
func (x *asking[T]) keepFor(a *T) time.Duration {
	if x.until.Add(keptOpen).After(x.meta(a).AsOf) {
		return keptOpen
	}
	return keptClosed
}

// failed counts a failure of the cache, unless the asker has left.
func (c *cache) failed(ctx context.Context) {
	if ctx.Err() == nil {
		c.failures.Add(1)
	}
}

// leftError is the error of an asker that did not wait for the answer.
type leftError struct{ error }

func (e leftError) Unwrap() error { return e.error }

// askWithOthers is askAcross once for all who ask this engine the same, with the
// same freshness, while it goes on.
func (x *asking[T]) askWithOthers(ctx context.Context) (*T, error) {
	flight := x.question + x.freshness.String()
	for later := false; ; later = true {
		own := false
		v, err, _ := x.e.cache.flights.Do(flight, func() (any, error) {
			own = true
			a, err := x.askAcross(ctx)
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
		x.e.cache.joined.Add(1)
		mine := *a
		x.elapsed(&mine)
		return &mine, nil
	}
}
